using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Making up for lost messages: whoever has something open says where it is, and the others send what it lacks. So nothing is kept
/// for views and slots to come, and a replica that a faulty primary leaves in the dark executes all the same (pbft.md §3.6, §5).
/// </summary>
public sealed partial class Pbft
{
    /// <summary>Slots that one status is answered with at most.</summary>
    private const int MaxHelp = 16;

    private bool _isStatusSet;

    /// <summary>Something was said that only a replica further on can use: ask once whether there is more.</summary>
    private bool _suspectsLag;

    /// <summary>Whose status was answered since this replica's own timer fired last: nobody is sent state faster than it can ask for.</summary>
    private NodeSet _answered;

    private bool IsOpen =>
        !_isActive || _queue.Count > 0 || _fetch is not null || _ahead is not null || _suspectsLag
        || _saved.Keys.Any(slot => slot > Stable)
        || _entries.Any(pair => pair.Key > _executed && (pair.Value.IsOpen || pair.Value.IsDecided));

    private void SuspectLag()
    {
        _suspectsLag = true;
        ArmStatus();
    }

    private void ArmStatus()
    {
        if (!_isStatusSet && (IsOpen || !_answered.IsEmpty))
        {
            _isStatusSet = true;
            SetTimer(Timer.Status, Now + _options.StatusInterval);
        }
    }

    private void OnStatusTimer()
    {
        (_isStatusSet, _answered) = (false, NodeSet.Empty);
        if (!IsOpen)
        {
            return;
        }

        _suspectsLag = false;
        if (_ahead is not null && _executed < _ahead.Slot)
        {
            Stabilise(_ahead);
            Propose();
        }
        else if (_fetch is not null)
        {
            Ask();
        }

        foreach (var digest in Missing().Distinct())
        {
            _out.Send(_others, new Message.FetchBatch(digest));
        }

        if (!_isActive)
        {
            _out.Send(_others, _viewChanges[_self]);
        }

        _out.Send(_others, new Message.Status(_view, _isActive, Stable, _executed));
        ArmStatus();
    }

    private void On(NodeId from, Message.Status m)
    {
        if (m.View > _view || m.Executed > _executed)
        {
            SuspectLag();
        }

        if (_answered.Contains(from))
        {
            _out.Refuse(Refusal.Duplicate);
            return;
        }

        var sent = _out.Messages.Length;
        Answer(from, m);
        if (_out.Messages.Length > sent)
        {
            _answered = _answered.With(from);
            ArmStatus();
        }
    }

    private void Answer(NodeId from, Message.Status m)
    {
        if (_newView is not null && (m.View < _view || (m.View == _view && !m.IsActive)))
        {
            _out.Send(from, _newView);
        }

        if (m.Stable < Stable)
        {
            _out.Send(from, new Message.StableCheckpoint(_stable));
        }

        foreach (var (slot, tree) in _saved)
        {
            if (slot > Stable && slot > m.Stable)
            {
                _out.Send(from, new Message.Checkpoint(slot, tree.Root, _signer.Sign(_statements.Checkpoint(slot, tree.Root))));
            }
        }

        var helped = 0;
        foreach (var (slot, entry) in _entries)
        {
            if (slot > m.Executed && helped < MaxHelp)
            {
                helped++;
                Help(from, slot, entry, isInView: _isActive && m.IsActive && m.View == _view);
            }
        }
    }

    /// <summary>Says again what this replica said about a slot, or that it is decided.</summary>
    private void Help(NodeId to, Slot slot, SlotEntry entry, bool isInView)
    {
        if (entry.IsDecided && slot <= _executed && BatchOf(entry.Decision) is { } decided)
        {
            _out.Send(to, new Message.Decided(slot, decided));
            return;
        }

        if (!isInView || entry.Proposal is not { } proposal)
        {
            return;
        }

        if (Primary != _self)
        {
            _out.Send(to, new Message.Prepare(_view, slot, proposal.Digest, Authenticate(Phase.Prepare, _view, slot, proposal.Digest)));
        }
        else if (BatchOf(proposal.Digest) is { Requests.IsEmpty: false } batch)
        {
            _out.Send(to, new Message.PrePrepare(_view, slot, proposal.Digest, batch, proposal.Authenticator));
        }

        if (entry.IsPrepared)
        {
            _out.Send(to, new Message.Commit(_view, slot, proposal.Digest, Authenticate(Phase.Commit, _view, slot, proposal.Digest)));
        }
    }

    /// <summary>
    /// A replica says that a batch was committed there. When f+1 say so, one of them is correct, which is as good as 2f+1 commits and
    /// needs no signatures that can be shown around.
    /// </summary>
    private void On(NodeId from, Message.Decided m)
    {
        if (!IsInWindow(m.Slot) || m.Slot <= _executed)
        {
            _out.Refuse(m.Slot <= _executed ? Refusal.Duplicate : Refusal.Unexpected);
            return;
        }

        if (!m.Batch.Requests.IsEmpty && !IsWellFormed(m.Batch))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        var entry = EntryOf(m.Slot);
        if (entry.IsDecided)
        {
            if (entry.Decision == m.Batch.Digest && BatchOf(entry.Decision) is null)
            {
                Know(m.Batch);
                ExecuteReady();
            }
            else
            {
                _out.Refuse(Refusal.Duplicate);
            }

            return;
        }

        if (!entry.Claims.TryAdd(from, m.Batch.Digest))
        {
            _out.Refuse(entry.Claims[from] == m.Batch.Digest ? Refusal.Duplicate : Refusal.Equivocation);
            return;
        }

        if (BatchOf(m.Batch.Digest) is null)
        {
            Know(m.Batch);
        }

        if (entry.Claims.Values.Count(digest => digest == m.Batch.Digest) >= _group.Weak)
        {
            Decide(m.Slot, m.Batch.Digest);
        }

        ArmStatus();
    }
}
