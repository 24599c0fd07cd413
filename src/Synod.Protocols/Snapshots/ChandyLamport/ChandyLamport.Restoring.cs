using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>
/// Puts the whole system back to a cut. One process alone is never put back: it would forget what it told the others. So a restore is a
/// new incarnation of all, ordered by number and by who restores; the highest wins everywhere, and what belongs to another is refused.
/// </summary>
public sealed partial class ChandyLamport
{
    private void Restore(RequestId request, Cut cut, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!cut.Topology.IsSound || !cut.Topology.Members.Contains(_self) || cut.Topology.Members != _topology.Members || cut.Inconsistency() is not null
            || !cut.Pieces.Select(piece => piece.Process).SequenceEqual(cut.Topology.Members))
        {
            outbox.AnswerEarly(request, new Result.Malformed());
            return;
        }

        if (_restoring is not null)
        {
            outbox.AnswerEarly(request, new Result.Overtaken());
            return;
        }

        // If it takes it on, it is in that state already: nothing below refuses.
        if (!_application.TryLoad(cut[_self]!.State))
        {
            outbox.AnswerEarly(request, new Result.Malformed());
            return;
        }

        var incarnation = new Incarnation(_incarnation.Number + 1, _self);
        Take(new Record.Restoring(incarnation, cut), outbox);
        _restoreRequest = request.Value;
        Begin(incarnation, cut.Topology, cut[_self]!, outbox);
        SendLoads(outbox);
        FinishRestore(outbox);
    }

    private void SendLoads(Outbox<Message, Record, Command, Result> outbox)
    {
        if (_restoring is { } restoring)
        {
            foreach (var member in _loading)
            {
                outbox.Send(member, new Message.Load(restoring.Incarnation, restoring.Cut.Topology, restoring.Cut[member]!));
            }
        }
    }

    private void On(NodeId from, Message.Load load, Outbox<Message, Record, Command, Result> outbox)
    {
        if (load.Incarnation < _incarnation)
        {
            outbox.Refuse(Refusal.StaleBallot);
        }
        else if (load.Incarnation > _incarnation && !_topology.Members.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
        }
        else if (load.Incarnation > _incarnation && load.Topology.Members != _topology.Members)
        {
            // Members change, and not everybody has it yet. Whoever restores says it again.
            outbox.Refuse(Refusal.NotReady);
        }
        else if (from != load.Incarnation.By || load.Piece.Process != _self || !load.Topology.IsSound || !Fits(load))
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else
        {
            if (load.Incarnation > _incarnation)
            {
                Begin(load.Incarnation, load.Topology, load.Piece, outbox);
            }

            outbox.Send(from, new Message.Loaded(_incarnation));
        }
    }

    /// <summary>Whether the application knows the state, which it then is in already, and the channels are those of the topology.</summary>
    private bool Fits(Message.Load load) =>
        load.Piece.Incoming.Select(channel => channel.From).SequenceEqual(load.Topology.To(_self))
        && (load.Incarnation == _incarnation || _application.TryLoad(load.Piece.State));

    private void Begin(Incarnation incarnation, Topology topology, Piece piece, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var led in _led.Values)
        {
            outbox.CancelTimer(new TimerId((int)Timer.Limit, led.Id.Number));
            if (led.Request != 0)
            {
                outbox.Answer(new RequestId(led.Request), new Result.Failed(led.Id, SnapshotEnd.Restored));
            }
        }

        if (_restoreRequest != 0 && _restoring?.Incarnation != incarnation)
        {
            outbox.Answer(new RequestId(_restoreRequest), new Result.Overtaken());
            _restoreRequest = 0;
        }

        Take(new Record.Restored(incarnation, topology, piece), outbox);
    }

    /// <summary>
    /// All channels begin anew, and what the cut found in them is received first, in their order: it was sent and must not be lost
    /// (snapshots.md §4). What comes of it is sent in the new incarnation.
    /// </summary>
    private void Apply(Record.Restored restored)
    {
        _incarnation = restored.Incarnation;
        _topology = restored.Topology;
        if (_restoring?.Incarnation != restored.Incarnation)
        {
            (_restoring, _loading) = (null, NodeSet.Empty);
        }

        _outgoing.Clear();
        _incoming.Clear();
        _recordings.Clear();
        _ended.Clear();
        _led.Clear();
        OpenChannels(_topology.Epoch);
        Invariant.Check(_application.TryLoad(restored.Piece.State), StatesLoad);
        foreach (var channel in restored.Piece.Incoming)
        {
            foreach (var message in channel.Contents)
            {
                if (_options.Mutation != ChandyLamportMutation.RestoreWithoutChannels)
                {
                    _application.Receive(channel.From, message.Body, Post);
                }
            }
        }
    }

    private void Loaded(NodeId from, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_loading.Contains(from))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        _loading = _loading.Without(from);
        FinishRestore(outbox);
    }

    /// <summary>Needs no record: after a restart everybody is asked once more, and says the same.</summary>
    private void FinishRestore(Outbox<Message, Record, Command, Result> outbox)
    {
        if (_restoring is not { } restoring || !_loading.IsEmpty)
        {
            return;
        }

        _restoring = null;
        if (_restoreRequest != 0)
        {
            outbox.Answer(new RequestId(_restoreRequest), new Result.Restored(restoring.Incarnation));
            _restoreRequest = 0;
        }
    }
}
