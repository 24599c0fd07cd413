using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>The session layer: channels that deliver everything once, in order where the rules need it.</summary>
public sealed partial class ChandyLamport
{
    /// <summary>
    /// A session with each other member. Those that are no channel of the topology carry nothing of the application, but what is under way
    /// from an earlier one arrives.
    /// </summary>
    /// <param name="begun">Channels that are new here are known to hold nothing from before this epoch.</param>
    private void OpenChannels(long begun)
    {
        FindNeighbours();
        foreach (var member in Others)
        {
            _outgoing.TryAdd(member, new Outgoing());
            _incoming.TryAdd(member, new Incoming { Entered = begun });
        }
    }

    /// <summary>The other members; nobody for who is none.</summary>
    private NodeSet Others => _topology.Members.Contains(_self) ? _topology.Members.Without(_self) : NodeSet.Empty;

    private void FindNeighbours() => (_receivers, _senders) = (_topology.From(_self), _topology.To(_self));

    /// <summary>The application sends. What it sends is part of its own durable input, and goes out with <see cref="Tell"/>.</summary>
    private bool Post(NodeId to, ReadOnlyMemory<byte> body)
    {
        if (!_receivers.Contains(to))
        {
            return false;
        }

        var channel = _outgoing[to];
        channel.Messages++;
        channel.Post(new Parcel.Payload(channel.Messages, _topology.Epoch, UsesColours ? [.. _recordings.Keys] : [], body));
        return true;
    }

    private void On(NodeId from, Message.Data data, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_incoming.TryGetValue(from, out var channel))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        if (channel.Has(data.Sequence) && _options.Mutation != ChandyLamportMutation.DuplicatesDelivered)
        {
            outbox.Refuse(Refusal.Duplicate);
            outbox.Send(from, new Message.Ack(_incarnation, channel.Through, data.Sequence));
            return;
        }

        // Where order matters, what is ahead is left to be sent again.
        if (data.Sequence > channel.Through + (_options.Order == ChannelOrder.Fifo ? 1 : _options.Window))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (data.Parcel is not Parcel.Entered && data.Parcel.Epoch == _topology.Epoch && !_senders.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        if (Ids(data.Parcel).Any(IsOfStranger))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        if (!IsReceivable(data.Parcel))
        {
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        var strange = Ids(data.Parcel).Where(id => !IsOver(id) && id.Epoch != _topology.Epoch).ToList();
        Take(new Record.Received(from, data.Sequence, data.Parcel), outbox);
        Send(from, new Message.Ack(_incarnation, channel.Through, data.Sequence), ChandyLamportMutation.AckBeforeDurable, outbox);
        foreach (var id in strange)
        {
            outbox.Send(id.Initiator, new Message.Decline(_incarnation, id, SnapshotEnd.Reconfigured));
        }

        DeclineTooLarge(outbox);
    }

    /// <summary>Nobody would collect the pieces of such a snapshot, or say that it has ended.</summary>
    private bool IsOfStranger(SnapshotId id) => id.Epoch == _topology.Epoch && !_topology.Members.Contains(id.Initiator);

    /// <summary>
    /// What was sent in a later epoch waits until this process is in it, and what would make it record until it may: it is sent again.
    /// </summary>
    private bool IsReceivable(Parcel parcel) =>
        (parcel is Parcel.Entered || parcel.Epoch <= _topology.Epoch || _options.Mutation == ChandyLamportMutation.LaterEpochReceived)
        && (!Ids(parcel).Any(MayJoin) || IsSettled);

    /// <summary>
    /// Whether everything that was sent here in an earlier epoch, through a channel that this one lacks, was received. Before that a cut
    /// would miss it: its sender, who takes part in this epoch, has sent it, and no channel of the cut holds it.
    /// </summary>
    private bool IsSettled => Unsettled == NodeId.None || _options.Mutation == ChandyLamportMutation.RecordsUnsettled;

    private NodeId Unsettled => Others.Except(_senders).FirstOrDefault(member => !_incoming[member].HasEnded(_topology.Epoch));

    private void On(NodeId from, Message.Ack ack, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_outgoing.TryGetValue(from, out var channel))
        {
            outbox.Refuse(Refusal.NotMember);
        }
        else if (ack.Through > channel.Last || ack.Sequence > channel.Last)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else
        {
            channel.Acknowledge(ack.Through, ack.Sequence);
        }
    }

    /// <summary>Delivers, as a live step or as one run again.</summary>
    private void Apply(Record.Received received)
    {
        var channel = _incoming[received.From];
        channel.Take(received.Sequence);
        switch (received.Parcel)
        {
            case Parcel.Marker marker:
                Deliver(received.From, marker);
                break;
            case Parcel.Payload payload:
                Deliver(received.From, channel, payload);
                break;
            case Parcel.Entered entered when entered.Epoch > channel.Entered:
                (channel.Entered, channel.EnteredAt) = (entered.Epoch, received.Sequence);
                break;
        }
    }

    private static IEnumerable<SnapshotId> Ids(Parcel parcel) => parcel switch
    {
        Parcel.Marker marker => [marker.Id],
        Parcel.Payload payload => payload.Colours,
        _ => [],
    };

    /// <summary>
    /// Sends what is new: parcels, at most a window of them, and pieces that are complete. The inputs that they follow from are on the
    /// disk by then, so that a restart sends the same again.
    /// </summary>
    private void Tell(Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var (to, channel) in _outgoing)
        {
            if (channel.Unacknowledged.Count == 0)
            {
                channel.Told = channel.Last;
                continue;
            }

            var first = channel.Unacknowledged.Keys.First();
            var last = Math.Min(channel.Last, first + _options.Window - 1);
            for (var sequence = Math.Max(channel.Told + 1, first); sequence <= last; sequence++)
            {
                if (channel.Unacknowledged.TryGetValue(sequence, out var parcel))
                {
                    Send(to, new Message.Data(_incarnation, sequence, parcel), ChandyLamportMutation.SendBeforeDurable, outbox);
                }
            }

            channel.Told = Math.Max(channel.Told, last);
        }

        foreach (var (id, recording) in _recordings.Where(item => !item.Value.Handed && IsComplete(item.Value)).ToList())
        {
            recording.Handed = true;
            Hand(id, recording, outbox);
        }
    }

    private void Send(NodeId to, Message message, ChandyLamportMutation early, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_options.Mutation == early)
        {
            outbox.SendEarly(to, message);
        }
        else
        {
            outbox.Send(to, message);
        }
    }

    /// <summary>Says again whatever is not known to have arrived.</summary>
    private void Resend(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var channel in _outgoing.Values.Where(channel => channel.Unacknowledged.Count > 0))
        {
            channel.Told = channel.Unacknowledged.Keys.First() - 1;
        }

        foreach (var (id, recording) in _recordings.Where(item => item.Key.Initiator != _self))
        {
            recording.Handed = false;
            if (!IsComplete(recording))
            {
                outbox.Send(id.Initiator, new Message.Inquire(_incarnation, id));
            }
        }

        SendLoads(outbox);
        outbox.SetTimer(new TimerId((int)Timer.Resend), context.Now + _options.Resend);
    }
}
