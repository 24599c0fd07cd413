using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Database.Directory;

/// <summary>A span of keys and the group of replicas that serves it.</summary>
/// <param name="Group">The group's name, never used for another one.</param>
/// <param name="Version">
/// Grows with every change of the span. Of two overlapping descriptors the one with the higher version is the truth.
/// </param>
/// <param name="Replicas">The group's members.</param>
/// <param name="PreferredLeader">The member that should lead when all are well, so that leaders spread over the nodes.</param>
public sealed record RangeDescriptor(ulong Group, KeySpan Span, ulong Version, NodeSet Replicas, NodeId PreferredLeader)
{
    private const byte ServingMark = 0;
    private const byte RetiredMark = 1;
    private const byte GoneMark = 2;

    /// <summary>
    /// Which incarnation of a member belongs to the group, where it is not the first: a node that lost its disk comes back as a new
    /// replica of new groups, and never votes in one that it forgot.
    /// </summary>
    public ImmutableSortedDictionary<NodeId, ulong> Incarnations { get; init; } = ImmutableSortedDictionary<NodeId, ulong>.Empty;

    /// <summary>Whether a group with other members has taken the span over: this one serves nothing any more.</summary>
    public bool IsRetired { get; init; }

    /// <summary>
    /// Whether nobody needs a replica of the retired group any more (paxos.md §7): only its name is kept, for those who still ask.
    /// </summary>
    public bool IsGone { get; init; }

    /// <summary>What is left of it once it has retired and its replicas are not needed.</summary>
    public RangeDescriptor Tombstone => this with { IsRetired = true, IsGone = true, Version = Version + 1 };

    /// <summary>The incarnation of <paramref name="node"/> that belongs to the group; 0 for the first.</summary>
    public ulong IncarnationOf(NodeId node) => Incarnations.GetValueOrDefault(node);

    /// <summary>Whether the group serves any of the keys.</summary>
    public bool Covers(KeySpan keys) => !IsRetired && Span.Overlaps(keys);

    public void Write(CodecWriter writer)
    {
        writer.Fixed64(Group);
        writer.Bytes(Span.Start.Span);
        writer.Bytes(Span.End.Span);
        writer.Unsigned(Version);
        writer.Nodes(Replicas);
        writer.Node(PreferredLeader);
        writer.Byte(IsGone ? GoneMark : IsRetired ? RetiredMark : ServingMark);
        writer.Unsigned((ulong)Incarnations.Count);
        foreach (var (node, incarnation) in Incarnations)
        {
            writer.Node(node);
            writer.Fixed64(incarnation);
        }
    }

    public static RangeDescriptor Read(ref CodecReader reader)
    {
        var group = reader.Fixed64();
        var start = new Key(reader.Bytes());
        var end = new Key(reader.Bytes());
        var version = reader.Unsigned();
        var replicas = reader.Nodes();
        var preferred = reader.Node();
        var mark = reader.Byte();
        if (mark > GoneMark)
        {
            reader.Fail();
        }

        var incarnations = ImmutableSortedDictionary.CreateBuilder<NodeId, ulong>();
        for (var count = reader.Count(); count > 0 && !reader.Failed; count--)
        {
            var node = reader.Node();
            incarnations[node] = reader.Fixed64();
        }

        return new RangeDescriptor(group, new KeySpan(start, end), version, replicas, preferred)
        {
            IsRetired = mark >= RetiredMark,
            IsGone = mark == GoneMark,
            Incarnations = incarnations.ToImmutable(),
        };
    }
}
