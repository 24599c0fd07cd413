using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// What holds after every step (paxos.md §10), at a constant price. Claims about one slot are checked where the slot is touched:
/// OneValuePerBallot, NoAcceptBelowPromise, AcceptAboveFloor, ChosenValueIsKept, ChosenValueIsAtHand. Claims about several
/// replicas (agreement, prefix, disjoint leases) belong to hosts.
/// </summary>
public sealed partial class MultiPaxos
{
    private Ballot _promisedBefore;
    private Slot _chosenBefore;
    private Slot _executedBefore;

    public override void CheckInvariants()
    {
        var applied = _state.Applied;
        Invariant.Check(_promised >= _promisedBefore, "PromiseGrows", _promised, _promisedBefore);
        Invariant.Check(Chosen >= _chosenBefore, "ChosenGrows", Chosen, _chosenBefore);
        Invariant.Check(Executed >= _executedBefore, "ExecutedGrows", Executed, _executedBefore);
        (_promisedBefore, _chosenBefore, _executedBefore) = (_promised, Chosen, Executed);

        Invariant.Check(Executed <= Chosen, "ExecutedIsChosen", Executed, Chosen);
        Invariant.Check(LastCommand <= Executed, "CommandIsExecuted", LastCommand, Executed);
        Invariant.Check(applied <= Executed, "AppliedIsExecuted", applied, Executed);
        Invariant.Check(_maxSeen >= _promised, "PromisedIsSeen", _maxSeen, _promised);
        Invariant.Check(_voteBallot <= _promised || Mutated(MultiPaxosMutation.PromiseForgottenOnRestart), "VotedForPromised");
        if (Role == PaxosRole.Leader)
        {
            Invariant.Check(_promised.Node == _self && Leader == _self, "LeaderOwnsItsBallot", _promised, Leader);
            Invariant.Check(Chosen < _next && _log.Last < _next, "NextSlotIsFree", _next, _log.Last);
        }
        else
        {
            Invariant.Check(!IsReady && Lease == default && _reads.Count == 0 && _leaseWaiters.Count == 0, "OnlyLeadersServe");
        }
    }
}
