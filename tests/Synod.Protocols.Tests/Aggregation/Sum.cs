using Synod.Core;
using Synod.Protocols.Gossip;

namespace Synod.Protocols.Tests.Aggregation;

using Play = Stage<Synod.Protocols.Gossip.Aggregation.Message, Synod.Protocols.Gossip.Aggregation.Record, Synod.Protocols.Gossip.Aggregation.Command, Synod.Protocols.Gossip.Aggregation.Result>;
using Process = Synod.Protocols.Gossip.Aggregation;

/// <summary>A few nodes that add up. On a stage choices are zero, so that each sends to the first of the others.</summary>
internal static class Sum
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public const int Round = (int)Process.Timer.Round;
    public const int Metric = 7;

    public static AggregationOptions Options { get; } = new() { EpochRounds = 4, ListenRounds = 1 };

    public static Play Stage(int nodes = 3, AggregationOptions? options = null)
    {
        NodeId[] all = [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))];
        return new Play(node => new Process(node, options ?? Options, PeerView.Of(all)), _ => "Round", all).Begin();
    }

    public static Process At(this Play play, NodeId node) => (Process)play[node];

    public static Process.Command Observe(params long[] readings) => new Process.Command.Observe(Metric, [.. readings]);

    /// <summary>Observes on each node, in order, and lets all of them into the first epoch.</summary>
    public static Play InFirstEpoch(params long[] readings)
    {
        var play = Stage(readings.Length);
        for (var index = 0; index < readings.Length; index++)
        {
            play.Submit(new NodeId(index + 1), Observe(readings[index]));
            play.Fire(new NodeId(index + 1), Round);
        }

        for (var index = 0; index < readings.Length; index++)
        {
            play.Fire(new NodeId(index + 1), Round);
            play.Sync(new NodeId(index + 1));
        }

        return play;
    }
}
