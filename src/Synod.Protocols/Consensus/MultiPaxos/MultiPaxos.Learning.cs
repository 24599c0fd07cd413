using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Learning what was chosen, executing it in order, and catching up by log or by snapshot (paxos.md §3.3, §8).</summary>
public sealed partial class MultiPaxos
{
    /// <summary>How many slots are chosen between two records that say so.</summary>
    private const long ChosenRecordEvery = 64;

    /// <summary>After so many repetitions without a chunk, another replica is asked for a snapshot from its start.</summary>
    private const int PatientStalls = 3;

    /// <summary>How often the wait between repetitions doubles at most.</summary>
    private const int MostDoublings = 6;

    // The last chunk that each reader was given.
    private readonly SortedDictionary<NodeId, (Slot At, int Index)> _served = [];

    private Slot _knownCommit;
    private bool _catchingUp;
    private bool _installing;
    private NodeId _installFrom;
    private Slot _installAt;
    private int _installNext;
    private int _stalls;
    private int _restarts;

    /// <summary>
    /// A leader says that slots up to <paramref name="commit"/> are chosen. The value held here is the chosen one only if it was
    /// accepted in the leader's own ballot: one of a lower ballot may have lost (§3.3).
    /// </summary>
    private void LearnCommit(Slot commit, Ballot ballot)
    {
        _knownCommit = Slot.Max(_knownCommit, commit);
        if (Chosen < commit)
        {
            while (Chosen < commit && IsChosenValue(_log.BallotAt(Chosen.Next), ballot))
            {
                Chosen = Chosen.Next;
            }

            ExecuteChosen();
        }

        if (!_catchingUp && !IsCaughtUp)
        {
            // Most gaps close by themselves: a message is late.
            ArmCatchUp();
        }
    }

    private bool IsChosenValue(Ballot held, Ballot leader) =>
        held == leader || (held != Ballot.None && Mutated(MultiPaxosMutation.CommitOverStaleEntry));

    private bool IsCaughtUp => !IsAbsent && Chosen >= _knownCommit && !_installing;

    /// <summary>
    /// On a link that is slower than the wait, every question is repeated before its answer can come, and late questions can make the
    /// sender begin anew: each snapshot that had to be given up doubles the wait for the next.
    /// </summary>
    private void ArmCatchUp()
    {
        _catchingUp = true;
        SetTimer(MultiPaxosTimer.CatchUp, Now + (_options.HeartbeatInterval * (1 << _restarts)));
    }

    /// <summary>
    /// The value of the next slot is known to be chosen. It is kept like an accepted one: its ballot is at least that in which it
    /// was chosen, so reporting it to a later candidate is as safe as any acceptance.
    /// </summary>
    private void LearnChosen(Record.Accepted entry)
    {
        Invariant.Check(entry.Slot == Chosen.Next, "LearnedInOrder");
        var held = _log.EntryAt(entry.Slot);
        if (held is null || held.Ballot < entry.Ballot)
        {
            if (entry.Ballot > _promised)
            {
                RaisePromise(entry.Ballot);
            }

            _log.Set(entry);
            _out.Persist(entry);
        }
        else
        {
            Invariant.Check(held.Value.Span.SequenceEqual(entry.Value.Span), "ChosenValueIsKept", $"{entry.Slot}");
        }

        Chosen = entry.Slot;
    }

    /// <summary>Executes chosen slots in order. The state above may apply them later, and says how far it has come.</summary>
    private void ExecuteChosen()
    {
        if (IsAbsent)
        {
            return;
        }

        while (Executed < Chosen)
        {
            Executed = Executed.Next;
            var entry = _log.EntryAt(Executed);
            Invariant.Check(entry is not null, "ChosenValueIsAtHand", Executed, _log.Floor);
            if (!entry.Value.IsEmpty)
            {
                LastCommand = Executed;
                _out.Execute(Executed, entry.Proposal);
            }
        }

        if (Chosen.Value - _recordedChosen.Value >= ChosenRecordEvery)
        {
            RecordChosen();
            Trim();
        }
    }

    private void RecordChosen()
    {
        _recordedChosen = Chosen;
        _out.Persist(new Record.Chosen(Chosen, _snapshotAt, _checkpointFloor));
    }

    /// <summary>Drops what is applied beyond what is kept for others. Until a checkpoint is durable, also what it will need.</summary>
    private void Trim()
    {
        var limit = _checkpointing && _checkpointAt < _state.Applied ? _checkpointAt : _state.Applied;
        while (_log.Floor < limit && _log.Floor < Chosen
            && (_log.Last.Value - _log.Floor.Value > _options.RetainedSlots || _log.Bytes > _options.RetainedBytes))
        {
            _log.DropThrough(_log.Floor.Next);
        }
    }

    private void On(NodeId from, Message.Fetch m)
    {
        if (!IsSound(m.From) || m.From == Slot.None)
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (m.From <= Floor)
        {
            SendSnapshot(from, m.From, Slot.None, 0);
        }
        else if (m.From <= Chosen)
        {
            var entries = Collect(m.From, Chosen, out _);
            if (!IsUnderWay(from, Ballot.None, m.From, entries))
            {
                // Early is safe: what is chosen stays chosen whatever this node forgets.
                _out.SendEarly(from, new Message.Entries(entries));
            }
        }
        else
        {
            _out.Refuse(Refusal.Unexpected);
        }
    }

    private void On(NodeId from, Message.Entries m)
    {
        if (Role == PaxosRole.Leader || IsAbsent)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        var before = Chosen;
        foreach (var entry in m.Chosen)
        {
            if (!IsSound(entry.Slot) || entry.Ballot.Round <= 0 || !IsSound(entry.Ballot))
            {
                _out.Refuse(Refusal.Malformed);
                return;
            }

            if (entry.Slot == Chosen.Next)
            {
                LearnChosen(entry);
            }
        }

        ExecuteChosen();
        TryLead();
        if (Chosen > before && !IsCaughtUp && !_installing)
        {
            FetchNext(from);
        }
    }

    private void FetchNext(NodeId from)
    {
        _out.SendEarly(from, new Message.Fetch(Chosen.Next));
        ArmCatchUp();
    }

    private void OnCatchUpTimer()
    {
        _catchingUp = false;
        if (IsCaughtUp || Role == PaxosRole.Leader || _others.IsEmpty)
        {
            return;
        }

        if (_installing && ++_stalls < PatientStalls)
        {
            _out.SendEarly(_installFrom, new Message.FetchSnapshot(_installAt, _installNext));
            ArmCatchUp();
        }
        else if (IsAbsent)
        {
            _restarts = Math.Min(_restarts + 1, MostDoublings);
            AskForSnapshot(Source());
        }
        else
        {
            EndInstallation();
            FetchNext(Source());
        }
    }

    private NodeId Source()
    {
        if (Leader != NodeId.None && Leader != _self)
        {
            return Leader;
        }

        var skip = _context.Choose(_others.Count);
        foreach (var node in _others)
        {
            if (skip-- == 0)
            {
                return node;
            }
        }

        return NodeId.None;
    }

    private void AskForSnapshot(NodeId from)
    {
        EndInstallation();
        _out.SendEarly(from, new Message.FetchSnapshot(Slot.None, 0));
        ArmCatchUp();
    }

    private void On(NodeId from, Message.FetchSnapshot m)
    {
        if (!IsSound(m.At) || m.Index < 0)
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        SendSnapshot(from, Slot.None, m.At, m.Index);
    }

    /// <summary>One chunk; the first of a new view if the one asked for is gone.</summary>
    private void SendSnapshot(NodeId to, Slot least, Slot at, int index)
    {
        if (IsAbsent || _state.Applied < least || to == _self)
        {
            _out.Refuse(Refusal.NotReady);
            return;
        }

        if (index > 0 && _served.TryGetValue(to, out var served) && (at < served.At || (at == served.At && index < served.Index)))
        {
            // Asked before the reader had what it was given since. A new view would send it back to the start.
            _out.Refuse(Refusal.Duplicate);
            return;
        }

        var chunk = _state.ReadSnapshot(to, index);
        if (index > 0 && (chunk is null || chunk.At != at))
        {
            chunk = _state.ReadSnapshot(to, 0);
        }

        if (chunk is null)
        {
            _out.Refuse(Refusal.NotReady);
            return;
        }

        // The receiver gives up its own state for this one. So this replica first makes durable that it knows all of it to be
        // chosen, or a crash of both could leave nobody who does.
        if (_recordedChosen < chunk.At)
        {
            RecordChosen();
        }

        _served[to] = (chunk.At, chunk.Index);
        _out.Send(to, new Message.InstallSnapshot(chunk));
    }

    private void On(NodeId from, Message.InstallSnapshot m)
    {
        var chunk = m.Chunk;
        if (!IsSound(chunk.At) || chunk.Index < 0)
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if ((chunk.At <= Executed || chunk.At < Floor) && !Mutated(MultiPaxosMutation.SnapshotRegresses))
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else if (Role == PaxosRole.Leader || (IsCaughtUp && Role == PaxosRole.Follower)
            || !IsNextChunk(from, chunk))
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else if (chunk.Index == 0 && !_state.Takes(chunk))
        {
            _out.Refuse(Refusal.NotReady);
        }
        else
        {
            Install(from, chunk);
        }
    }

    /// <summary>The next chunk of the snapshot that is being installed, or the first of a later view where that one is gone.</summary>
    private bool IsNextChunk(NodeId from, SnapshotChunk chunk) => chunk.Index == 0
        ? !_installing || (from == _installFrom && chunk.At > _installAt)
        : _installing && from == _installFrom && chunk.At == _installAt && chunk.Index == _installNext;

    private void Install(NodeId from, SnapshotChunk chunk)
    {
        _state.InstallSnapshot(chunk);
        if (!chunk.IsLast)
        {
            _installing = true;
            _stalls = 0;
            (_installFrom, _installAt, _installNext) = (from, chunk.At, chunk.Index + 1);
            _out.SendEarly(from, new Message.FetchSnapshot(chunk.At, chunk.Index + 1));
            ArmCatchUp();
            return;
        }

        Invariant.Check(_state.Applied == chunk.At, "SnapshotInstalled", $"{_state.Applied} instead of {chunk.At}");
        EndInstallation();
        _restarts = 0;
        Executed = chunk.At;
        LastCommand = chunk.At;
        Chosen = Slot.Max(Chosen, chunk.At);

        // Accepted values above it and the promise stay. Those below may be outdated, and are all that is left of them if the
        // snapshot is lost in a crash before it is flushed: records keep them until a checkpoint that began later.
        _snapshotAt = chunk.At;
        if (!_checkpointing)
        {
            _log.DropThrough(_snapshotAt);
        }

        RecordChosen();
        ExecuteChosen();
        TryLead();
        if (!IsCaughtUp)
        {
            FetchNext(from);
        }
    }

    private void EndInstallation()
    {
        _installing = false;
        _installFrom = NodeId.None;
        _installAt = Slot.None;
        _installNext = 0;
        _stalls = 0;
    }
}
