using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

public sealed partial class Scuttlebutt
{
    /// <summary>A version of an origin is one update, wherever it is. Over several nodes, so hosts check it.</summary>
    public const string SameVersionSameUpdate = nameof(SameVersionSameUpdate);

    /// <summary>Who is as far with an origin as the origin itself has the same of it. Over several nodes, so hosts check it.</summary>
    public const string AsFarAsOriginIsEqual = nameof(AsFarAsOriginIsEqual);

    /// <summary>No replica is further with an origin than the origin itself. Over several nodes, so hosts check it.</summary>
    public const string OriginIsAhead = nameof(OriginIsAhead);

    /// <summary>A replica never goes back behind a deletion that it has shown. Over time, so hosts check it.</summary>
    public const string DeletedStaysDeleted = nameof(DeletedStaysDeleted);

    /// <summary>Nothing is shown in an origin's name that it has not written. Hosts check it.</summary>
    public const string OnlyOwnUpdates = nameof(OnlyOwnUpdates);

    /// <summary>A write that was answered is never lost. Hosts check it.</summary>
    public const string AnsweredIsKept = nameof(AnsweredIsKept);

    /// <summary>Every entry is within the progress that is told of its origin, and each key has one.</summary>
    public const string EntriesWithinProgress = nameof(EntriesWithinProgress);

    /// <summary>No tombstone is kept that the origin has said to drop.</summary>
    public const string FloorIsSwept = nameof(FloorIsSwept);

    /// <summary>Nothing is kept of those who are given up.</summary>
    public const string FencedIsGone = nameof(FencedIsGone);

    public override void CheckInvariants()
    {
        foreach (var (origin, state) in _origins)
        {
            Invariant.Check(state.Current.All(entry => entry.Version <= state.Max), EntriesWithinProgress, $"{state.Progress(origin)}");
            Invariant.Check(
                state.Tombstones == 0 || state.NewestTombstone(state.Floor) == 0, FloorIsSwept, $"{state.Progress(origin)}");
            Invariant.Check(origin == WritesAs || _roster.Accepts(origin), FencedIsGone, $"{origin} is in {_roster}");
        }
    }

    /// <summary>Whether two replicas mean the same by each version that both have.</summary>
    public static bool Agree(Scuttlebutt left, Scuttlebutt right) => left._origins.All(pair =>
        !right._origins.TryGetValue(pair.Key, out var other)
        || pair.Value.Current.All(entry => other.Find(entry.Key) is not { } same || same.Version != entry.Version || $"{same}" == $"{entry}"));

    /// <summary>Whether a replica that is as far with <paramref name="origin"/>'s updates as itself has the same.</summary>
    public static bool HasAll(Scuttlebutt origin, Scuttlebutt replica) =>
        !replica._origins.TryGetValue(origin.WritesAs, out var state) || state.Progress(origin._self) != origin.Own.Progress(origin._self)
        || state.Current.Select(entry => $"{entry}").SequenceEqual(origin.Own.Current.Select(entry => $"{entry}"));

    /// <summary>Whether nobody is further with <paramref name="origin"/>'s updates than itself.</summary>
    public static bool IsAhead(Scuttlebutt origin, Scuttlebutt replica) =>
        !replica._origins.TryGetValue(origin._self, out var state) || state.Max <= origin.Own.Max;
}
