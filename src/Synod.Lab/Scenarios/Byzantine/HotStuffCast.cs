using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>A HotStuff group on a stage, for counting: every client command goes to all replicas.</summary>
public sealed class HotStuffCast
{
    private static readonly NodeId s_client = new(1_001);

    private readonly Statements _statements;
    private readonly SignatureTable _keys = new();
    private long _sequence;

    public HotStuffCast(ulong seed, IHotStuffRules rules, int replicas, Duration delay, Duration sync)
    {
        var first = replicas == NodeSet.Capacity ? 0 : 1;
        Replicas = [.. Enumerable.Range(first, replicas).Select(number => new NodeId(number))];
        var members = NodeSet.Of([.. Replicas]);
        var options = new HotStuffOptions { Members = members, Rules = rules, Leaders = new Rotation(members), MaxCommands = 1 };
        _statements = new Statements(options.Domain);
        Stage = new(
            new()
            {
                Processes = [.. Replicas.Select(node => (node, $"{node}"))],
                Create = start => new HotStuff(
                    start.Self, options, _keys.SignerOf(start.Self), new SignatureVectors(_keys.SignerOf(start.Self), members, options.Quorum)),
                Messages = new HotStuff.MessageWire(),
                Records = new HotStuff.RecordWire(),
                Words = new Silence(),
                Delay = (_, _) => delay,
                Sync = sync,
            },
            seed);
    }

    public ImmutableArray<NodeId> Replicas { get; }

    public Stage<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result> Stage { get; }

    public IEnumerable<HotStuff> All => Replicas.Select(node => Stage[node]).OfType<HotStuff>();

    /// <summary>Submits the client's next command to every replica.</summary>
    public void Submit()
    {
        var payload = Key.Of("x").Memory;
        var signature = _keys.SignerOf(s_client).Sign(_statements.Command(s_client, ++_sequence, payload));
        foreach (var node in Replicas)
        {
            Stage.Submit(node, new HotStuff.Command(s_client, _sequence, payload, signature));
        }
    }

    /// <summary>Whether every replica has executed everything submitted.</summary>
    public bool IsDone => All.All(replica => replica.Executed.Value == _sequence);

    /// <summary>Counting needs no history.</summary>
    private sealed class Silence : Vocabulary<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>
    {
        public override Word? Message(HotStuff.Message message) => null;

        public override Word? Record(HotStuff.Record record) => null;

        public override Word? Timer(TimerId timer) => null;

        public override Word? Command(HotStuff.Command command) => null;

        public override Word? Result(HotStuff.Result result) => null;
    }
}
