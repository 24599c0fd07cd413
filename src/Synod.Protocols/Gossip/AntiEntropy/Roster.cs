using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// Who takes part, and who never again. It is decided outside, by consensus: gossip never agrees on its own members. The largest epoch
/// is in force.
/// </summary>
/// <param name="Members">Who exchanges with whom, in order.</param>
/// <param name="Fenced">Origins that are given up (crdt.md §6): nothing of theirs is taken any more, nobody waits for them.</param>
public sealed record Roster(long Epoch, ImmutableArray<NodeId> Members, ImmutableArray<Origin> Fenced)
{
    /// <summary>The first roster of a group.</summary>
    public static Roster Of(params ReadOnlySpan<NodeId> members) => new(1, [.. members.ToArray().Order()], []);

    /// <summary>Whether both lists are in order and name nobody twice.</summary>
    public bool IsSound => IsOrdered(Members) && IsOrdered(Fenced) && !Members.Contains(NodeId.None);

    public bool Has(NodeId node) => Members.BinarySearch(node) >= 0;

    public bool IsFenced(Origin origin) => Fenced.BinarySearch(origin) >= 0;

    /// <summary>Whether what <paramref name="origin"/> numbers is taken.</summary>
    public bool Accepts(Origin origin) => Has(origin.Node) && !IsFenced(origin);

    /// <summary>The one of two that is in force.</summary>
    public Roster Later(Roster other) => other.Epoch > Epoch ? other : this;

    /// <summary>The next roster, with these origins fenced too.</summary>
    public Roster Fence(params ReadOnlySpan<Origin> origins) =>
        this with { Epoch = Epoch + 1, Fenced = [.. Fenced.Union(origins.ToArray()).Order()] };

    public override string ToString() =>
        $"e{Epoch} [{string.Join(' ', Members)}]{(Fenced.IsEmpty ? "" : $" without [{string.Join(' ', Fenced)}]")}";

    private static bool IsOrdered<T>(ImmutableArray<T> items)
        where T : IComparable<T>
    {
        for (var at = 1; at < items.Length; at++)
        {
            if (items[at - 1].CompareTo(items[at]) >= 0)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>The binary form of a <see cref="Roster"/>.</summary>
public sealed class RosterWire : IWire<Roster>
{
    public static RosterWire Instance { get; } = new();

    public void Write(CodecWriter writer, Roster value)
    {
        writer.Signed(value.Epoch);
        writer.Many(value.Members, static (w, node) => w.Node(node));
        writer.Many(value.Fenced, OriginWire.Instance.Write);
    }

    public Roster Read(ref CodecReader reader) => new(
        reader.Signed(),
        reader.Many(static (ref CodecReader r) => r.Node()),
        reader.Many(static (ref CodecReader r) => OriginWire.Instance.Read(ref r)));
}
