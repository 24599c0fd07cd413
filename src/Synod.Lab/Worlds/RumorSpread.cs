using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Rumors.Message, RumorRecord, RumorCommand, RumorResult>;

/// <summary>How one rumor is spread among how many.</summary>
/// <param name="Options">Its rounds are made to keep step.</param>
public sealed record SpreadSetup(int Nodes, RumorOptions Options, ulong Seed)
{
    public int LossPerMillion { get; init; }

    /// <summary>Nodes that are down from the start although every view has them, in a thousand.</summary>
    public int DownPerMille { get; init; }

    /// <summary>Whether it goes on until nobody is interested any more, instead of until everybody knows.</summary>
    public bool UntilCold { get; init; }
}

/// <summary>What came of it.</summary>
/// <param name="Live">Nodes that are up.</param>
/// <param name="Curve">Nodes that knew after each round; the first is before any.</param>
/// <param name="Copies">Rumors sent, in whatever message.</param>
/// <param name="Contacts">Peers that nodes turned to, of their own accord.</param>
/// <param name="Messages">Messages of all kinds.</param>
/// <param name="Bytes">Of these, checksums included.</param>
public sealed record SpreadOutcome(int Live, IReadOnlyList<int> Curve, long Copies, long Contacts, long Messages, long Bytes)
{
    public int Knew => Curve[^1];

    /// <summary>Rounds that it went on.</summary>
    public int Rounds => Curve.Count - 1;

    public bool IsComplete => Knew == Live;
}

/// <summary>
/// One rumor in rounds that keep step, as in the tables of the literature: each link takes less than half of a round, so that what is
/// learned in one is told in the next.
/// </summary>
public sealed class RumorSpread : IAnswerReceiver<RumorResult>
{
    private const int MostRounds = 400;
    private static readonly Duration s_round = Duration.FromMilliseconds(100);

    private readonly SimulatedWorld _world;
    private readonly SimulatedNetwork _network;
    private readonly Cluster _cluster;
    private readonly SpreadSetup _setup;
    private readonly CopyCount _copies = new();
    private int _knew = 1;

    private RumorSpread(SpreadSetup setup)
    {
        _setup = setup;
        _world = new SimulatedWorld(setup.Seed);
        _network = new SimulatedNetwork(_world)
        {
            Conditions = new LinkConditions
            {
                LeastDelay = Duration.FromMilliseconds(20), MostDelay = Duration.FromMilliseconds(40), LossPerMillion = setup.LossPerMillion,
            },
        };
        NodeId[] nodes = [.. Enumerable.Range(1, setup.Nodes).Select(number => new NodeId(number))];
        var view = PeerView.Of(nodes);
        var options = setup.Options with { Period = s_round, Jitter = Duration.Zero };
        _cluster = new Cluster(_world, _network, new()
        {
            Nodes = nodes,
            Create = start => new Rumors(start.Self, options, view),
            Messages = new Rumors.MessageWire(),
            Records = new RumorRecordWire(),
            SegmentBytes = 8 << 10,
            Machine = new MachineConditions { SlowSyncPerMillion = 0 },
            Clocks = new ClockConditions { Bound = Duration.Zero, RatePerMillion = 0 },
            Watcher = _copies,
        })
        {
            Executed = (_, _, _) => _knew++,
        };
    }

    /// <summary>Runs it once.</summary>
    public static SpreadOutcome Run(SpreadSetup setup) => new RumorSpread(setup).Run();

    void IAnswerReceiver<RumorResult>.OnAnswer(NodeId node, long tag, RumorResult result)
    {
    }

    void IAnswerReceiver<RumorResult>.OnLost(NodeId node, long tag)
    {
    }

    private SpreadOutcome Run()
    {
        _cluster.Start();
        _world.RunUntil(Duration.FromMilliseconds(10));
        var live = new List<NodeId>(_cluster.Nodes);
        for (var down = (int)((long)_setup.Nodes * _setup.DownPerMille / 1_000); down > 0; down--)
        {
            var index = _world.Random.Below(live.Count);
            _cluster.Crash(live[index]);
            (live[index], live[^1]) = (live[^1], live[index]);
            live.RemoveAt(live.Count - 1);
        }

        _cluster.Submit(live[_world.Random.Below(live.Count)], new RumorCommand.Spread(new byte[32]), this, 0);
        var curve = new List<int> { _knew };
        while (curve.Count <= MostRounds && (_setup.UntilCold ? !IsCold(live) : _knew < live.Count))
        {
            _world.RunUntil(s_round * curve.Count + Duration.FromMilliseconds(95));
            curve.Add(_knew);
        }

        return new SpreadOutcome(live.Count, curve, _copies.Copies, _copies.Contacts, _copies.Messages, _network.Bytes);
    }

    private bool IsCold(List<NodeId> live) => live.All(node => ((Rumors)_cluster[node].Protocol!).Hot == 0);

    /// <summary>Counts what leaves.</summary>
    private sealed class CopyCount : NodeWatcher<Rumors.Message, RumorRecord, RumorCommand, RumorResult>
    {
        public long Copies { get; private set; }

        public long Contacts { get; private set; }

        public long Messages { get; private set; }

        public override void OnStepped(NodeId node, Outbox<Rumors.Message, RumorRecord, RumorCommand, RumorResult> outbox)
        {
            foreach (ref readonly var sent in outbox.Messages)
            {
                Messages++;
                Contacts += sent.Message is Rumors.Message.Push or Rumors.Message.Pull ? 1 : 0;
                Copies += sent.Message switch
                {
                    Rumors.Message.Push push => push.Rumors.Length,
                    Rumors.Message.Pull pull => pull.Rumors.Length,
                    Rumors.Message.Offer offer => offer.Rumors.Length,
                    _ => 0,
                };
            }
        }
    }
}
