using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Synod.Core;

namespace Synod.Node;

/// <summary>The loop: take inputs, step them, fire timers, hand over, sleep.</summary>
public sealed partial class NodeHost<TMessage, TRecord, TCommand, TResult>
{
    private static readonly Duration Patience = Duration.FromMilliseconds(1);

    private readonly Queue<TMessage> _loopback = new();
    private readonly TimerQueue _timers = new();
    private readonly LateTimers _lateTimers = new();
    private readonly Dictionary<long, (IAnswerSink<TResult> Sink, long Tag)> _requests = [];
    private List<Input<TMessage, TCommand, TResult>> _taken = [];
    private int _takenNext;
    private int _messageNext;
    private long _nextRequest = 1;
    private int _stepsInTurn;
    private bool _hearsFirst;

    private void Run()
    {
        try
        {
            Recover();
            _ = _ready.TrySetResult();
            do
            {
                Turn();
            }
            while (Sleep());

            Finish(null);
        }
        catch (Exception cause)
        {
            // Whatever it was, a broken claim of ours or a broken disk: what we would say next could contradict what is durable.
            Finish(cause);
        }
    }

    private void Recover()
    {
        var began = Stopwatch.GetTimestamp();
        _context.Refresh();
        var count = 0L;
        _protocol.Recover(ReadRecords(), _context, _outbox);
        Collect();
        HandOver();
        _logger.Recovered(count, (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds);

        IEnumerable<TRecord> ReadRecords()
        {
            foreach (var bytes in _log.Records())
            {
                var reader = new CodecReader(bytes);
                var record = _hosted.Records.Read(ref reader);
                Invariant.Check(record is not null && reader.IsComplete, "A durable record can be read again");
                count++;
                yield return record;
            }
        }
    }

    private bool IsBlocked => _unsyncedBytes > _options.MaxUnsyncedBytes;

    private bool HasMore => !IsBlocked && (_takenNext < _taken.Count || _loopback.Count > 0);

    private void Turn()
    {
        var began = Stopwatch.GetTimestamp();
        _stepsInTurn = 0;
        ThrowIfFailed();
        ReleaseDurable();
        if (_takenNext == _taken.Count)
        {
            _taken.Clear();
            _takenNext = 0;
            _taken = _inbox.Take(_taken);
        }

        // After the inputs were taken, so that every one of them arrived before the interval was read.
        _context.Refresh();
        if (!IsBlocked)
        {
            StepInputs();
            FireTimers();
        }

        AdvanceCheckpoint();
        HandOver();
        if (_stepsInTurn > 0)
        {
            _metrics.CountTurn(_stepsInTurn, Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
    }

    private void StepInputs()
    {
        while (_stepsInTurn < _options.MaxInputsPerTurn)
        {
            if (_loopback.TryDequeue(out var own))
            {
                Receive(_options.Self, own);
            }
            else if (_takenNext < _taken.Count)
            {
                StepNext();
            }
            else
            {
                return;
            }
        }
    }

    private void StepNext()
    {
        var input = _taken[_takenNext];
        switch (input.Kind)
        {
            case InputKind.Messages:
                if (_messageNext < input.Messages!.Count)
                {
                    Receive(input.From, input.Messages[_messageNext++]);
                    return;
                }

                _messageNext = 0;
                break;
            case InputKind.Message:
                Receive(input.From, input.Message!);
                break;
            case InputKind.Command:
                Submit(input);
                break;
            case InputKind.Call:
                _stepsInTurn++;
                input.Call!();
                break;
            default:
                throw new InvariantViolation("An input has a known kind");
        }

        _takenNext++;
    }

    private void Receive(NodeId from, TMessage message)
    {
        _stepsInTurn++;
        _protocol.Receive(from, message, _context, _outbox);
        Collect();
    }

    private void Submit(in Input<TMessage, TCommand, TResult> input)
    {
        _stepsInTurn++;
        var request = new RequestId(_nextRequest++);
        _requests.Add(request.Value, (input.Sink!, input.Tag));
        if (input.Sink is AnswerTask<TResult> answer)
        {
            answer.Request = request;
        }

        _protocol.Submit(request, input.Command!, _context, _outbox);
        Collect();
    }

    private void FireTimers()
    {
        _hearsFirst = _packets is not null && _timers.NextDue is { } first
            && _lateTimers.Wait(_context.Now - first, heard: _stepsInTurn > 0, _packets.HasUnread);

        // A stopping node starts nothing new.
        while (!_hearsFirst && !_stopRequested && _stepsInTurn < 2 * _options.MaxInputsPerTurn && _timers.TryTake(_context.Now, out var timer))
        {
            _stepsInTurn++;
            _protocol.Fire(timer, _context, _outbox);
            Collect();
        }
    }

    /// <summary>Until there is something to do. False when the node has stopped in good order.</summary>
    private bool Sleep()
    {
        if (HasMore)
        {
            return true;
        }

        if (_stopRequested && !IsBlocked && _pending.Count == 0 && _phase == CheckpointPhase.Idle)
        {
            // The inbox is closed: what one last look finds is all there will ever be.
            _taken.Clear();
            _takenNext = 0;
            _taken = _inbox.Take(_taken);
            return _taken.Count > 0;
        }

        var sleep = _hearsFirst ? Patience : LongestSleep;
        if (!_hearsFirst && !IsBlocked && !_stopRequested && _timers.NextDue is { } due)
        {
            var wait = due - SystemTime.Now;
            sleep = wait < sleep ? wait : sleep;
        }

        Rest(sleep);
        return true;
    }

    private void ThrowIfFailed()
    {
        if ((_failure ?? _logThread.Failure) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void Finish(Exception? failure)
    {
        _failure ??= failure;
        _inbox.Close();
        if (failure is not null)
        {
            _logger.Failed(_options.Self, failure);
        }

        _logThread.Stop();
        failure ??= _logThread.Failure;
        foreach (var (sink, tag) in _requests.Values)
        {
            sink.Stopped(tag);
        }

        StopHeld();
        StopUnstepped();
        _requests.Clear();
        if (failure is null)
        {
            _ = _completion.TrySetResult();
        }
        else
        {
            _ = _ready.TrySetException(failure);
            _ = _completion.TrySetException(failure);
        }
    }

    // Answers that were given but whose records never became durable: they may or may not hold after a restart.
    private void StopHeld()
    {
        foreach (var output in _pending.Select(batch => batch.Held).Append(_filling.Held).Append(_now))
        {
            foreach (var reply in output.Replies)
            {
                reply.Sink.Stopped(reply.Tag);
            }
        }
    }

    private void StopUnstepped()
    {
        foreach (var input in _taken.Skip(_takenNext).Concat(_inbox.Take([])))
        {
            if (input.Kind == InputKind.Command)
            {
                input.Sink!.Stopped(input.Tag);
            }
        }
    }
}
