using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Scenarios.Consensus;

/// <summary>A Multi-Paxos group on a stage. What each replica executed is kept, over all its lives, and judged for agreement.</summary>
internal sealed class MultiPaxosCast
{
    private readonly SortedDictionary<NodeId, SortedDictionary<Slot, string>> _executed = [];
    private readonly List<string> _split = [];

    public MultiPaxosCast(
        ulong seed,
        QuorumSystem quorums,
        MultiPaxosOptions options,
        IReadOnlyList<string> names,
        Func<NodeId, NodeId, Duration>? delay = null,
        Duration spread = default,
        Duration? sync = null)
    {
        Nodes = [.. quorums.Members];
        var plain = new StageOptions<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result>
        {
            Processes = [.. Nodes.Zip(names)],
            Create = start => new MultiPaxos(start.Self, quorums, options, new EmptyState()),
            Messages = new MultiPaxos.MessageWire(),
            Records = new MultiPaxos.RecordWire(),
            Words = new Words(),
            Spread = spread,
        };
        Stage = new(plain with { Delay = delay ?? plain.Delay, Sync = sync ?? plain.Sync }, seed) { Stepped = OnStepped };
    }

    public ImmutableArray<NodeId> Nodes { get; }

    public Stage<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result> Stage { get; }

    public MultiPaxos? this[NodeId node] => Stage[node] as MultiPaxos;

    /// <summary>The replica that leads and has executed everything chosen before, if there is one.</summary>
    public NodeId Leader => Nodes.FirstOrDefault(node => this[node] is { IsReady: true });

    public static MultiPaxos.Command Propose(string value) => new MultiPaxos.Command.Propose(Key.Of(value).Memory);

    /// <summary>What a replica executed, in order, over all its lives.</summary>
    public IReadOnlyDictionary<Slot, string> Executed(NodeId node) =>
        _executed.TryGetValue(node, out var executed) ? executed : _executed[node] = [];

    public bool HasExecuted(NodeId node, string value) => Executed(node).Values.Contains(value);

    /// <summary>Runs until a replica leads; null if none does in time.</summary>
    public NodeId? Elect(Duration deadline) => Stage.RunUntil(() => Leader != NodeId.None, deadline) ? Leader : null;

    /// <summary>Proposes at a node and waits for its execution there.</summary>
    /// <returns>How long it took; null if it did not happen in time.</returns>
    public Duration? Commit(NodeId at, string value, Duration within)
    {
        var from = Stage.Now;
        Stage.Submit(at, Propose(value));
        return Stage.RunUntil(() => HasExecuted(at, value), from + within) ? Stage.Now - from : null;
    }

    /// <summary>No two replicas ever executed different commands in a slot (paxos.md §10, 1).</summary>
    public void Judge(Report report, string name = "Agreement") => report.Safety(
        name,
        _split.Count == 0,
        $"{(_split.Count > 0 ? string.Join("; ", _split) : $"{Report.Many(_executed.Values.Select(item => item.Count).DefaultIfEmpty().Max(), "slot")}, the same everywhere")}");

    private void OnStepped(NodeId node, Outbox<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result> outbox)
    {
        foreach (ref readonly var executed in outbox.Executions)
        {
            var (slot, value) = (executed.Position, Words.Value(executed.Command));
            ((SortedDictionary<Slot, string>)Executed(node))[slot] = value;
            foreach (var (other, slots) in _executed)
            {
                if (slots.TryGetValue(slot, out var different) && different != value)
                {
                    _split.Add($"{slot} is {value} on {Stage.NameOf(node)} and {different} on {Stage.NameOf(other)}");
                }
            }
        }
    }

    /// <summary>The state above is nothing that outlives a process, so a replica executes its log again when it starts.</summary>
    private sealed class EmptyState : IReplicatedState
    {
        public Slot Applied => Slot.None;

        public SnapshotChunk? ReadSnapshot(NodeId reader, int index) => null;

        public void InstallSnapshot(SnapshotChunk chunk)
        {
        }
    }

    private sealed class Words : Vocabulary<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result>
    {
        public static string Value(MultiPaxos.Command command) => new Key(((MultiPaxos.Command.Propose)command).Value).ToString();

        public override Word? Message(MultiPaxos.Message message) => message switch
        {
            MultiPaxos.Message.Heartbeat or MultiPaxos.Message.HeartbeatAck => null,
            MultiPaxos.Message.Prepare m => $"Prepare {Ballot(m.Ballot)}",
            MultiPaxos.Message.Promise m => $"Promise {Ballot(m.Ballot)}{string.Concat(m.Report.Select(entry => $" {entry.Slot}{Told(entry.Value)}"))}",
            MultiPaxos.Message.Accept m => $"Accept {m.Slot}{Told(m.Value)}",
            MultiPaxos.Message.Accepted m => $"Accepted {m.Slot}",
            _ => message.GetType().Name,
        };

        public override Word? Record(MultiPaxos.Record record) => record switch
        {
            MultiPaxos.Record.Promised m => $"Promised {Ballot(m.Ballot)}",
            MultiPaxos.Record.Accepted m => $"Accepted {m.Slot}{Told(m.Value)}",
            _ => null,
        };

        public override Word? Timer(TimerId timer) =>
            (MultiPaxosTimer)timer.Kind == MultiPaxosTimer.Election ? "no leader heard" : null;

        public override Word? Command(MultiPaxos.Command command) => command switch
        {
            MultiPaxos.Command.Propose => Value(command),
            _ => command.GetType().Name,
        };

        public override Word? Result(MultiPaxos.Result result) => result.GetType().Name;

        public override Word? Execution(Slot position, MultiPaxos.Command command) => new Word($"{position} = {Value(command)}", true);

        private static string Ballot(Ballot ballot) => string.Create(CultureInfo.InvariantCulture, $"b{ballot.Round}");

        private static string Told(ReadOnlyMemory<byte> value) => value.IsEmpty ? "" : $"={new Key(value)}";
    }
}
