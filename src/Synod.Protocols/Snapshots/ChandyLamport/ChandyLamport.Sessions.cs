using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>The session layer: channels that deliver everything once, in order where the rules need it.</summary>
public sealed partial class ChandyLamport
{
    /// <summary>Opens what the topology has; what it no longer has stays, so that what is under way there arrives.</summary>
    private void OpenChannels()
    {
        foreach (var to in _topology.From(_self))
        {
            _outgoing.TryAdd(to, new Outgoing());
        }

        foreach (var from in _topology.To(_self))
        {
            _incoming.TryAdd(from, new Incoming());
        }
    }

    /// <summary>The application sends. What it sends is part of its own durable input, and goes out with <see cref="Tell"/>.</summary>
    private bool Post(NodeId to, ReadOnlyMemory<byte> body)
    {
        if (!_topology.From(_self).Contains(to))
        {
            return false;
        }

        var channel = _outgoing[to];
        channel.Messages++;
        channel.Post(new Parcel.Payload(channel.Messages, UsesColours ? [.. _recordings.Keys] : [], body));
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

        var strange = Ids(data.Parcel).Where(id => !IsOver(id) && id.Epoch != _topology.Epoch).ToList();
        Take(new Record.Received(from, data.Sequence, data.Parcel), outbox);
        Send(from, new Message.Ack(_incarnation, channel.Through, data.Sequence), ChandyLamportMutation.AckBeforeDurable, outbox);
        foreach (var id in strange)
        {
            outbox.Send(id.Initiator, new Message.Decline(_incarnation, id, SnapshotEnd.Reconfigured));
        }

        DeclineTooLarge(outbox);
    }

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
