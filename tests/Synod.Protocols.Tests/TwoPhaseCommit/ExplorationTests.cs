using Synod.Core;
using Synod.Exploration;
using Xunit;
using Bank = Synod.Lab.Worlds.TwoPhaseCommitWorld;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

/// <summary>Every run of a small bank (commit.md §1.5). The numbers of states are part of the claim: a change of them wants a reason.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public void Two_participants_and_two_crashes_agree() => Agrees(
        2, new Budgets { Crashes = 2, Timers = 2 }, states: 306_596);

    [Fact]
    public void Three_participants_and_a_crash_agree() => Agrees(
        3, new Budgets { Crashes = 1, Timers = 0, TimersOfKind = Bank.Firings(vote: 1, inquire: 1, resend: 1) }, states: 195_231);

    [Fact]
    public void Two_participants_agree_when_messages_are_lost_and_doubled() => Agrees(
        2, new Budgets { Crashes = 1, Timers = 1, Drops = 1, Duplicates = 1 }, states: 95_598);

    [Fact]
    public void One_participant_decides_alone_and_the_client_hears_it()
    {
        var model = Bank.Model(1, new Budgets { Crashes = 1, Timers = 2, Drops = 1, Duplicates = 1 })
            .Sometimes("committed", world => Bank.Applied(world[Bank.A], Bank.First))
            .Eventually("everybody ended", world =>
                world.Nodes.All(node => Bank.Instance(node).Ledger.InDoubt.Count == 0 && Bank.Instance(node).Open.Count == 0));
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.Equal(288, result.States);
    }

    [Fact]
    public void Mirrored_worlds_are_visited_once()
    {
        var model = Bank.Model(2, new Budgets { Crashes = 1, Timers = 1 });
        var all = model.Explore();
        var half = (model with { Interchangeable = NodeSet.Of(Bank.A, Bank.B) }).Explore();
        Assert.InRange(half.States, all.States / 2, all.States / 2 * 11 / 10);
        Assert.Equal(all.Depth, half.Depth);
    }

    private void Agrees(int participants, Budgets budgets, int states)
    {
        var model = Bank.Model(participants, budgets)
            .Sometimes("committed", world => world.Nodes.Skip(1).All(node => Bank.Applied(node, Bank.First)))
            .Sometimes("aborted", world => world.Nodes.Skip(1).All(node => Bank.IsAborted(node, Bank.First)))
            .Sometimes("all in doubt", world => world.Nodes.Skip(1).All(node => Bank.Instance(node).Ledger.InDoubt.Count == 1))
            .Sometimes("unblocked by a peer", world => world.Network.Any(item => item.From != Bank.Coordinator && item.Message is TwoPhase.Message.Outcome))
            .Eventually("everybody ended", world =>
                world.Nodes.All(node => Bank.Instance(node).Ledger.InDoubt.Count == 0 && Bank.Instance(node).Open.Count == 0));
        var result = (model with { Interchangeable = participants > 2 ? NodeSet.Of(Bank.A, Bank.B, Bank.C) : default }).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }
}
