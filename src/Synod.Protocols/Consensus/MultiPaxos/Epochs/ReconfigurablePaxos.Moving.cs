using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>How those who did not agree on the end themselves hear of it, and how new members come by the state.</summary>
public sealed partial class ReconfigurablePaxos
{
    /// <summary>Everybody who knows of the epoch tells the members that have not begun it, until they have.</summary>
    private void Announce()
    {
        var missing = _configuration!.Quorums.Members.Except(_started).Without(_self);
        foreach (var member in missing)
        {
            _out.Send(member, new Message.Ended(_configuration));
        }

        if (!missing.IsEmpty)
        {
            _out.SetTimer(new TimerId((int)Timer.Announce), _context.Now + _options.ElectionTimeout);
        }
    }

    private void On(NodeId from, Message.Ended m)
    {
        if (!m.Next.IsSound && _mutation != EpochMutation.UnsafeQuorumsAdopted)
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (m.Next.Epoch < Epoch)
        {
            _out.Refuse(Refusal.Duplicate);
            _out.Send(from, new Message.Ended(_configuration!));
        }
        else if (m.Next.Epoch > Epoch)
        {
            Move(from, m.Next);
        }
        else if (_isLoading && _source == NodeId.None)
        {
            _source = from;
        }

        if (m.Next.Epoch == Epoch && _replica is not null)
        {
            _out.Send(from, new Message.Started(Epoch));
        }
    }

    private void On(NodeId from, Message.Started m)
    {
        if (_configuration is not { } own || m.Epoch != own.Epoch || !own.Quorums.Members.Contains(from))
        {
            _out.Refuse(m.Epoch < Epoch ? Refusal.StaleBallot : Refusal.Unexpected);
            return;
        }

        _started = _started.With(from);
    }

    /// <summary>Others agreed on the end of the epoch that this node is in, or on ends beyond it.</summary>
    private void Move(NodeId from, Configuration next)
    {
        Close(next.Base);
        _out.Persist(new Record.Adopted(next));
        (_configuration, _started) = (next, NodeSet.Empty);
        if (!IsMember || _state.Applied >= next.Base)
        {
            Open(next);
        }
        else
        {
            Load(from);
        }
    }

    /// <summary>
    /// A member takes part only with a state at or above the epoch's base (paxos.md §7): otherwise the old members might retire before
    /// anybody holds it.
    /// </summary>
    private void Load(NodeId from)
    {
        if (_mutation == EpochMutation.VotesWithoutState)
        {
            Open(_configuration!);
            return;
        }

        (_isLoading, _source, _loadAt, _loadNext, _loadStalls) = (true, from, Slot.None, 0, 0);
        AskForState();
    }

    /// <summary>No chunk came. Whoever was asked may be gone, or lack the state as well: every member that takes part has it.</summary>
    private void RetryLoad()
    {
        var others = _configuration!.Quorums.Members.Without(_self);
        if (++_loadStalls >= PatientStalls && !others.IsEmpty)
        {
            _loadStalls = 0;
            _source = others.ElementAt(_context.Choose(others.Count));
        }

        AskForState();
    }

    private void AskForState()
    {
        if (_source != NodeId.None)
        {
            // Early is safe: a question.
            _out.SendEarly(_source, new Message.FetchState(Epoch, _loadAt, _loadNext));
        }

        _out.SetTimer(new TimerId((int)Timer.Load), _context.Now + _options.ElectionTimeout);
    }

    private void On(NodeId from, Message.FetchState m)
    {
        if (m.Index < 0 || from == _self)
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (_configuration is null || m.Epoch > Epoch || _isLoading || _state.Applied < _configuration.Base)
        {
            _out.Refuse(Refusal.NotReady);
            return;
        }

        var chunk = _state.ReadSnapshot(from, m.Index);
        if (m.Index > 0 && (chunk is null || chunk.At != m.At))
        {
            chunk = _state.ReadSnapshot(from, 0);
        }

        if (chunk is null)
        {
            _out.Refuse(Refusal.NotReady);
            return;
        }

        // The receiver gives up its own state for this one: what this node knows to be chosen must outlive a crash of both.
        if (chunk.Index == 0)
        {
            Run(replica => replica.Attest(_context, _inner));
        }

        _out.Send(from, new Message.State(m.Epoch, chunk));
    }

    private void On(NodeId from, Message.State m)
    {
        if (!_isLoading || m.Epoch != Epoch || from != _source
            || (m.Chunk.Index > 0 && (m.Chunk.Index != _loadNext || m.Chunk.At != _loadAt)))
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (m.Chunk.Index < 0 || m.Chunk.At < _configuration!.Base)
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        _state.InstallSnapshot(m.Chunk);
        (_loadAt, _loadNext, _loadStalls) = (m.Chunk.At, m.Chunk.Index + 1, 0);
        if (!m.Chunk.IsLast)
        {
            AskForState();
            return;
        }

        // The state may be of a later epoch than was told.
        var configuration = _state.Configuration!;
        if (configuration.Epoch > Epoch)
        {
            _out.Persist(new Record.Adopted(configuration));
        }

        Open(configuration.Epoch > Epoch ? configuration : _configuration);
        if (_replica is not null)
        {
            _out.Send(from, new Message.Started(Epoch));
        }
    }
}
