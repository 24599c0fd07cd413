using Synod.Core;

namespace Synod.Database.Directory;

/// <summary>
/// What a node knows of the ranges of the cluster. It only speeds things up: whoever leads a range checks that it serves the
/// keys, and an outdated directory costs a redirect. Versions make merging safe in any order.
/// </summary>
public sealed class RangeDirectory
{
    private readonly SortedList<ulong, RangeDescriptor> _ranges = [];
    private readonly SortedList<ulong, (NodeId Leader, Ballot Term)> _leaders = [];

    internal DatabaseMutation Mutation { get; init; }

    /// <summary>Every known range, in order of groups.</summary>
    public IEnumerable<RangeDescriptor> Ranges => _ranges.Values;

    /// <summary>The sum of versions: it grows with every change, so that equal sums mean equal knowledge in practice.</summary>
    public ulong VersionSum { get; private set; }

    /// <summary>
    /// Takes in a descriptor unless it is outdated. True if it was news. A range has ended when later ones serve all of its keys, whether or
    /// not somebody is left who saw it retire.
    /// </summary>
    public bool Merge(RangeDescriptor range)
    {
        if (_ranges.TryGetValue(range.Group, out var known) && known.Version >= range.Version)
        {
            return false;
        }

        Put(range);
        foreach (var older in _ranges.Values.Where(other => other.Covers(range.Span) && other.Version <= range.Version).ToList())
        {
            if (HeirsOf(older) is not null)
            {
                Put(older with { IsRetired = true, Version = older.Version + 1 });
            }
        }

        return true;
    }

    public static Api.Range Describe(RangeDescriptor range, NodeId leader)
    {
        var described = new Api.Range
        {
            Group = range.Group,
            Start = Google.Protobuf.ByteString.CopyFrom(range.Span.Start.Span),
            End = Google.Protobuf.ByteString.CopyFrom(range.Span.End.Span),
            Version = range.Version,
            PreferredLeader = range.PreferredLeader.Value,
            Leader = leader.Value,
        };
        foreach (var replica in range.Replicas)
        {
            described.Replicas.Add(replica.Value);
        }

        return described;
    }

    public RangeDescriptor? Find(ulong group) => _ranges.GetValueOrDefault(group);

    /// <summary>
    /// Who speaks for a group: itself, or, once it is retired, the group that serves its keys since. That one took over what it had decided,
    /// and the retired one may have lost for good the members that could lead it.
    /// </summary>
    public ulong SpeakerOf(ulong group) =>
        Find(group) is { IsRetired: true } retired && !Mutation.HasFlag(DatabaseMutation.RetiredIsSilent)
            ? HeirOf(retired, retired.Span.Start)?.Group ?? group
            : group;

    /// <summary>The ranges that serve a range's keys after it; null unless they are known for all of its keys.</summary>
    public IReadOnlyList<RangeDescriptor>? HeirsOf(RangeDescriptor range)
    {
        List<RangeDescriptor> heirs = [];
        for (var at = range.Span.Start; HeirOf(range, at) is { } heir; at = heir.Span.End)
        {
            heirs.Add(heir);
            if (heir.Span.End.IsEmpty || (!range.Span.End.IsEmpty && heir.Span.End >= range.Span.End))
            {
                return heirs;
            }
        }

        return null;
    }

    /// <summary>
    /// Remembers who led a group in <paramref name="term"/>, unless this or a later term is known. True if it was news: each term is at
    /// most once, so that two nodes who contradict each other cannot make a third one go to and fro.
    /// </summary>
    public bool Led(ulong group, NodeId leader, Ballot term)
    {
        if ((_leaders.TryGetValue(group, out var known) && term <= known.Term) || Find(group) is { IsGone: true })
        {
            return false;
        }

        _leaders[group] = (leader, term);
        return true;
    }

    /// <summary>The last known leader, or the preferred one, or none.</summary>
    public NodeId LeaderOf(ulong group)
    {
        if (_leaders.TryGetValue(group, out var known) && known.Leader != NodeId.None)
        {
            return known.Leader;
        }

        return Find(group)?.PreferredLeader ?? NodeId.None;
    }

    // Of two ranges that serve a key, the later one has the higher version.
    private RangeDescriptor? HeirOf(RangeDescriptor range, Key at) => _ranges.Values.FirstOrDefault(
        other => !other.IsRetired && other.Version >= FirstVersionAfter(range) && other.Span.Contains(at));

    // What the command made that retired it has the same version as the retired one; a tombstone's is one higher.
    private static ulong FirstVersionAfter(RangeDescriptor range) =>
        range.IsGone ? range.Version - 1 : range.IsRetired ? range.Version : range.Version + 1;

    private void Put(RangeDescriptor range)
    {
        VersionSum += range.Version - (_ranges.GetValueOrDefault(range.Group)?.Version ?? 0);
        _ranges[range.Group] = range;
        if (range.IsGone)
        {
            _leaders.Remove(range.Group);
        }
    }
}
