using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>The initiator: begins, collects the pieces, ends.</summary>
public sealed partial class ChandyLamport
{
    private void Begin(RequestId request, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_topology.Members.Contains(_self))
        {
            outbox.AnswerEarly(request, new Result.Malformed());
            return;
        }

        if (!IsSettled)
        {
            outbox.AnswerEarly(request, new Result.NotEntered(Unsettled));
            return;
        }

        var number = _counter + 1;
        Invariant.Check(!_led.ContainsKey(number), NumbersAreNew, $"{number}");
        Take(new Record.Begun(number), outbox);
        _led[number].Request = request.Value;
        outbox.SetTimer(new TimerId((int)Timer.Limit, number), context.Now + _options.Limit);
    }

    private void Apply(Record.Begun begun)
    {
        _counter = begun.Number;
        var id = new SnapshotId(_self, begun.Number, _topology.Epoch);
        _led.Add(begun.Number, new Led { Id = id });
        Start(id, NodeId.None);
    }

    private void On(NodeId from, Message.Hand hand, Outbox<Message, Record, Command, Result> outbox)
    {
        var piece = hand.Piece;
        if (piece.Id.Initiator != _self || piece.Process != from || !_topology.Members.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
        }
        else if (!_led.TryGetValue(piece.Id.Number, out var led) || led.Id != piece.Id)
        {
            outbox.Refuse(Refusal.Unexpected);
            outbox.Send(from, new Message.Ended(_incarnation, piece.Id, Floor));
        }
        else if (led.Pieces.ContainsKey(from))
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else if (!CoversItsChannels(piece))
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else
        {
            Collect(piece, outbox);
        }
    }

    /// <summary>Everything below it has ended.</summary>
    private long Floor => _led.Count == 0 ? _counter + 1 : _led.Keys.First();

    private bool CoversItsChannels(Piece piece) => _options.Mutation == ChandyLamportMutation.EpochIgnored || piece.Covers(_topology);

    private void Collect(Piece piece, Outbox<Message, Record, Command, Result> outbox)
    {
        Take(new Record.Collected(piece), outbox);
        if (_topology.Members.IsSubsetOf(NodeSet.Of([.. _led[piece.Id.Number].Pieces.Keys])))
        {
            Close(piece.Id.Number, SnapshotEnd.Complete, outbox);
        }
    }

    /// <summary>
    /// Ends a snapshot for everybody. The record of a complete one makes the pieces before it a checkpoint; without it they are nothing
    /// (snapshots.md §4), and the answer waits for it.
    /// </summary>
    private void Close(long number, SnapshotEnd end, Outbox<Message, Record, Command, Result> outbox)
    {
        var led = _led[number];
        Take(new Record.Closed(number, end), outbox);
        outbox.CancelTimer(new TimerId((int)Timer.Limit, number));
        foreach (var member in _topology.Members.Without(_self))
        {
            outbox.Send(member, new Message.Ended(_incarnation, led.Id, Floor));
        }

        if (led.Request != 0)
        {
            Answer(new RequestId(led.Request), end == SnapshotEnd.Complete ? new Result.Taken(ToCut(led)) : new Result.Failed(led.Id, end), outbox);
        }
    }

    private void Answer(RequestId request, Result result, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_options.Mutation == ChandyLamportMutation.CompleteBeforeDurable)
        {
            outbox.AnswerEarly(request, result);
        }
        else
        {
            outbox.Answer(request, result);
        }
    }

    /// <summary>Of several that were open at once an earlier one may be the last to complete; the checkpoint never goes back to it.</summary>
    private void Apply(Record.Closed closed)
    {
        _led.Remove(closed.Number, out var led);
        _recordings.Remove(led!.Id);
        if (closed.End == SnapshotEnd.Complete && closed.Number > (_latest?.Id.Number ?? 0))
        {
            _latest = ToCut(led);
        }
    }

    private Cut ToCut(Led led) => new(led.Id, _incarnation, _topology, [.. led.Pieces.Values]);

    private void On(NodeId from, Message.Inquire inquire, Outbox<Message, Record, Command, Result> outbox)
    {
        if (inquire.Id.Initiator != _self)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (!_led.TryGetValue(inquire.Id.Number, out var led) || led.Id != inquire.Id)
        {
            outbox.Send(from, new Message.Ended(_incarnation, inquire.Id, Floor));
        }
    }

    private void On(NodeId from, Message.Decline decline, Outbox<Message, Record, Command, Result> outbox)
    {
        if (decline.Reason == SnapshotEnd.Complete || !_topology.Members.Contains(from))
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (decline.Id.Initiator != _self || !_led.TryGetValue(decline.Id.Number, out var led) || led.Id != decline.Id)
        {
            outbox.Refuse(Refusal.Unexpected);
        }
        else
        {
            Close(decline.Id.Number, decline.Reason, outbox);
        }
    }

    /// <summary>
    /// Members and channels are fixed for a snapshot (snapshots.md §3): those that are open here end. A member goes only when everything
    /// that it sent, or that was sent to it, has arrived, and whom it restores has loaded.
    /// </summary>
    private void Reconfigure(RequestId request, Command.Reconfigure command, Outbox<Message, Record, Command, Result> outbox)
    {
        var topology = command.Topology;
        if (!topology.IsSound || topology.Epoch <= _topology.Epoch
            || (command.Incarnation > _incarnation && _topology.Members.Contains(_self)))
        {
            outbox.AnswerEarly(request, new Result.Malformed());
            return;
        }

        foreach (var (to, channel) in _outgoing.Where(item => EndsWith(item.Key, topology)))
        {
            if (channel.Unacknowledged.Count > 0)
            {
                outbox.AnswerEarly(request, new Result.NotDrained(to));
                return;
            }
        }

        if (!topology.Members.Contains(_self) && !_loading.IsEmpty)
        {
            outbox.AnswerEarly(request, new Result.NotDrained(_loading.First()));
            return;
        }

        if (_options.Mutation != ChandyLamportMutation.EpochIgnored)
        {
            foreach (var id in _recordings.Keys.ToList())
            {
                Decline(id, SnapshotEnd.Reconfigured, outbox);
            }
        }

        Take(new Record.Reconfigured(topology, command.Incarnation), outbox);
        FinishRestore(outbox);
        outbox.Answer(request, new Result.Reconfigured());
    }

    /// <summary>Whether the session with this node has to be drained before <paramref name="topology"/>, in which one of the two is no member.</summary>
    private bool EndsWith(NodeId other, Topology topology) => !topology.Members.Contains(other) || !topology.Members.Contains(_self);
}
