using System.Text;
using Synod.Core;
using Synod.Exploration;

namespace Synod.Protocols.Tests;

/// <summary>A host moved by hand: a test says what is delivered, made durable, crashed or fired, and reads what came of it.</summary>
internal sealed class Stage<TMessage, TRecord, TCommand, TResult>(
    Func<NodeId, Protocol<TMessage, TRecord, TCommand, TResult>> make, Func<TimerId, string> nameTimer, params NodeId[] nodes)
    where TMessage : notnull
{
    private readonly SortedDictionary<NodeId, Actor> _actors = [];
    private readonly StringBuilder _trace = new();

    public List<InFlight<TMessage>> Network { get; } = [];

    public string Trace => _trace.ToString();

    public Stage<TMessage, TRecord, TCommand, TResult> Begin()
    {
        foreach (var node in nodes)
        {
            _actors.Add(node, new Actor { Protocol = make(node) });
            Step(node, $"{node} starts", (actor, outbox) => actor.Protocol.Recover([], Still.Context, outbox));
        }

        return this;
    }

    public Protocol<TMessage, TRecord, TCommand, TResult> this[NodeId node] => _actors[node].Protocol;

    /// <summary>The records that the node persisted, durable or not.</summary>
    public IReadOnlyList<TRecord> Log(NodeId node) => _actors[node].Log;

    public IReadOnlyList<Answered<TResult>> Answers(NodeId node) => _actors[node].Answers;

    public IReadOnlyList<Executed<TCommand>> Executions(NodeId node) => _actors[node].Executions;

    public IReadOnlyList<Refusal> Refusals(NodeId node) => _actors[node].Refusals;

    public bool IsArmed(NodeId node, int kind) => _actors[node].Timers.Any(timer => timer.Kind == kind);

    /// <summary>The messages under way between two nodes, oldest first.</summary>
    public IEnumerable<TMessage> Between(NodeId from, NodeId to) =>
        Network.Where(item => item.From == from && item.To == to).Select(item => item.Message);

    public void Submit(NodeId node, TCommand command) => Step(
        node,
        $"{node} is asked for {command}",
        (actor, outbox) => actor.Protocol.Submit(new RequestId(++actor.Requests), command, Still.Context, outbox));

    /// <summary>Delivers the oldest message from one node to another.</summary>
    public void Deliver(NodeId from, NodeId to, bool keep = false)
    {
        var item = Oldest(from, to);
        if (!keep)
        {
            Network.Remove(item);
        }

        Receive(from, to, item.Message);
    }

    /// <summary>Delivers a message that nobody sent.</summary>
    public void Receive(NodeId from, NodeId to, TMessage message) => Step(
        to, $"{from} → {to}: {message}", (actor, outbox) => actor.Protocol.Receive(from, message, Still.Context, outbox));

    /// <summary>Holds the oldest message up until the others have arrived.</summary>
    public void Delay(NodeId from, NodeId to)
    {
        var item = Oldest(from, to);
        Network.Remove(item);
        Network.Add(item);
        Line($"late {from} → {to}: {item.Message}");
    }

    public void Drop(NodeId from, NodeId to)
    {
        var item = Oldest(from, to);
        Network.Remove(item);
        Line($"lost {from} → {to}: {item.Message}");
    }

    /// <summary>Makes everything durable that the node has persisted.</summary>
    public void Sync(NodeId node)
    {
        var actor = _actors[node];
        Line($"{node} syncs {actor.Log.Count - actor.Durable}");
        actor.Durable = actor.Log.Count;
        Release(node, actor);
    }

    /// <summary>Flushes the node's store, makes a checkpoint durable and drops the log before it.</summary>
    public void Truncate(NodeId node)
    {
        Sync(node);
        var actor = _actors[node];
        var older = actor.Log.Count;
        actor.Protocol.BeginCheckpoint();
        Step(node, $"{node} makes a checkpoint", (at, outbox) => at.Protocol.Checkpoint(Still.Context, outbox));
        Sync(node);
        actor.Log.RemoveRange(0, older);
        actor.Base -= older;
        actor.Durable -= older;
    }

    public void Fire(NodeId node, int kind)
    {
        var timer = _actors[node].Timers.First(item => item.Kind == kind);
        _actors[node].Timers.Remove(timer);
        Step(node, $"{node} fires {nameTimer(timer)}", (actor, outbox) => actor.Protocol.Fire(timer, Still.Context, outbox));
    }

    /// <summary>Loses what is not durable and everything volatile, and starts again.</summary>
    public void Crash(NodeId node)
    {
        var old = _actors[node];
        List<TRecord> durable = [.. old.Log.Take(old.Durable)];
        _actors[node] = new Actor { Protocol = make(node), Log = [.. durable], Durable = durable.Count, Base = durable.Count, Requests = old.Requests };
        Step(
            node,
            $"{node} crashes and restarts with {durable.Count} of {old.Log.Count} records",
            (actor, outbox) => actor.Protocol.Recover(durable, Still.Context, outbox));
    }

    /// <summary>Syncs and delivers until nothing is under way; nothing reaches those who are <paramref name="away"/>.</summary>
    public void Run(params NodeId[] away)
    {
        while (true)
        {
            foreach (var node in nodes.Where(node => _actors[node].Durable < _actors[node].Log.Count))
            {
                Sync(node);
            }

            Network.RemoveAll(item => away.Contains(item.To));
            if (Network.Count == 0)
            {
                return;
            }

            Deliver(Network[0].From, Network[0].To);
        }
    }

    /// <summary>Puts a node's state into the trace.</summary>
    public void Show(NodeId node)
    {
        var printer = new StatePrinter();
        _actors[node].Protocol.State(printer);
        Line($"{node}: {printer}");
    }

    private InFlight<TMessage> Oldest(NodeId from, NodeId to) => Network.First(item => item.From == from && item.To == to);

    private void Line(string text) => _trace.Append(text).Append('\n');

    private void Step(NodeId node, string title, Action<Actor, Outbox<TMessage, TRecord, TCommand, TResult>> step)
    {
        Line(title);
        var actor = _actors[node];
        var outbox = new Outbox<TMessage, TRecord, TCommand, TResult>(actor.Log.Count - actor.Base);
        step(actor, outbox);
        foreach (var record in outbox.Records)
        {
            actor.Log.Add(record);
            Line($"  persist {record}");
        }

        foreach (var change in outbox.Timers)
        {
            _ = change.Set ? actor.Timers.Add(change.Timer) : actor.Timers.Remove(change.Timer);
            Line($"  {(change.Set ? "set" : "cancel")} {nameTimer(change.Timer)}");
        }

        foreach (var refusal in outbox.Refusals)
        {
            actor.Refusals.Add(refusal);
            Line($"  refuse {refusal}");
        }

        foreach (var executed in outbox.Executions)
        {
            actor.Executions.Add(executed);
            Line($"  execute {executed.Position} {executed.Command}");
        }

        actor.Held.AddRange(outbox.Messages);
        actor.HeldAnswers.AddRange(outbox.Answers);
        Release(node, actor);
    }

    private void Release(NodeId node, Actor actor)
    {
        var durable = actor.Durable - actor.Base;
        foreach (var sent in actor.Held.Where(sent => sent.RecordsBefore <= durable))
        {
            Network.Add(new(node, sent.To, sent.Message));
            Line($"  send {sent.To} {sent.Message}");
        }

        foreach (var answer in actor.HeldAnswers.Where(answer => answer.RecordsBefore <= durable))
        {
            actor.Answers.Add(answer);
            Line($"  answer {answer.Request} {answer.Result}");
        }

        actor.Held.RemoveAll(sent => sent.RecordsBefore <= durable);
        actor.HeldAnswers.RemoveAll(answer => answer.RecordsBefore <= durable);
    }

    private sealed class Actor
    {
        public required Protocol<TMessage, TRecord, TCommand, TResult> Protocol { get; init; }

        public List<TRecord> Log { get; init; } = [];

        /// <summary>How many records recovery found, less those that were dropped since.</summary>
        public int Base { get; set; }

        public int Durable { get; set; }

        public long Requests { get; set; }

        public List<Sent<TMessage>> Held { get; } = [];

        public List<Answered<TResult>> HeldAnswers { get; } = [];

        public List<Answered<TResult>> Answers { get; } = [];

        public List<Executed<TCommand>> Executions { get; } = [];

        public List<Refusal> Refusals { get; } = [];

        public SortedSet<TimerId> Timers { get; } = [];
    }

    /// <summary>Time stands still and choices are zero.</summary>
    private sealed class Still : StepContext
    {
        public static Still Context { get; } = new();

        private Still() => TrueTime = new TimeInterval(new Timestamp(1), new Timestamp(1), ClockStatus.Synchronized);

        public override int Choose(int count) => 0;
    }
}
