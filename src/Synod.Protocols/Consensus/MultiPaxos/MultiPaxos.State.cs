using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Every field that outlives a step, visited once for clone, fingerprint and trace.</summary>
public sealed partial class MultiPaxos
{
    public override void State(StateVisitor visitor)
    {
        VisitAcceptor(visitor);
        VisitFollower(visitor);
        VisitLearner(visitor);
        VisitCandidate(visitor);
        VisitLeader(visitor);
        VisitLarge(visitor);
        if (visitor.IsReading)
        {
            (_promisedBefore, _chosenBefore, _executedBefore) = (_promised, Chosen, Executed);
            (_throughBallot, _through) = (default, default);
        }
    }

    private void VisitAcceptor(StateVisitor visitor)
    {
        visitor.Visit("promised", ref _promised);
        _log.State(visitor);
        visitor.Visit("pagedTo", ref _pagedTo);
        visitor.Visit("vote", ref _voteBallot);
        visitor.Visit("voteEnd", ref _voteEnd);
        visitor.Visit("snapshotAt", ref _snapshotAt);
        visitor.Visit("checkpointFloor", ref _checkpointFloor);
        visitor.Visit("recordedChosen", ref _recordedChosen);
        visitor.Visit("checkpointing", ref _checkpointing);
        visitor.Visit("checkpointAt", ref _checkpointAt);
    }

    private void VisitFollower(StateVisitor visitor)
    {
        var (role, leader, quiescent) = (Role, Leader, IsQuiescent);
        visitor.VisitEnum("role", ref role);
        visitor.Visit("leader", ref leader);
        visitor.Visit("quiescent", ref quiescent);
        (Role, Leader, IsQuiescent) = (role, leader, quiescent);
        visitor.Visit("lastHeard", ref _lastHeard);
        Visit(visitor, "patience", ref _patience);
        visitor.Visit("down", ref _down);
        visitor.Visit("maxSeen", ref _maxSeen);
        visitor.Visit("released", ref _released);
    }

    private void VisitLearner(StateVisitor visitor)
    {
        var (chosen, executed, lastCommand) = (Chosen, Executed, LastCommand);
        visitor.Visit("chosen", ref chosen);
        visitor.Visit("executed", ref executed);
        visitor.Visit("lastCommand", ref lastCommand);
        (Chosen, Executed, LastCommand) = (chosen, executed, lastCommand);
        visitor.Visit("knownCommit", ref _knownCommit);
        visitor.Visit("catchingUp", ref _catchingUp);
        visitor.Visit("installing", ref _installing);
        visitor.Visit("installFrom", ref _installFrom);
        visitor.Visit("installAt", ref _installAt);
        visitor.Visit("installNext", ref _installNext);
        visitor.Visit("stalls", ref _stalls);
        visitor.Visit("restarts", ref _restarts);
        visitor.Visit("served", _served, VisitNode, VisitServed);
    }

    private void VisitCandidate(StateVisitor visitor)
    {
        visitor.Visit("votes", ref _votes);
        visitor.Visit("preBallot", ref _preBallot);
        visitor.Visit("electedFrom", ref _electedFrom);
        visitor.Visit("reported", _reported, VisitNode, VisitSlot);
        visitor.Visit("floors", _floors, VisitNode, VisitSlot);
        visitor.Visit("recovered", _recovered, VisitSlot, VisitEntry);
    }

    private void VisitLeader(StateVisitor visitor)
    {
        visitor.Visit("next", ref _next);
        visitor.Visit("barrier", ref _barrier);
        visitor.Visit("round", ref _round);
        visitor.Visit("resendThrough", ref _resendThrough);
        visitor.Visit("idleBeats", ref _idleBeats);
        foreach (var peer in _peers)
        {
            visitor.Visit("match", ref peer.Match);
            visitor.Visit("acked", ref peer.Round);
            visitor.Visit("leaseFrom", ref peer.LeaseFrom);
            visitor.Visit("heard", ref peer.LastHeard);
        }

        var (ready, start, end) = (IsReady, Lease.Start, Lease.End);
        visitor.Visit("ready", ref ready);
        visitor.Visit("leaseStart", ref start);
        visitor.Visit("leaseEnd", ref end);
        (IsReady, Lease) = (ready, new Lease(start, end));
        visitor.Visit("lastLeaseFrom", ref _lastLeaseFrom);
        visitor.Visit("leaseAskedAt", ref _leaseAskedAt);
        visitor.Visit("leaseWaiters", _leaseWaiters, Visit);
        visitor.Visit("reads", _reads, VisitRead);
        visitor.Visit("readRound", ref _readRound);
        visitor.Visit("confirmedRound", ref _confirmedRound);
        visitor.Visit("transferTo", ref _transferTo);
        Visit(visitor, ref _transferRequest);
        visitor.Visit("transferDeadline", ref _transferDeadline);
    }

    private static void Visit(StateVisitor visitor, string name, ref Duration value)
    {
        var number = value.Nanoseconds;
        visitor.Visit(name, ref number);
        value = new Duration(number);
    }

    private static void Visit(StateVisitor visitor, ref RequestId value)
    {
        var number = value.Value;
        visitor.Visit("", ref number);
        value = new RequestId(number);
    }

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);

    private static void VisitSlot(StateVisitor visitor, ref Slot slot) => visitor.Visit("", ref slot);

    private static void VisitServed(StateVisitor visitor, ref (Slot At, int Index) served)
    {
        visitor.Visit("", ref served.At);
        visitor.Visit("", ref served.Index);
    }

    private static void VisitRead(StateVisitor visitor, ref PendingRead read)
    {
        var (request, index, round) = read;
        Visit(visitor, ref request);
        visitor.Visit("", ref index);
        visitor.Visit("", ref round);
        read = new PendingRead(request, index, round);
    }

    private static void VisitEntry(StateVisitor visitor, ref Record.Accepted entry)
    {
        var (slot, ballot, value) = entry is null ? default : (entry.Slot, entry.Ballot, entry.Value);
        visitor.Visit("", ref slot);
        visitor.Visit("", ref ballot);
        visitor.Visit("", ref value);
        entry = new Record.Accepted(slot, ballot, value);
    }
}
