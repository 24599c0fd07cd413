using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    /// <summary>A coordinator goes on only with what every participant voted for.</summary>
    public const string CommitValidity = nameof(CommitValidity);

    /// <summary>A participant waits for exactly what it has promised.</summary>
    public const string StandsArePromises = nameof(StandsArePromises);

    public override void CheckInvariants()
    {
        Ledger.CheckInvariants();
        Invariant.Check(_stands.Keys.SequenceEqual(Ledger.InDoubt), StandsArePromises);
        foreach (var (id, led) in _led)
        {
            Invariant.Check(
                !led.IsPreCommitting || led.Participants.IsSubsetOf(led.Yes.Union(led.ReadOnly)), CommitValidity, $"{id} lacks a vote");
        }
    }
}
