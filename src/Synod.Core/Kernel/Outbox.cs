using System.Runtime.InteropServices;

namespace Synod.Core;

/// <summary>
/// The outputs of steps, as data: a host may hold, drop, duplicate, reorder, print or compare them.
/// <para>
/// <b>Durability.</b> A send or answer leaves only when every record that this instance persisted before it, in this step or any
/// earlier one, is durable. Each carries the number of records before it; a host releases it when that many are durable.
/// <see cref="SendEarly"/> and <see cref="AnswerEarly"/> are the exceptions, and their call sites say why they are safe.
/// </para>
/// One array per kind of output, reused from step to step.
/// </summary>
/// <param name="recordCount">Records that an instance already persisted, for a host that puts one back in the middle of its life.</param>
public sealed class Outbox<TMessage, TRecord, TCommand, TResult>(long recordCount = 0)
{
    private Outputs<TRecord> _records = new();
    private Outputs<Sent<TMessage>> _messages = new();
    private Outputs<Answered<TResult>> _answers = new();
    private Outputs<Executed<TCommand>> _executions = new();
    private Outputs<TimerChange> _timers = new();
    private Outputs<Refusal> _refusals = new();

    /// <summary>How many records this instance has persisted since it was made, those of this step included.</summary>
    public long RecordCount { get; private set; } = recordCount;

    public ReadOnlySpan<TRecord> Records => _records.All;

    public ReadOnlySpan<Sent<TMessage>> Messages => _messages.All;

    public ReadOnlySpan<Answered<TResult>> Answers => _answers.All;

    public ReadOnlySpan<Executed<TCommand>> Executions => _executions.All;

    public ReadOnlySpan<TimerChange> Timers => _timers.All;

    public ReadOnlySpan<Refusal> Refusals => _refusals.All;

    /// <summary>Appends a record to the instance's durable log.</summary>
    public void Persist(TRecord record)
    {
        _records.Add(record);
        RecordCount++;
    }

    /// <summary>Sends when everything persisted before is durable. A send to oneself obeys the same rule.</summary>
    public void Send(NodeId to, TMessage message) => _messages.Add(new(to, message, RecordCount));

    /// <summary>Sends at once. The call site says why no undurable record can be contradicted by it.</summary>
    public void SendEarly(NodeId to, TMessage message) => _messages.Add(new(to, message, 0));

    /// <summary>Sends to every member of <paramref name="to"/> when everything persisted before is durable.</summary>
    public void Send(NodeSet to, TMessage message)
    {
        foreach (var node in to)
        {
            Send(node, message);
        }
    }

    /// <summary>Answers a submitted command when everything persisted before is durable.</summary>
    public void Answer(RequestId request, TResult result) => _answers.Add(new(request, result, RecordCount));

    /// <summary>Answers at once. The call site says why the answer depends on no undurable record.</summary>
    public void AnswerEarly(RequestId request, TResult result) => _answers.Add(new(request, result, 0));

    /// <summary>Hands an agreed command to the state machine above, at its position.</summary>
    public void Execute(Slot position, TCommand command) => _executions.Add(new(position, command));

    /// <summary>Arms <paramref name="timer"/> to fire once at <paramref name="due"/>, in place of an earlier setting.</summary>
    public void SetTimer(TimerId timer, Instant due) => _timers.Add(new(timer, due, true));

    /// <summary>Disarms <paramref name="timer"/>; a host never fires a timer that was cancelled.</summary>
    public void CancelTimer(TimerId timer) => _timers.Add(new(timer, default, false));

    /// <summary>Counts an input that a guard refused.</summary>
    public void Refuse(Refusal refusal) => _refusals.Add(refusal);

    /// <summary>Empties it for the next step. <see cref="RecordCount"/> goes on.</summary>
    public void Clear()
    {
        _records.Clear();
        _messages.Clear();
        _answers.Clear();
        _executions.Clear();
        _timers.Clear();
        _refusals.Clear();
    }

    /// <summary>Outputs of one kind. Each is in a struct of its own, or storing one would take a look at the array's type.</summary>
    private struct Outputs<T>()
    {
        private Cell[] _cells = [];
        private int _count;

        private struct Cell
        {
            public T Item;
        }

        /// <summary>Until the next one is added.</summary>
        public readonly ReadOnlySpan<T> All =>
            _count == 0 ? default : MemoryMarshal.CreateReadOnlySpan(in _cells[0].Item, _count);

        public void Add(T item)
        {
            if (_count == _cells.Length)
            {
                Array.Resize(ref _cells, Math.Max(4, 2 * _count));
            }

            _cells[_count++].Item = item;
        }

        /// <summary>Most steps put out one or two things of one or two kinds: too few for a call.</summary>
        public void Clear()
        {
            foreach (ref var cell in _cells.AsSpan(0, _count))
            {
                cell = default;
            }

            _count = 0;
        }
    }
}

/// <summary>A message, and the number of records that must be durable before it may leave; 0 for one sent early.</summary>
public readonly record struct Sent<TMessage>(NodeId To, TMessage Message, long RecordsBefore);

/// <summary>An answer, and the number of records that must be durable before it may leave.</summary>
public readonly record struct Answered<TResult>(RequestId Request, TResult Result, long RecordsBefore);

/// <summary>A command that was agreed on, at its position.</summary>
public readonly record struct Executed<TCommand>(Slot Position, TCommand Command);

/// <summary>A timer armed (<paramref name="Set"/>) for <paramref name="Due"/> or disarmed.</summary>
public readonly record struct TimerChange(TimerId Timer, Instant Due, bool Set);
