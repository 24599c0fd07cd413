using System.Globalization;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Simulation;

namespace Synod.Lab.Stages;

/// <summary>Writes down what happens on a stage's machines, and tells the stage of each arrival and record, for its script.</summary>
internal sealed class Recorder<TMessage, TRecord, TCommand, TResult>(
    SimulatedWorld world, History history, Vocabulary<TMessage, TRecord, TCommand, TResult> words)
    : NodeWatcher<TMessage, TRecord, TCommand, TResult>
    where TMessage : class
    where TRecord : class
{
    private readonly Dictionary<NodeId, Lane> _lanes = history.Lanes.ToDictionary(lane => lane.Node);
    private readonly Dictionary<NodeId, Queue<TRecord>> _volatile = history.Lanes.ToDictionary(lane => lane.Node, _ => new Queue<TRecord>());
    private readonly Dictionary<NodeId, long> _durable = [];
    private readonly Dictionary<(byte[] Frame, NodeId To), Queue<Transit>> _underWay = [];

    public Action<NodeId, NodeId, TMessage>? Arrived { get; set; }

    public Action<NodeId, TRecord>? Recorded { get; set; }

    public Action<NodeId, Outbox<TMessage, TRecord, TCommand, TResult>>? Stepped { get; set; }

    /// <summary>A message leaves; it arrives after <paramref name="delay"/>, or never.</summary>
    public void Send(NodeId from, NodeId to, byte[] frame, TMessage message, Duration? delay)
    {
        if (words.Message(message) is not { } word)
        {
            return;
        }

        var due = delay is { } length ? world.Elapsed + length : default(Duration?);
        var transit = history.Send(
            _lanes[from].Index, _lanes[to].Index, word.Text, $"{_lanes[from].Name} → {_lanes[to].Name}: {message}", world.Elapsed, due);
        history.Add(world.Elapsed, due is null ? EventKind.Lost : EventKind.Sent, transit.From, word.Text, transit.Detail, transit);
        if (due is null)
        {
            return;
        }

        if (!_underWay.TryGetValue((frame, to), out var queue))
        {
            _underWay.Add((frame, to), queue = new Queue<Transit>());
        }

        queue.Enqueue(transit);
    }

    /// <summary>A message reached its receiver's machine, where no process runs.</summary>
    public void Miss(NodeId to, byte[] frame)
    {
        if (_underWay.GetValueOrDefault((frame, to)) is { Count: > 0 } queue)
        {
            var transit = queue.Dequeue();
            history.Add(world.Elapsed, EventKind.Missed, transit.To, transit.Name, transit.Detail, transit);
        }
    }

    public override void OnBoot(NodeId node, long boot)
    {
        _volatile[node].Clear();
        _durable[node] = 0;
        if (boot > 1)
        {
            Add(node, EventKind.Started, "starts again");
        }
    }

    public override void OnCrash(NodeId node) => Add(
        node,
        EventKind.Crashed,
        "crash",
        _volatile[node].Count == 0 ? "crash" : string.Create(CultureInfo.InvariantCulture, $"crash, {_volatile[node].Count} records not yet durable"));

    public override void OnReceiving(NodeId node, NodeId from, byte[] frame, TMessage message)
    {
        if (_underWay.GetValueOrDefault((frame, node)) is { Count: > 0 } queue)
        {
            var transit = queue.Dequeue();
            transit.ArrivedAt = world.Elapsed;
            history.Add(world.Elapsed, EventKind.Arrived, transit.To, transit.Name, transit.Detail, transit);
        }

        Arrived?.Invoke(from, node, message);
    }

    public override void OnFiring(NodeId node, TimerId timer) => Add(node, EventKind.TimedOut, words.Timer(timer));

    public override void OnSubmitting(NodeId node, TCommand command) =>
        Add(node, EventKind.Asked, words.Command(command), $"{command}");

    public override void OnAnswered(NodeId node, TResult result) => Add(node, EventKind.Answered, words.Result(result), $"{result}");

    public override void OnStepped(NodeId node, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        foreach (var record in outbox.Records)
        {
            _volatile[node].Enqueue(record);
        }

        foreach (ref readonly var executed in outbox.Executions)
        {
            Add(node, EventKind.Executed, words.Execution(executed.Position, executed.Command), $"executes {executed.Position} {executed.Command}");
        }

        foreach (var refusal in outbox.Refusals)
        {
            Add(node, EventKind.Refused, $"refused: {refusal}");
        }

        Stepped?.Invoke(node, outbox);
    }

    public override void OnDurable(NodeId node, long records)
    {
        for (; _durable[node] < records; _durable[node]++)
        {
            var record = _volatile[node].Dequeue();
            Add(node, EventKind.Recorded, words.Record(record), $"durable: {record}");
            Recorded?.Invoke(node, record);
        }
    }

    public void Add(NodeId node, EventKind kind, Word? word, string? detail = null)
    {
        if (word is { } said)
        {
            history.Add(
                world.Elapsed, said.IsDecision ? EventKind.Decided : kind, node == NodeId.None ? -1 : _lanes[node].Index, said.Text, detail);
        }
    }
}
