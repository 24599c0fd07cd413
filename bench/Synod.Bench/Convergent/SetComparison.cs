using System.Globalization;
using Akka.DistributedData;
using Synod.Bench.Micro;
using Synod.Core;
using Synod.Crdt;

namespace Synod.Bench.Convergent;

/// <summary>An observed-remove set of strings on both sides, doing the same: adds with their deltas, and joins.</summary>
internal sealed class SetComparison(AkkaStates akka, int count, bool isRandom)
{
    private static readonly ReplicaId s_first = new(new NodeId(1), 0x1234_5678_9ABC_DEF0);
    private static readonly ReplicaId s_second = new(new NodeId(2), 0x0FED_CBA9_8765_4321);

    /// <summary>Deltas that Akka's side joins in a round: each takes it as long as a look at the whole set.</summary>
    private const int FewDeltas = 10;

    private readonly int _changes = Math.Max(FewDeltas, count / 100);
    private int _round;

    public IEnumerable<ConvergentRow> Measure()
    {
        var (ours, theirs) = (Set(Elements(0, count)), AkkaStates.Set(Elements(0, count)));
        yield return Row("add, with its delta", "ns", Adds(ours), Adds(theirs));
        yield return Row("join the delta of an add", "ns", Deltas(ours), Deltas(theirs));
        yield return Row($"join a state that differs in {_changes} adds and {_changes} removals", "ns", States(ours), States(theirs));
        yield return Row(
            "delta of an add", "bytes",
            StateCodec.Encode(ours.Copy().Add(s_first, Element(-1))).Length, akka.Bytes(theirs.Add(AkkaStates.Node(1), Element(-1)).Delta));
        yield return Row("whole state", "bytes", StateCodec.Encode(ours).Length, akka.Bytes(theirs));
    }

    private static OrSet<string> Set(IEnumerable<string> elements)
    {
        var set = new OrSet<string>(Wires.Text);
        foreach (var element in elements)
        {
            set.Add(s_first, element);
        }

        return set;
    }

    private ConvergentRow Row(string what, string unit, double ours, double theirs) =>
        new(string.Create(CultureInfo.InvariantCulture, $"OR-Set of {count:N0} {(isRandom ? "random" : "numbered")} names"), what, unit, ours, theirs);

    private string Element(int number) => isRandom
        ? ((ulong)(number + 1) * 0x9E3779B97F4A7C15 ^ 0xBF58476D1CE4E5B9).ToString("x16", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"user-{number:0000000}");

    private IEnumerable<string> Elements(int from, int many) => Enumerable.Range(from, many).Select(Element);

    /// <summary>Elements that the set has not had yet; each round takes others.</summary>
    private string[] Fresh() => [.. Elements(count + ++_round * _changes, _changes)];

    private double Adds(OrSet<string> start)
    {
        var (set, fresh) = (start, Array.Empty<string>());
        return MicroResult.Measure("", _changes, many =>
        {
            for (var number = 0; number < many; number++)
            {
                set.Add(s_first, fresh[number]);
            }
        }, _ => (set, fresh) = (start.Copy(), Fresh())).Nanoseconds;
    }

    private double Adds(ORSet<string> start)
    {
        var (node, fresh) = (AkkaStates.Node(1), Array.Empty<string>());
        return MicroResult.Measure("", _changes, many =>
        {
            var set = start;
            for (var number = 0; number < many; number++)
            {
                set = set.ResetDelta().Add(node, fresh[number]);
            }
        }, _ => fresh = Fresh()).Nanoseconds;
    }

    private double Deltas(OrSet<string> start)
    {
        var (set, deltas) = (start, Array.Empty<OrSet<string>>());
        return MicroResult.Measure("", _changes, many =>
        {
            for (var number = 0; number < many; number++)
            {
                set.Join(deltas[number]);
            }
        }, _ =>
        {
            set = start.Copy();
            var other = start.Copy();
            deltas = [.. Fresh().Select(element => other.Add(s_second, element))];
        }).Nanoseconds;
    }

    private double Deltas(ORSet<string> start)
    {
        var (node, deltas) = (AkkaStates.Node(2), Array.Empty<ORSet<string>.IDeltaOperation>());
        return MicroResult.Measure("", FewDeltas, many =>
        {
            var set = start;
            for (var number = 0; number < many; number++)
            {
                set = set.MergeDelta(deltas[number]);
            }
        }, _ =>
        {
            var other = start;
            deltas = [.. Fresh().Take(FewDeltas).Select(element => (other = other.ResetDelta().Add(node, element)).Delta!)];
        }).Nanoseconds;
    }

    private double States(OrSet<string> start)
    {
        var (set, other) = (start, start.Copy());
        foreach (var number in Enumerable.Range(0, _changes))
        {
            other.Add(s_second, Element(count + number));
            other.Remove(Element(number * 97 % count));
        }

        return MicroResult.Measure("", 1, _ => set.Join(other), _ => set = start.Copy()).Nanoseconds;
    }

    private double States(ORSet<string> start)
    {
        var (node, other) = (AkkaStates.Node(2), start);
        foreach (var number in Enumerable.Range(0, _changes))
        {
            other = other.Add(node, Element(count + number)).Remove(node, Element(number * 97 % count)).ResetDelta();
        }

        return MicroResult.Measure("", 1, _ => GC.KeepAlive(start.Merge(other))).Nanoseconds;
    }
}
