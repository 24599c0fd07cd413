using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>What each durable input does, live or run again.</summary>
public sealed partial class ChandyLamport
{
    /// <summary>
    /// Replays the inputs over the last image. Open snapshots, channels and a restore go on where they were; whoever waited here for a
    /// command has died with the process.
    /// </summary>
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            Apply(record);
        }

        if (_options.Mutation == ChandyLamportMutation.NumbersReused)
        {
            _counter = 0;
        }

        _restoreRequest = 0;
        if (_restoring is { } begun && begun.Incarnation > _incarnation)
        {
            // The crash came between the two records of a restore. Nobody was told of it.
            Begin(begun.Incarnation, begun.Cut.Topology, begun.Cut[_self]!, outbox);
        }

        foreach (var led in _led.Values)
        {
            led.Request = 0;
            outbox.SetTimer(new TimerId((int)Timer.Limit, led.Id.Number), context.Now + _options.Limit);
        }

        FinishCollecting(outbox);
        FinishRestore(outbox);
        Resend(context, outbox);
        Tell(outbox);
    }

    /// <summary>The whole state in one record, so that recovery finds all of it or the older records.</summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var writer = new CodecWriter();
        State(new StateWriter(writer));
        outbox.Persist(new Record.Image(writer.ToArray()));
    }

    private void Take(Record record, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Persist(record);
        Apply(record);
    }

    private void Apply(Record record)
    {
        switch (record)
        {
            case Record.Acted acted:
                _application.Submit(acted.Command, Post);
                break;
            case Record.Received received:
                Apply(received);
                break;
            case Record.Begun begun:
                Apply(begun);
                break;
            case Record.Collected collected:
                _led[collected.Piece.Id.Number].Pieces.Add(collected.Piece.Process, collected.Piece);
                break;
            case Record.Closed closed:
                Apply(closed);
                break;
            case Record.Forgotten forgotten:
                Bury(forgotten.Id, forgotten.Floor);
                break;
            case Record.Declined declined:
                Bury(declined.Id, 0);
                break;
            case Record.Reconfigured reconfigured:
                Apply(reconfigured);
                break;
            case Record.Restoring restoring:
                (_restoring, _loading) = (restoring, restoring.Cut.Topology.Members.Without(_self));
                break;
            case Record.Restored restored:
                Apply(restored);
                break;
            case Record.Image image:
                var reader = new StateReader(image.State);
                State(reader);
                reader.Complete();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }

    /// <summary>Who joins a system that was restored meanwhile has no channel from before: all begin in its incarnation.</summary>
    private void Apply(Record.Reconfigured reconfigured)
    {
        if (reconfigured.Incarnation > _incarnation)
        {
            _incarnation = reconfigured.Incarnation;
            _outgoing.Clear();
            _incoming.Clear();
        }

        foreach (var channel in _outgoing.Where(item => EndsWith(item.Key, reconfigured.Topology)).Select(item => item.Value))
        {
            // Nothing, when it was drained; run again it is known by this record alone, and who went may be there no more to say it again.
            if (_options.Mutation != ChandyLamportMutation.DrainedForgotten)
            {
                channel.Unacknowledged.Clear();
            }
        }

        _topology = reconfigured.Topology;

        // Who goes has restored all that it had to.
        _loading = _topology.Members.Contains(_self) ? _loading.Intersect(_topology.Members) : NodeSet.Empty;
        OpenChannels(begun: 0);

        // Nobody waits to hear it of who is no member, and whoever would acknowledge it may go next.
        foreach (var member in Others.Except(_receivers))
        {
            _outgoing[member].Post(new Parcel.Entered(_topology.Epoch));
        }
    }

    /// <summary>A crash may come between the last piece and the end that it is the reason for.</summary>
    private void FinishCollecting(Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var led in _led.Values.ToList())
        {
            if (led.Pieces.Count == _topology.Members.Count)
            {
                Close(led.Id.Number, SnapshotEnd.Complete, outbox);
            }
            else if (_recordings.TryGetValue(led.Id, out var own))
            {
                own.Handed = led.Pieces.ContainsKey(_self);
            }
        }
    }
}
