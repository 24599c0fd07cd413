using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using static Synod.Lab.Worlds.HotStuffGroup;

namespace Synod.Protocols.Tests.HotStuffRoom;

using Play = Stage<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;

/// <summary>
/// A chain with a block in each view, of which each adds one to a counter, and replicas that were led along it for some way. The first
/// six commands are of one client, those after them of others.
/// </summary>
internal static class Chains
{
    private static readonly NodeSet s_quorum = NodeSet.Of(N1, N2, N3);

    /// <summary>A group with a checkpoint at every other block, and small pages.</summary>
    public static HotStuffGroup Group(IHotStuffRules rules) => Of(4, rules).With(options => options with
    {
        CheckpointPeriod = 2,
        PageSize = 32,
        FanOut = 2,
        MaxFetched = 3,
    });

    public static Block Block(this HotStuffGroup group, long view) => view == 0
        ? Genesis.Block
        : new Block(view, group.Certificate(view - 1), [group.Command("x+", view, FirstClient + (int)((view - 1) / 6))]);

    public static QuorumCertificate Certificate(this HotStuffGroup group, long view, VotePhase phase = VotePhase.Prepare) =>
        view == 0 ? Genesis.Certificate : group.Certify(group.Block(view), s_quorum, phase);

    /// <summary>The proposal of a view, by its leader.</summary>
    public static HotStuff.Message.Proposal Proposal(this HotStuffGroup group, long view)
    {
        var decision = group.Options.Rules.Phases == 1
            ? Genesis.Certificate
            : group.Certificate(view - 1, (VotePhase)(group.Options.Rules.Phases - 1));
        return new(group.Block(view), decision, TimeoutCertificate.None);
    }

    public static void Feed(this HotStuffGroup group, Play play, NodeId node, int from, int through)
    {
        for (var view = from; view <= through; view++)
        {
            play.Receive(group.Options.Leaders.LeaderOf(view), node, group.Proposal(view));
        }
    }

    /// <summary>Leads a node to a view and lets others confirm each checkpoint of it.</summary>
    public static void Stabilise(HotStuffGroup group, Play play, NodeId node, int view, params NodeId[] others)
    {
        group.Feed(play, node, 1, view);
        foreach (var saved in play.Log(node).OfType<HotStuff.Record.Saved>().ToList())
        {
            foreach (var other in others)
            {
                play.Receive(other, node, group.Checkpoint(other, saved.Checkpoint));
            }
        }
    }

    /// <summary>The last checkpoint that a node took.</summary>
    public static ChainCheckpoint Own(Play play, NodeId node) => play.Log(node).OfType<HotStuff.Record.Saved>().Last().Checkpoint;

    public static Certificates Shown(this HotStuff at) => new(at.High, at.Decision, TimeoutCertificate.None);

    /// <summary>Delivers whatever goes to a node and comes from it about blocks and states, until there is no more.</summary>
    public static void Settle(Play play, NodeId node, params NodeId[] silent)
    {
        while (true)
        {
            foreach (var member in new[] { N1, N2, N3, N4 })
            {
                play.Sync(member);
            }

            play.Network.RemoveAll(item => silent.Contains(item.From));
            var next = play.Network.FirstOrDefault(item => (item.To == node || item.From == node)
                && item.Message is HotStuff.Message.Fetch or HotStuff.Message.Blocks or HotStuff.Message.Stable
                    or HotStuff.Message.FetchState or HotStuff.Message.StatePart);
            if (next.Message is null)
            {
                return;
            }

            play.Network.Remove(next);
            play.Receive(next.From, next.To, next.Message);
        }
    }
}
