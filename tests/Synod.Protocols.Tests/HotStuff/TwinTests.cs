using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>
/// Schedules of splits and leaders by rounds with one member of four running twice (Bano et al. 2021): all of the first rounds, and
/// seven rounds at random.
/// </summary>
public sealed class TwinTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("hotstuff-basic", 1_359)]
    [InlineData("hotstuff-chained", 4_907)]
    [InlineData("hotstuff-2", 2_517)]
    [InlineData("jolteon", 4_907)]
    public void One_twin_of_four_breaks_nothing_in_any_schedule_of_two_rounds_even_if_it_alters_a_message(string rules, int states)
    {
        var result = HotStuffTwins.Model(HotStuffGroup.Rules(rules), rounds: 2, lies: 1).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Theory]
    [InlineData("hotstuff-basic", 1_221)]
    [InlineData("hotstuff-chained", 8_583)]
    [InlineData("hotstuff-2", 4_539)]
    [InlineData("jolteon", 8_713)]
    public void One_twin_of_four_breaks_nothing_in_any_schedule_of_three_rounds(string rules, int states)
    {
        var result = HotStuffTwins.Model(HotStuffGroup.Rules(rules), rounds: 3).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Fact]
    public void Threads_that_share_the_last_round_judge_what_one_judges()
    {
        static RoundModel<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result> Make() =>
            HotStuffTwins.Model(new HotStuff2Rules(), rounds: 3) with { OnlyJudgesLast = true };

        var (alone, shared) = (RoundExplorer.Explore(Make, jobs: 1), RoundExplorer.Explore(Make, jobs: 3));
        output.WriteLine(shared.ToString());
        Assert.Equal((alone.States, alone.Moves, alone.Combinations), (shared.States, shared.Moves, shared.Combinations));
        Assert.Equal(HotStuffTwins.Model(new HotStuff2Rules(), rounds: 3).Explore().Moves, shared.Moves);
        Assert.True(shared.IsComplete);
        Assert.Empty(shared.Unreached);
    }

    /// <summary>As the paper prunes: the twins and one other lead, and in each round some quorum hears each other.</summary>
    [Theory]
    [InlineData("hotstuff-basic", 2_790)]
    [InlineData("hotstuff-chained", 12_687)]
    [InlineData("hotstuff-2", 6_385)]
    [InlineData("jolteon", 12_701)]
    public void One_twin_of_four_breaks_nothing_in_any_pruned_schedule_of_four_rounds(string rules, int states)
    {
        var result = HotStuffTwins.Model(HotStuffGroup.Rules(rules), rounds: 4, pruned: true).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Theory]
    [InlineData("hotstuff-basic", 0)]
    [InlineData("hotstuff-chained", 1)]
    [InlineData("hotstuff-2", 0)]
    [InlineData("jolteon", 2)]
    public void Seven_rounds_at_random_break_nothing(string rules, int lies)
    {
        var result = HotStuffTwins.Model(HotStuffGroup.Rules(rules), rounds: 7, lies: lies).Wander(seed: 7, schedules: 100);
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
    }

    /// <summary>The schedule that shows why the views of a chain must follow each other (hotstuff.md §4, §9).</summary>
    [Fact]
    public void The_vulnerable_rules_commit_two_chains()
    {
        var result = HotStuffTwins.Model(new VulnerableRules(), rounds: 6).Wander(seed: 1, schedules: 20_000);
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(result.Counterexample.Property, (string[])[HotStuff.Agreement, HotStuff.CommittedStays]);
    }
}
