using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>The process: when it records, what of which channel, and until when.</summary>
public sealed partial class ChandyLamport
{
    /// <summary>
    /// In one step, as nothing may come between (snapshots.md §3): the local state is recorded, recording begins on every incoming
    /// channel, and a marker goes on every outgoing one before any further message.
    /// </summary>
    private void Start(SnapshotId id, NodeId trigger)
    {
        var recording = new Recording { LocalState = _application.Save(), Trigger = trigger };
        foreach (var from in _senders)
        {
            recording.Channels.Add(from, new Recorded { Received = _incoming[from].Messages, Highest = _incoming[from].Highest });
        }

        _recordings.Add(id, recording);
        foreach (var to in _receivers)
        {
            recording.Sent.Add(to, _outgoing[to].Messages);
        }

        var marked = _options.Mutation == ChandyLamportMutation.MarkersOnIncoming ? _senders.Intersect(_receivers) : _receivers;
        foreach (var to in marked)
        {
            _outgoing[to].Post(new Parcel.Marker(id, _outgoing[to].Messages));
        }
    }

    /// <summary>Whether the snapshot has ended as far as this node knows, so that a marker of it is a late one.</summary>
    private bool IsOver(SnapshotId id) => id.Initiator == _self
        ? !_led.ContainsKey(id.Number)
        : id.Number < _floors.GetValueOrDefault(id.Initiator)
            || (_ended.ContainsKey(id) && _options.Mutation != ChandyLamportMutation.NoTombstone);

    private bool MayJoin(SnapshotId id) => !IsOver(id) && !_recordings.ContainsKey(id)
        && (id.Epoch == _topology.Epoch || _options.Mutation == ChandyLamportMutation.EpochIgnored);

    private void Deliver(NodeId from, Parcel.Marker marker)
    {
        if (MayJoin(marker.Id))
        {
            Start(marker.Id, from);
        }

        foreach (var (id, recording) in _recordings)
        {
            if (recording.Channels.TryGetValue(from, out var channel)
                && (id == marker.Id || _options.Mutation == ChandyLamportMutation.SnapshotsConfused))
            {
                channel.Expected = marker.Number;
                CloseIfComplete(recording, channel);
            }
        }
    }

    /// <summary>
    /// Where the order is kept, the marker itself says that everything before it is there; the channel of the first one is empty, as
    /// nothing came between. Otherwise the channel is complete with as many messages as went before the sender's cut.
    /// </summary>
    private void CloseIfComplete(Recording recording, Recorded channel)
    {
        if (UsesColours && _options.Mutation != ChandyLamportMutation.CountIgnored)
        {
            channel.IsClosed = channel.Received + channel.Contents.Count >= channel.Expected;
        }
        else
        {
            channel.IsClosed = true;
            if (_options.Mutation == ChandyLamportMutation.RecordStopsEarly && recording.Trigger != NodeId.None)
            {
                foreach (var other in recording.Channels.Values)
                {
                    other.IsClosed = true;
                }
            }
        }

        if (_options.Mutation == ChandyLamportMutation.OwnChannelRecorded && recording.Channels.TryGetValue(recording.Trigger, out var own))
        {
            own.IsClosed = false;
        }
    }

    /// <summary>A message belongs to the channel if it was sent before its sender's cut and received after mine (§3.2).</summary>
    private void Deliver(NodeId from, Incoming channel, Parcel.Payload payload)
    {
        // A process that has not recorded does so before it receives what was sent after a cut: the cut must not hold its receipt.
        if (_options.Mutation != ChandyLamportMutation.RecordAfterColoured)
        {
            JoinColours(from, payload);
        }

        channel.Messages++;
        channel.Highest = Math.Max(channel.Highest, payload.Number);
        foreach (var (id, recording) in _recordings)
        {
            if (recording.Channels.TryGetValue(from, out var recorded) && IsRecording(recording, recorded) && !payload.Colours.Contains(id)
                && _options.Mutation != ChandyLamportMutation.ChannelsIgnored)
            {
                recorded.Contents.Add(new InChannel(payload.Number, payload.Body));
                recording.Bytes += payload.Body.Length;
                if (recorded.Expected >= 0 && !recorded.IsClosed)
                {
                    CloseIfComplete(recording, recorded);
                }
            }
        }

        _application.Receive(from, payload.Body, Post);
        if (_options.Mutation == ChandyLamportMutation.RecordAfterColoured)
        {
            JoinColours(from, payload);
        }
    }

    private void JoinColours(NodeId from, Parcel.Payload payload)
    {
        foreach (var id in payload.Colours.Where(MayJoin))
        {
            Start(id, from);
        }
    }

    private bool IsRecording(Recording recording, Recorded channel) => !channel.IsClosed
        || (_options.Mutation == ChandyLamportMutation.RecordStopsLate && !recording.IsComplete);

    private bool IsComplete(Recording recording) => _options.Mutation == ChandyLamportMutation.OwnChannelRecorded
        ? recording.Channels.All(item => item.Value.IsClosed || item.Key == recording.Trigger)
        : recording.IsComplete;

    private void Hand(SnapshotId id, Recording recording, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_options.Mutation == ChandyLamportMutation.StateSavedLate)
        {
            recording.LocalState = _application.Save();
        }

        var piece = recording.ToPiece(id, _self);
        if (id.Initiator == _self)
        {
            Collect(piece, outbox);
        }
        else
        {
            Send(id.Initiator, new Message.Hand(_incarnation, piece), ChandyLamportMutation.PieceBeforeDurable, outbox);
        }
    }

    /// <summary>A slow channel must not fill the memory: whoever records more than the limit gives the snapshot up.</summary>
    private void DeclineTooLarge(Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var id in _recordings.Where(item => IsTooLarge(item.Value)).Select(item => item.Key).ToList())
        {
            Decline(id, SnapshotEnd.TooLarge, outbox);
        }
    }

    private bool IsTooLarge(Recording recording) =>
        recording.Bytes > _options.MostRecordedBytes || recording.Messages > _options.MostRecordedMessages;

    private void Decline(SnapshotId id, SnapshotEnd reason, Outbox<Message, Record, Command, Result> outbox)
    {
        if (id.Initiator == _self)
        {
            Close(id.Number, reason, outbox);
            return;
        }

        Take(new Record.Declined(id), outbox);
        outbox.Send(id.Initiator, new Message.Decline(_incarnation, id, reason));
    }

    private void On(NodeId from, Message.Ended ended, Outbox<Message, Record, Command, Result> outbox)
    {
        if (from != ended.Id.Initiator || ended.Floor < 0)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (!_topology.Members.Contains(from) && !_recordings.ContainsKey(ended.Id) && !_ended.ContainsKey(ended.Id))
        {
            outbox.Refuse(Refusal.NotMember);
        }
        else if (IsOver(ended.Id) && ended.Floor <= _floors.GetValueOrDefault(from))
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else
        {
            Take(new Record.Forgotten(ended.Id, ended.Floor), outbox);
        }
    }

    /// <summary>
    /// Forgets a snapshot, but not that it was: markers of it may still come. Its initiator's floor tells in one number which need not
    /// be remembered singly.
    /// </summary>
    private void Bury(SnapshotId id, long floor)
    {
        _recordings.Remove(id);
        _ended[id] = true;
        if (floor > _floors.GetValueOrDefault(id.Initiator))
        {
            _floors[id.Initiator] = floor;
        }

        foreach (var old in _ended.Keys.Concat(_recordings.Keys).Where(item => item.Initiator == id.Initiator && item.Number < floor).ToList())
        {
            _ended.Remove(old);
            _recordings.Remove(old);
        }
    }
}
