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

    /// <summary>Takes in a descriptor unless it is outdated. True if it was news.</summary>
    public bool Merge(RangeDescriptor range)
    {
        if (_ranges.TryGetValue(range.Group, out var known) && known.Version >= range.Version)
        {
            return false;
        }

        _ranges[range.Group] = range;
        if (range.IsGone)
        {
            _leaders.Remove(range.Group);
        }

        VersionSum += range.Version - (known?.Version ?? 0);
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

    /// <summary>The ranges that serve a retired group's keys since; null while they are not known for all of its keys.</summary>
    public IReadOnlyList<RangeDescriptor>? HeirsOf(RangeDescriptor retired)
    {
        List<RangeDescriptor> heirs = [];
        for (var at = retired.Span.Start; HeirOf(retired, at) is { } heir; at = heir.Span.End)
        {
            heirs.Add(heir);
            if (heir.Span.End.IsEmpty || (!retired.Span.End.IsEmpty && heir.Span.End >= retired.Span.End))
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

    // What was made by the command that retired it has the same version, and what came of that a higher one.
    private RangeDescriptor? HeirOf(RangeDescriptor retired, Key at) => _ranges.Values.FirstOrDefault(
        range => !range.IsRetired && range.Version >= VersionAtEnd(retired) && range.Span.Contains(at));

    private static ulong VersionAtEnd(RangeDescriptor retired) => retired.IsGone ? retired.Version - 1 : retired.Version;
}
