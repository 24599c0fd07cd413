using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    /// <summary>A coordinator goes on only with what every participant voted for.</summary>
    public const string CommitValidity = nameof(CommitValidity);

    /// <summary>A participant waits for exactly what it has promised.</summary>
    public const string StandsArePromises = nameof(StandsArePromises);

    /// <summary>Nobody is in doubt about what another node takes for over for it. Over several nodes, so hosts check it.</summary>
    public const string MarksHold = nameof(MarksHold);

    /// <summary>
    /// Whether none of <paramref name="nodes"/> has promised and not ended what another one takes for over for it, and will forget.
    /// </summary>
    public static bool NobodyIsInDoubtBeforeItsMark(IReadOnlyCollection<ThreePhaseCommit> nodes) => nodes.All(node =>
        node.Ledger.InDoubt.All(id => nodes.All(other => !other._settled.IsOver(id, node._self))));

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
