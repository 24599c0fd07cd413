using Synod.Core;
using Synod.Storage;

namespace Synod.Simulation;

/// <summary>Steps of the protocol and what becomes of their outputs.</summary>
public sealed partial class SimulatedNode<TMessage, TRecord, TCommand, TResult>
{
    private const int MostStepsInATurn = 100_000;

    private readonly CodecWriter _encoder = new();
    private TMessage? _lastSent;
    private byte[] _lastFrame = [];

    private void Start()
    {
        _boot++;
        Counts.Boots++;
        Note("boot", _boot);
        _cluster.Options.Watcher?.OnBoot(Self, _boot);
        _outbox = new();
        _heldMessages = new();
        _heldAnswers = new();
        _timers = new NodeTimers(_world, Clock, this, Timer, _boot);
        _recordsDurable = 0;
        Store.IsStarting = true;
        if (ReadLog() is not { } records || !TryCreate())
        {
            Counts.DiskFailures++;
            Log.Crash();
            Store.Crash(_random);
            _cluster.OnDiskFailure(this);
            return;
        }

        Step().Recover(records, _context, _outbox);
        FinishTurn();
        Store.IsStarting = false;
    }

    private bool TryCreate()
    {
        try
        {
            _protocol = _cluster.Options.Create(new NodeStart(Self, _boot, Log.Incarnation, Store));
            return true;
        }
        catch (StorageFailure)
        {
            return false;
        }
    }

    private List<TRecord>? ReadLog()
    {
        try
        {
            return Log.Open(Self)?.ConvertAll(Decode);
        }
        catch (StorageFailure)
        {
            return null;
        }
        catch (InvariantViolation violation)
        {
            throw _world.Failure(violation.Invariant, Self, violation.Message, violation);
        }
    }

    /// <summary>Runs what happened to its end. A failing disk stops the process; anything else thrown ends the run.</summary>
    private void Dispatch(in SimulatedEvent happened)
    {
        try
        {
            Act(happened);
        }
        catch (StorageFailure)
        {
            Counts.DiskFailures++;
            Crash();
            _cluster.OnDiskFailure(this);
        }
        catch (SimulationFailure)
        {
            throw;
        }
        catch (InvariantViolation violation)
        {
            throw _world.Failure(violation.Invariant, Self, violation.Message, violation);
        }
        catch (Exception thrown)
        {
            throw _world.Failure($"No{thrown.GetType().Name}", Self, thrown.Message, thrown);
        }
    }

    private void Act(in SimulatedEvent happened)
    {
        switch (happened.Kind)
        {
            case Boot:
                Start();
                break;
            case Deliver:
                Receive((int)happened.Argument, (byte[])happened.Payload!);
                break;
            case Timer:
                if (_timers!.Owns(happened.Payload!) && _timers.TryTake(happened.Payload!, happened.Argument, out var timer))
                {
                    FireTimer(timer);
                    FinishTurn();
                }

                break;
            case Submitted:
                Submit((TCommand)happened.Payload!, new RequestId(happened.Argument));
                break;
            case LogDone when happened.Argument == _boot:
                FinishBatch();
                FinishTurn();
                break;
            case FlushDone when happened.Argument == _boot:
                FinishFlush();
                FinishTurn();
                break;
        }
    }

    private void Receive(int from, byte[] frame)
    {
        var intact = SimulatedNetwork.TryOpen(frame, out var body);
        var reader = new CodecReader(body);
        var message = _cluster.Options.Messages.Read(ref reader);

        // A damaged frame is decoded all the same: a codec must take any bytes without an exception.
        if (!intact || message is null || !reader.IsComplete)
        {
            Counts.Damaged++;
            return;
        }

        if (_world.Trace.IsWriting)
        {
            _world.Trace.Write(_world.Now, Self, $"<- n{from} {message}");
        }

        _cluster.Options.Watcher?.OnReceiving(Self, new NodeId(from), frame, message);
        Step().Receive(new NodeId(from), message, _context, _outbox);
        FinishTurn();
    }

    private void Submit(TCommand command, RequestId request)
    {
        Note("submit", command, request.Value);
        _cluster.Options.Watcher?.OnSubmitting(Self, command);
        Step().Submit(request, command, _context, _outbox);
        FinishTurn();
    }

    private void FireTimer(TimerId timer)
    {
        Note("timer", timer, timer.Key);
        _cluster.Options.Watcher?.OnFiring(Self, timer);
        Step().Fire(timer, _context, _outbox);
    }

    private Protocol<TMessage, TRecord, TCommand, TResult> Step()
    {
        Counts.Steps++;
        _context.Refresh();
        return _protocol!;
    }

    private void FinishTurn()
    {
        TakeOutputs();
        for (var steps = 0; IsUp && _timers!.TryTakeImmediate(out var timer); steps++)
        {
            Invariant.Check(steps < MostStepsInATurn, "TurnsEnd");
            FireTimer(timer);
            TakeOutputs();
        }

        if (_random.Chance(_cluster.Options.Machine.StoreFlushPerMillion))
        {
            Store.FlushUnasked();
        }
    }

    private void TakeOutputs()
    {
        _cluster.Options.Watcher?.OnStepped(Self, _outbox);
        foreach (ref readonly var change in _outbox.Timers)
        {
            _timers!.Change(change);
        }

        foreach (var record in _outbox.Records)
        {
            AddRecord(record);
        }

        foreach (ref readonly var sent in _outbox.Messages)
        {
            Release(new HeldOutput<TResult>(sent.RecordsBefore, sent.To, Encode(sent), default, default));
        }

        foreach (ref readonly var answered in _outbox.Answers)
        {
            Release(new HeldOutput<TResult>(answered.RecordsBefore, default, null, answered.Request, answered.Result));
        }

        foreach (ref readonly var executed in _outbox.Executions)
        {
            _world.Trace.Note(Self.Value, executed.Position.Value);
            _cluster.Executed?.Invoke(Self, executed.Position, executed.Command);
        }

        foreach (var refusal in _outbox.Refusals)
        {
            Counts.Refusals[(int)refusal]++;
        }

        _outbox.Clear();
        _lastSent = null;
        StartBatch();
    }

    private byte[] Encode(in Sent<TMessage> sent)
    {
        if (_world.Trace.IsWriting)
        {
            _world.Trace.Write(_world.Now, Self, $"-> {sent.To} {sent.Message}");
        }

        if (!ReferenceEquals(_lastSent, sent.Message))
        {
            _encoder.Clear();
            _cluster.Options.Messages.Write(_encoder, sent.Message);
            _lastFrame = SimulatedNetwork.Frame(_encoder.Span);
            _lastSent = sent.Message;
        }

        return _lastFrame;
    }

    private void Release(in HeldOutput<TResult> output)
    {
        if (output.RecordsBefore <= _recordsDurable || _cluster.Options.IgnoresHolds)
        {
            Leave(output);
        }
        else
        {
            (output.Frame is null ? _heldAnswers : _heldMessages).Hold(output);
        }
    }

    private void Leave(in HeldOutput<TResult> output)
    {
        if (output.Frame is not null)
        {
            // A peer that does not exist gets nothing, as on a real network.
            if (_cluster.Find(output.To) is { } receiver)
            {
                _cluster.Network.Carry(Self.Value, output.To.Value, receiver, Deliver, output.Frame);
            }

            return;
        }

        Note("answer", output.Result!, output.Request.Value);
        _cluster.Options.Watcher?.OnAnswered(Self, output.Result!);
        Invariant.Check(_pending.Remove(output.Request.Value, out var pending), "AnsweredOnce");
        pending.Receiver.OnAnswer(Self, pending.Tag, output.Result!);
    }

    private void Note(string what, long number)
    {
        _world.Trace.Note(Self.Value, number);
        if (_world.Trace.IsWriting)
        {
            _world.Trace.Write(_world.Now, Self, $"{what} {number}");
        }
    }

    private void Note<T>(string what, T detail, long number)
    {
        _world.Trace.Note(Self.Value, number);
        if (_world.Trace.IsWriting)
        {
            _world.Trace.Write(_world.Now, Self, $"{what} {number} {detail}");
        }
    }
}
