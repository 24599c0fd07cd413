using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>A HotStuff group on a stage, for counting: every client command goes to all replicas.</summary>
internal sealed class HotStuffCast
{
    private readonly HotStuffGroup _group;
    private long _sequence;

    public HotStuffCast(ulong seed, IHotStuffRules rules, int replicas, Duration delay, Duration sync)
    {
        _group = HotStuffGroup.Of(replicas, rules).With(options => options with { MaxCommands = 1 });
        Replicas = [.. _group.Options.Members];
        Stage = new(
            new()
            {
                Processes = [.. Replicas.Select(node => (node, $"{node}"))],
                Create = start => _group.Make(start.Self),
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
        var command = _group.Command("x", ++_sequence);
        foreach (var node in Replicas)
        {
            Stage.Submit(node, command);
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
