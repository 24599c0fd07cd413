using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Scenarios.Consensus;

/// <summary>An EPaxos group on a stage, a client beside each replica, and the judge of the room's random worlds.</summary>
internal sealed class EPaxosCast
{
    private readonly SortedDictionary<(long Session, long Number), string> _labels = [];
    private readonly EPaxosJudge _judge;
    private long _numbers;

    public EPaxosCast(
        ulong seed, IReadOnlyList<string> names, Func<NodeId, NodeId, Duration>? delay = null, Duration spread = default, Duration? sync = null)
    {
        var members = NodeSet.Of([.. names.Select((_, index) => new NodeId(index + 1))]);
        Group = new EPaxosGroup(members);
        Nodes = [.. members];
        var plain = new StageOptions<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>
        {
            Processes = [.. Nodes.Zip(names)],
            Create = start => new EPaxos(start.Self, Group, new EPaxosOptions { BeatInterval = Duration.FromSeconds(1) }, new ReplicatedMap()),
            Messages = new EPaxos.MessageWire(),
            Records = new EPaxos.RecordWire(),
            Words = new Words(_labels),
            Spread = spread,
        };
        Stage = new(plain with { Delay = delay ?? plain.Delay, Sync = sync ?? plain.Sync }, seed) { Stepped = OnStepped };
        _judge = new EPaxosJudge(Stage.World, Stage.Cluster.IsUp);
    }

    public EPaxosGroup Group { get; }

    public ImmutableArray<NodeId> Nodes { get; }

    public Stage<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result> Stage { get; }

    /// <summary>What each replica executed, in its order.</summary>
    public SortedDictionary<NodeId, List<string>> Executed { get; } = [];

    /// <summary>Asks a replica to set a key; its answer has <paramref name="tag"/>.</summary>
    public void Put(NodeId node, string key, string value, long tag)
    {
        var command = new EPaxos.ClientCommand(node.Value, ++_numbers, ReplicatedMap.Put(Key.Of(key), Key.Of(value).Memory));
        _labels[(command.Session, command.Number)] = $"{key}={value}";
        Stage.Submit(node, new EPaxos.Command.Invoke(command), tag);
    }

    /// <summary>When the command with a tag was answered.</summary>
    public Duration? Answered(long tag)
    {
        var at = Stage.Answers.Where(answer => answer.Tag == tag).Select(answer => answer.At).ToList();
        return at.Count == 0 ? null : at[0];
    }

    /// <summary>One value and one order for each instance and key, and of two that interfere one sees the other (epaxos.md §7).</summary>
    public void Judge(Report report, string suffix = "")
    {
        var broken = default(SimulationFailure);
        try
        {
            _judge.LookAt(Nodes.Select(node => Stage[node]).OfType<EPaxos>());
            _judge.CheckVisibility();
        }
        catch (SimulationFailure failure)
        {
            broken = failure;
        }

        report.Safety($"AgreementAndVisibility{suffix}", broken is null, $"{broken?.Detail ?? $"{_judge.Decided} instances decided, the same everywhere"}");
    }

    private void OnStepped(NodeId node, Outbox<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result> outbox)
    {
        foreach (ref readonly var executed in outbox.Executions)
        {
            var apply = (EPaxos.Command.Apply)executed.Command;
            (Executed.TryGetValue(node, out var list) ? list : Executed[node] = []).AddRange(
                apply.Batch.Commands.ToArray().Select(command => _labels[(command.Session, command.Number)]));
            _judge.OnExecuted((EPaxos)Stage[node]!, apply);
        }
    }

    private sealed class Words(IReadOnlyDictionary<(long Session, long Number), string> labels)
        : Vocabulary<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>
    {
        public override Word? Message(EPaxos.Message message) => message switch
        {
            EPaxos.Message.PreAccept m => $"PreAccept {Said(m.Batch)}",
            EPaxos.Message.PreAcceptOk m => $"PreAcceptOk {m.Deps}",
            EPaxos.Message.Accept m => $"Accept {Said(m.Batch)} {m.Deps}",
            EPaxos.Message.AcceptOk => "AcceptOk",
            EPaxos.Message.Commit m => $"Commit {Said(m.Batch)}",
            EPaxos.Message.Progress or EPaxos.Message.Fetch => null,
            _ => message.GetType().Name,
        };

        public override Word? Record(EPaxos.Record record) => record switch
        {
            EPaxos.Record.PreAccepted m => $"PreAccepted {Said(m.Batch)}",
            EPaxos.Record.Accepted m => $"Accepted {Said(m.Batch)}",
            EPaxos.Record.Committed m => new Word($"{Said(m.Batch)} after {m.Deps}", true),
            _ => null,
        };

        public override Word? Timer(TimerId timer) => null;

        public override Word? Command(EPaxos.Command command) =>
            command is EPaxos.Command.Invoke invoke ? labels[(invoke.Client.Session, invoke.Client.Number)] : command.GetType().Name;

        public override Word? Result(EPaxos.Result result) => result.GetType().Name.ToLowerInvariant();

        public override Word? Execution(Slot position, EPaxos.Command command) => $"does {Said(((EPaxos.Command.Apply)command).Batch)}";

        private string Said(EPaxos.Batch batch) =>
            batch.IsNop ? "nothing" : string.Join("+", batch.Commands.ToArray().Select(command => labels[(command.Session, command.Number)]));
    }
}
