using BenchmarkDotNet.Attributes;
using Synod.Protocols.Byzantine;

namespace Synod.Bench.Rooms;

/// <summary>Agreement on one value or transaction of 8 B among three, and one snapshot of three: one after the other; but for one, without batches.</summary>
public class RoomBenchmarks
{
    private const int Decisions = 1_000;

    // Of 64 clients' writes to one range, a node's turn has so many for a slot (bench/README.md).
    private const int TurnValues = 5;

    private readonly byte[] _value = new byte[8];
    private readonly MultiPaxosRoom _multiPaxos = new(1);
    private readonly MultiPaxosRoom _multiPaxosTurns = new(TurnValues);
    private readonly EPaxosRoom _epaxos = new();
    private readonly EPaxosRoom _epaxosConflicting = new();
    private readonly TwoPhaseRoom _twoPhase = new();
    private readonly ThreePhaseRoom _threePhase = new();
    private readonly PaxosCommitRoom _paxosCommit = new();
    private readonly SnapshotRoom _snapshots = new();

    [Benchmark(OperationsPerInvoke = Decisions, Description = "Multi-Paxos, 3 replicas: a value chosen and executed")]
    public long MultiPaxos()
    {
        _multiPaxos.Propose(_value, Decisions);
        return _multiPaxos.Executed;
    }

    [Benchmark(OperationsPerInvoke = Decisions, Description = "Multi-Paxos, 3 replicas: a value of the 5 of a turn, which share a slot")]
    public long MultiPaxosTurns()
    {
        _multiPaxosTurns.Propose(_value, Decisions);
        return _multiPaxosTurns.Executed;
    }

    [Benchmark(OperationsPerInvoke = Decisions, Description = "EPaxos, 3 replicas: a command, no conflicts")]
    public long EPaxos()
    {
        _epaxos.Propose(Decisions, conflicting: false);
        return _epaxos.Executed;
    }

    [Benchmark(OperationsPerInvoke = Decisions, Description = "EPaxos, 3 replicas: a command, all on one key")]
    public long EPaxosConflicting()
    {
        _epaxosConflicting.Propose(Decisions, conflicting: true);
        return _epaxosConflicting.Executed;
    }

    [Benchmark(OperationsPerInvoke = Decisions, Description = "2PC, 3 participants: a transaction")]
    public long TwoPhaseCommit()
    {
        _twoPhase.Commit(Decisions);
        return _twoPhase.Committed;
    }

    [Benchmark(OperationsPerInvoke = Decisions, Description = "3PC, 3 participants: a transaction")]
    public long ThreePhaseCommit()
    {
        _threePhase.Commit(Decisions);
        return _threePhase.Committed;
    }

    [Benchmark(OperationsPerInvoke = Decisions, Description = "Paxos Commit, F = 1, 3 participants: a transaction")]
    public long PaxosCommit()
    {
        _paxosCommit.Commit(Decisions);
        return _paxosCommit.Committed;
    }

    [Benchmark(OperationsPerInvoke = Decisions, Description = "Chandy-Lamport, 3 processes, 6 channels: a snapshot")]
    public long ChandyLamport()
    {
        _snapshots.Take(Decisions);
        return _snapshots.Taken;
    }
}

/// <summary>
/// Agreement on commands of 8 B among four of which one may lie, in batches. Clients sign before the clock starts, so each invocation is
/// an iteration of its own.
/// </summary>
public abstract class ByzantineBenchmarks
{
    internal const int Commands = 800;

    private readonly bool _isReal;
    private PbftRoom _pbft = null!;
    private HotStuffRoom _chained = null!;
    private HotStuffRoom _jolteon = null!;

    protected ByzantineBenchmarks(bool isReal) => _isReal = isReal;

    [Params(1, 100, 400)]
    public int Batch { get; set; }

    [GlobalSetup]
    public void Found() =>
        (_pbft, _chained, _jolteon) = (new(_isReal, Batch), new(new ChainedRules(), _isReal, Batch), new(new JolteonRules(), _isReal, Batch));

    [IterationSetup(Target = nameof(Pbft))]
    public void SignForPbft() => _pbft.Prepare(Commands);

    [IterationSetup(Target = nameof(Chained))]
    public void SignForChained() => _chained.Prepare(Commands);

    [IterationSetup(Target = nameof(Jolteon))]
    public void SignForJolteon() => _jolteon.Prepare(Commands);

    [Benchmark(OperationsPerInvoke = Commands, Description = "PBFT")]
    public long Pbft()
    {
        _pbft.Run();
        return _pbft.Executed;
    }

    [Benchmark(OperationsPerInvoke = Commands, Description = "HotStuff, chained")]
    public long Chained()
    {
        _chained.Run();
        return _chained.Executed;
    }

    [Benchmark(OperationsPerInvoke = Commands, Description = "HotStuff, Jolteon")]
    public long Jolteon()
    {
        _jolteon.Run();
        return _jolteon.Executed;
    }
}

/// <summary>With signatures that are a look into a table: the protocol alone.</summary>
public class TableBenchmarks() : ByzantineBenchmarks(isReal: false);

/// <summary>With Ed25519.</summary>
public class SignatureBenchmarks() : ByzantineBenchmarks(isReal: true);
