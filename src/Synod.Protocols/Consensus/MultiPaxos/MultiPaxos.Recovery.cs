using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Recovery from records, and the checkpoints that let a host drop old ones (paxos.md §8).</summary>
public sealed partial class MultiPaxos
{
    public override void BeginCheckpoint()
    {
        _checkpointing = true;
        _checkpointAt = _state.Applied;
    }

    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        Invariant.Check(_checkpointing, "CheckpointBegun");
        _checkpointing = false;
        if (_promised != Ballot.None)
        {
            _out.Persist(new Record.Promised(_promised));
        }

        if (_voteBallot != Ballot.None)
        {
            _out.Persist(new Record.LeaseVote(_voteBallot, _voteEnd));
        }

        _checkpointFloor = Slot.Max(_checkpointFloor, Slot.Max(_checkpointAt, _log.Floor));
        for (var slot = _checkpointFloor.Next; slot <= _log.Last; slot = slot.Next)
        {
            if (_log.EntryAt(slot) is { } entry)
            {
                _out.Persist(entry);
            }
        }

        // Last, and needed: without the floor a replica whose state is lost would report dropped slots as never accepted.
        RecordChosen();
        _log.DropThrough(_snapshotAt);
    }

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        var accepted = new SortedDictionary<Slot, Record.Accepted>();
        var through = Slot.None;
        foreach (var record in records)
        {
            switch (record)
            {
                case Record.Promised r:
                    RecoverPromise(Mutated(MultiPaxosMutation.PromiseForgottenOnRestart) ? Ballot.None : r.Ballot);
                    break;
                case Record.Accepted r:
                    RecoverPromise(r.Ballot);
                    RecoverAccepted(accepted, r);
                    break;
                case Record.LeaseVote r:
                    RecoverVote(r);
                    break;
                case Record.Chosen r:
                    through = Slot.Max(through, RecoverChosen(r));
                    break;
                default:
                    Invariant.Check(false, "EveryRecordIsKnown");
                    break;
            }
        }

        RecoverLog(accepted, through);
        _lastHeard = Now;
        ArmElection();
        if (_quorums.IsPhase1(NodeSet.Of(_self)))
        {
            _patience = Duration.Zero;
            SetTimer(MultiPaxosTimer.Election, Now);
        }

        ExecuteChosen();
        if (!IsCaughtUp)
        {
            ArmCatchUp();
        }
    }

    private void RecoverPromise(Ballot ballot)
    {
        if (ballot > _promised)
        {
            _promised = ballot;
            See(ballot);
        }
    }

    private static void RecoverAccepted(SortedDictionary<Slot, Record.Accepted> accepted, Record.Accepted r)
    {
        if (!accepted.TryGetValue(r.Slot, out var known) || known.Ballot < r.Ballot)
        {
            accepted[r.Slot] = r;
        }
    }

    private void RecoverVote(Record.LeaseVote r)
    {
        if (r.Ballot > _voteBallot || (r.Ballot == _voteBallot && r.End > _voteEnd))
        {
            (_voteBallot, _voteEnd) = (r.Ballot, r.End);
        }
    }

    /// <summary>How far the record vouches for the accepted values. Not at all if the snapshot that it rests on was lost.</summary>
    private Slot RecoverChosen(Record.Chosen r)
    {
        _knownCommit = Slot.Max(_knownCommit, r.Through);
        _checkpointFloor = Slot.Max(_checkpointFloor, r.Floor);
        if (r.SnapshotAt > _state.Applied)
        {
            return Slot.None;
        }

        _snapshotAt = Slot.Max(_snapshotAt, r.SnapshotAt);
        return r.Through;
    }

    private void RecoverLog(SortedDictionary<Slot, Record.Accepted> accepted, Slot through)
    {
        Invariant.Check(IsAbsent || _state.Applied >= _checkpointFloor, "StateKeptItsFlush", $"{_state.Applied} below {_checkpointFloor}");
        if (_state.Applied > through)
        {
            // The state outlived records of what it holds: what was accepted in those slots may not be what was chosen.
            _snapshotAt = Slot.Max(_snapshotAt, _state.Applied);
        }

        _log.DropThrough(Slot.Max(_checkpointFloor, _snapshotAt));
        foreach (var entry in accepted.Values)
        {
            if (entry.Slot > _log.Floor)
            {
                _log.Set(entry);
            }
        }

        Executed = Slot.Max(_state.Applied, Slot.None);
        LastCommand = Executed;
        Chosen = IsAbsent ? Slot.None : Slot.Max(Executed, through);
        _recordedChosen = Chosen;
        _knownCommit = Slot.Max(_knownCommit, Slot.Max(Floor, Chosen));
    }
}
