using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Exact counts of messages between different nodes, and of message delays, against the formulas of hotstuff.md §10.</summary>
public sealed class CountTests
{
    private const int Commands = 8;

    private static readonly Duration Delay = Duration.FromMilliseconds(1);

    /// <summary>Every message takes as long as any other, and nothing else takes any time.</summary>
    private static readonly FaultPlan Even = new()
    {
        Machine = new MachineConditions { LeastSync = Duration.Zero, MostSync = Duration.Zero, SlowSyncPerMillion = 0 },
        Links = new LinkConditions { LeastDelay = Delay, MostDelay = Delay },
    };

    public static TheoryData<string, int> Sizes()
    {
        var sizes = new TheoryData<string, int>();
        foreach (var rules in new[] { "hotstuff-basic", "hotstuff-chained", "hotstuff-2", "jolteon" })
        {
            foreach (var nodes in new[] { 4, 16, 64, 128 })
            {
                sizes.Add(rules, nodes);
            }
        }

        return sizes;
    }

    /// <summary>One command a block, all waiting from the start; after them the blocks without commands that commit the last one.</summary>
    [Theory]
    [MemberData(nameof(Sizes))]
    public void Messages_of_a_decision_are_linear(string rules, int nodes)
    {
        var run = Quiet(rules, nodes);
        var before = run.Sent.ToDictionary();
        foreach (var sequence in Enumerable.Range(2, Commands))
        {
            run.SubmitToAll(run.Group.Command($"{sequence}", sequence));
        }

        run.World.RunUntil(Seconds(8));
        Assert.All(run.Replicas.Values, replica => Assert.Equal(1 + Commands, replica.Executed.Value));
        var sent = run.Sent.ToDictionary(item => item.Key, item => item.Value - before.GetValueOrDefault(item.Key));
        var (others, expected) = (nodes - 1, new SortedDictionary<string, long>(StringComparer.Ordinal));
        switch (rules)
        {
            case "hotstuff-basic":
                // 8(n-1): a report, four broadcasts, three votes.
                expected["NewView"] = Commands * others;
                expected["Proposal"] = Commands * others;
                expected["Vote"] = 3 * Commands * others;
                expected["Certified"] = 3 * Commands * others;
                break;
            case "hotstuff-chained":
                // 2(n-1), three blocks more.
                expected["Proposal"] = expected["Vote"] = (Commands + 3) * others;
                break;
            case "hotstuff-2":
                // 4(n-1), one block more.
                expected["Proposal"] = expected["Certified"] = (Commands + 1) * others;
                expected["Vote"] = 2 * (Commands + 1) * others;
                break;
            default:
                // 2(n-1), two blocks more.
                expected["Proposal"] = expected["Vote"] = (Commands + 2) * others;
                break;
        }

        Assert.Equal(expected, sent.Where(item => item.Value > 0).ToDictionary());
    }

    [Theory]
    [InlineData("hotstuff-basic", 7)]
    [InlineData("hotstuff-chained", 7)]
    [InlineData("hotstuff-2", 5)]
    [InlineData("jolteon", 5)]
    public void Delays_from_proposal_to_commit(string rules, int delays)
    {
        var run = Quiet(rules, 4);
        var proposedAt = 0L;
        var committedAt = new SortedSet<long>();
        run.OnSent = (_, _, message) =>
            proposedAt = message is HotStuff.Message.Proposal { Block.Commands.IsEmpty: false } ? run.World.Now : proposedAt;
        run.OnDone = (_, _) => committedAt.Add((run.World.Now - proposedAt) / Delay.Nanoseconds);
        run.SubmitToAll(run.Group.Command("x", 2));
        run.World.RunUntil(Seconds(8));

        // Whoever collects the last votes knows one delay before it can tell the others.
        Assert.Equal([delays - 1, delays], committedAt);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(64)]
    public void A_failed_view_costs_linearly_many_messages_if_time_outs_go_to_the_next_leader(int nodes)
    {
        var run = FailedView(nodes, TimeoutSpread.NextLeaders);
        Assert.Equal(nodes - 2, run.Sent["Timeout"]);
        Assert.False(run.Sent.ContainsKey("Sync"));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(64)]
    public void A_failed_view_costs_quadratically_many_if_they_go_to_everyone(int nodes)
    {
        var run = FailedView(nodes, TimeoutSpread.Everyone);
        Assert.Equal((nodes - 1) * (nodes - 1), run.Sent["Timeout"]);
        Assert.Equal(nodes - 2, run.Sent["Sync"]);
    }

    /// <summary>The first leader is down; the second one makes the time-out certificate and commits.</summary>
    private static HotStuffWorld FailedView(int nodes, TimeoutSpread spread)
    {
        var run = Quiet("jolteon", nodes, spread, served: false);
        run.Cluster.Crash(new NodeId(1));
        run.SubmitToAll(run.Group.Command("x"));
        Assert.True(run.World.RunUntil(() => run.Agreed == 1, Seconds(5)));
        return run;
    }

    /// <summary>A group that has started, served its first command unless told otherwise, and has nothing to do.</summary>
    private static HotStuffWorld Quiet(string rules, int nodes, TimeoutSpread spread = TimeoutSpread.Everyone, bool served = true)
    {
        var group = HotStuffGroup.Of(nodes, HotStuffGroup.Rules(rules)).With(options => options with { MaxCommands = 1, Spread = spread });
        var run = new HotStuffWorld(1, Even, group, clients: 0);
        run.World.RunUntil(Duration.FromMilliseconds(50));
        if (served)
        {
            run.SubmitToAll(group.Command("first"));
            run.World.RunUntil(Seconds(4));
        }

        return run;
    }

    private static Duration Seconds(int count) => Duration.FromSeconds(count);
}
