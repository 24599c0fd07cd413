using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    /// <summary>A coordinator commits only what every participant voted for.</summary>
    public const string CommitValidity = nameof(CommitValidity);

    public override void CheckInvariants()
    {
        Ledger.CheckInvariants();
        foreach (var (id, led) in _led)
        {
            Invariant.Check(
                !led.IsCommitted || led.Participants.IsSubsetOf(led.Yes.Union(led.ReadOnly)), CommitValidity, $"{id} lacks a vote");
        }
    }
}
