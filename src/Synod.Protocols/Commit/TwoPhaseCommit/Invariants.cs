using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    /// <summary>Every key of every promise is locked by it, so no conflicting write commits between a vote and its decision.</summary>
    public const string LocksCoverWindow = nameof(LocksCoverWindow);

    /// <summary>A transaction is prepared or ended, not both: an ending is for ever.</summary>
    public const string Stability = nameof(Stability);

    /// <summary>A coordinator commits only what every participant voted for.</summary>
    public const string CommitValidity = nameof(CommitValidity);

    /// <summary>No participant committed what another one aborted. Over several nodes, so hosts check it.</summary>
    public const string Agreement = nameof(Agreement);

    public override void CheckInvariants()
    {
        foreach (var (id, promise) in _prepared)
        {
            Invariant.Check(!_ended.ContainsKey(id), Stability, $"{id} is prepared and ended");
            foreach (var write in promise.Writes)
            {
                Invariant.Check(LockOn(write.Key) == id, LocksCoverWindow, $"{id} is prepared without the lock on {write.Key}");
            }
        }

        foreach (var (id, led) in _led)
        {
            Invariant.Check(
                !led.IsCommitted || led.Participants.IsSubsetOf(led.Yes.Union(led.ReadOnly)), CommitValidity, $"{id} lacks a vote");
        }
    }

    /// <summary>Whether <paramref name="nodes"/> agree on every transaction that any two of them ended.</summary>
    public static bool Agree(IEnumerable<TwoPhaseCommit> nodes)
    {
        var endings = new SortedDictionary<TransactionId, bool>();
        foreach (var (id, committed) in nodes.SelectMany(node => node._ended))
        {
            if (!endings.TryAdd(id, committed) && endings[id] != committed)
            {
                return false;
            }
        }

        return true;
    }
}
