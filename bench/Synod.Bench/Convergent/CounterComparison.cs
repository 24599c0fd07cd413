using System.Globalization;
using Synod.Bench.Micro;
using Synod.Core;
using Synod.Crdt;
using OurCounter = Synod.Crdt.GCounter;
using TheirCounter = Akka.DistributedData.GCounter;

namespace Synod.Bench.Convergent;

/// <summary>A grow-only counter of very many replicas: its join beside the maximum of two arrays and a plain copy of one.</summary>
internal static class CounterComparison
{
    private const int Entries = 1_000_000;
    private const int Few = 10_000;

    public static IEnumerable<ConvergentRow> Measure()
    {
        var (x, y) = (Of(Entries, 1), Of(Entries, 2));
        var (mine, theirs) = (Counts(Entries, 1), Counts(Entries, 2));
        var bytes = 3.0 * sizeof(ulong) * Entries;
        var plain = Best(() => Larger(mine, theirs));
        var copy = Best(() => theirs.AsSpan().CopyTo(mine)) * 1.5;
        yield return Row(Entries, "join, replicas compared before", Best(() => x.Join(y)), plain);
        yield return Row(Entries, "join, replicas of another array", MicroResult.Measure("", 1, _ => x.Join(y), _ => y = Of(Entries, 2)).Nanoseconds, plain);
        yield return new("two arrays of 1,000,000 counts", "maximum, and a copy of as many bytes", "ns", plain, copy);
        yield return new("two arrays of 1,000,000 counts", "maximum, and a copy of as many bytes", "GB/s", bytes / plain, bytes / copy);

        var (few, other) = (Of(Few, 1), Of(Few, 2));
        var (akka, peer) = (Akka(Few, 1), Akka(Few, 2));
        yield return new(
            string.Create(CultureInfo.InvariantCulture, $"G-Counter of {Few:N0} replicas"), "join", "ns",
            Best(() => few.Join(other)), Best(() => GC.KeepAlive(akka.Merge(peer))));
    }

    private static double Best(Action once) => MicroResult.Measure("", 1, _ => once()).Nanoseconds;

    private static ConvergentRow Row(int count, string what, double ours, double plain) => new(
        string.Create(CultureInfo.InvariantCulture, $"G-Counter of {count:N0} replicas beside the plain maximum"), what, "ns", ours, plain);

    private static void Larger(ulong[] mine, ulong[] theirs)
    {
        for (var index = 0; index < mine.Length; index++)
        {
            mine[index] = Math.Max(mine[index], theirs[index]);
        }
    }

    private static ulong[] Counts(int count, int seed) => [.. Enumerable.Range(0, count).Select(number => (ulong)(number * seed % 1_000 + 1))];

    private static OurCounter Of(int count, int seed) => OurCounter.Of(Counts(count, seed)
        .Select((amount, number) => KeyValuePair.Create(new ReplicaId(new NodeId(number + 1), 0x1234_5678_9ABC_DEF0), amount)));

    private static TheirCounter Akka(int count, int seed)
    {
        var counter = TheirCounter.Empty;
        foreach (var (amount, number) in Counts(count, seed).Select((amount, number) => (amount, number)))
        {
            counter = counter.Increment(AkkaStates.Node(number), amount).ResetDelta();
        }

        return counter;
    }
}
