using System.Buffers.Binary;
using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;
using Synod.Protocols.Consensus;
using Synod.Storage;
using Synod.Storage.Mvcc;
using Synod.Workloads.Simulated;

namespace Synod.Bench.Micro;

/// <summary>The parts that a write passes through, each by itself.</summary>
internal static class Parts
{
    private const int ValueBytes = 256;
    private const int Keys = 10_000;

    private static readonly byte[] Value = [.. Enumerable.Range(0, ValueBytes).Select(number => (byte)(number * 31))];

    public static IReadOnlyList<MicroResult> MeasureAll() =>
    [
        Codec(), Locks(), Put(), Get(),
    ];

    /// <summary>Simulated seconds and events per second of one core's time: the bank under faults drawn from seeds.</summary>
    public static (double Speed, double EventsPerSecond) Simulator(int seeds)
    {
        _ = Simulate(1);
        var simulated = 0.0;
        var events = 0L;
        var began = Environment.CpuUsage.TotalTime;
        for (var seed = 1; seed <= seeds; seed++)
        {
            var verdict = Simulate((ulong)seed);
            simulated += verdict.Simulated.Nanoseconds / 1e9;
            events += verdict.Events;
        }

        var seconds = (Environment.CpuUsage.TotalTime - began).TotalSeconds;
        return (simulated / seconds, events / seconds);
    }

    private static SimulationVerdict Simulate(ulong seed)
    {
        var verdict = SimulationRun.Execute(new SimulationOptions { Workload = "bank", Seed = seed });
        Invariant.Check(verdict.IsOk, "TheBankIsSafe", $"{verdict.Failure?.Message}");
        return verdict;
    }

    private static MicroResult Codec()
    {
        var wire = new MultiPaxos.MessageWire();
        var writer = new CodecWriter();
        var message = new MultiPaxos.Message.Accept(
            new MultiPaxos.Record.Accepted(new Slot(123_456), new Ballot(3, new NodeId(1)), Value), new Slot(123_450));
        return MicroResult.Measure($"codec: an Accept of {ValueBytes} B written and read", 500_000, count =>
        {
            for (var number = 0; number < count; number++)
            {
                writer.Clear();
                wire.Write(writer, message);
                var reader = new CodecReader(writer.Memory);
                Invariant.Check(wire.Read(ref reader) is not null, "ReadBack");
            }
        });
    }

    private static MicroResult Locks()
    {
        var table = new LockTable();
        var keys = UserKeys();
        var wounded = new List<ILockOwner>();
        var granted = new List<object>();
        return MicroResult.Measure("lock table: two exclusive keys taken and released", 200_000, count =>
        {
            for (var number = 0; number < count; number++)
            {
                var owner = new Owner(new TransactionId(1, (ulong)number), new Age(number, 1));
                KeySpan[] spans = [KeySpan.Only(keys[number % Keys]), KeySpan.Only(keys[(number + 77) % Keys])];
                Invariant.Check(table.Acquire(owner, LockMode.Exclusive, spans, owner, wounded), "NobodyElseIsThere");
                table.Release(owner.Id, granted, wounded);
            }
        });
    }

    private static MicroResult Put()
    {
        var store = new MemoryStore();
        var keys = UserKeys();
        var batch = new StoreBatch();
        var time = 0L;
        return MicroResult.Measure($"MVCC over the memory store: a version of {ValueBytes} B written", 20_000, count =>
        {
            for (var number = 0; number < count; number++)
            {
                batch.Clear();
                MvccStore.Put(batch, keys[number % Keys], new Timestamp(++time), Value);
                store.Write(batch);
            }

            store.Flush();
        });
    }

    private static MicroResult Get()
    {
        var store = new MemoryStore();
        var keys = UserKeys();
        var batch = new StoreBatch();
        foreach (var key in keys)
        {
            MvccStore.Put(batch, key, new Timestamp(5), Value);
        }

        store.Write(batch);
        return MicroResult.Measure("MVCC over the memory store: the newest version read", 100_000, count =>
        {
            for (var number = 0; number < count; number++)
            {
                Invariant.Check(MvccStore.Newest(store, keys[number * 7 % Keys]) is not null, "WrittenIsFound");
            }
        });
    }

    private static Key[] UserKeys() => [.. Enumerable.Range(0, Keys).Select(number =>
    {
        var key = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return new Key(key);
    })];

    private sealed record Owner(TransactionId Id, Age Age) : ILockOwner
    {
        public bool IsWoundable => true;
    }
}
