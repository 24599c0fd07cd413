using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;
using static Synod.Protocols.Tests.HotStuffRoom.Chains;

namespace Synod.Protocols.Tests.HotStuffRoom;

using Play = Stage<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;

/// <summary>Fetching the state of a stable checkpoint (hotstuff.md §7): the proof, the parts, and what does not change by it.</summary>
public sealed class TransferTests
{
    private const int View = (int)HotStuff.Timer.View;

    private readonly HotStuffGroup _group = Group(new JolteonRules());

    /// <summary>N4 missed all blocks. Three that have dropped what is below the sixth show it the seventh and what led to it.</summary>
    [Fact]
    public void An_answer_to_a_laggard_ends_where_it_becomes_too_long_to_be_sent()
    {
        var group = _group.With(options => options with { MaxFetchedBytes = 1, CheckpointPeriod = 100 });
        var play = group.Stage();
        group.Feed(play, N1, 1, 5);
        play.Receive(N4, N1, new HotStuff.Message.Fetch(group.Block(5).Digest, 0));
        Assert.Equal(group.Block(5), Assert.Single(play.Between(N1, N4).OfType<HotStuff.Message.Blocks>().Single().Chain));
    }

    [Fact]
    public void Who_asks_for_what_was_dropped_is_shown_a_proof_and_goes_on_from_the_state()
    {
        var play = Lagging(_group);
        Settle(play, N4);
        var at = play.At(N4);
        Assert.Equal((6L, 6L, 7L), (at.Stable.Height, at.Tree.Root.View, at.Executed.Value));
        Assert.Equal(at.High.Block, at.Tree.Find(at.High.Block)!.Digest);
        Assert.Equal([7L], play.Executions(N4).Select(item => item.Position.Value));
        Assert.Contains(play.Log(N4), record => record is HotStuff.Record.Based);
        Assert.False(at.IsFetchingState);
        Assert.True(HotStuff.Agree([at, play.At(N1), play.At(N2), play.At(N3)]));

        // It votes again, and the next commit is the next position.
        play.Sync(N4);
        Assert.Equal(9, play.Votes(N4).Last().View);
        _group.Feed(play, N4, 10, 10);
        Assert.Equal([7L, 8L], play.Executions(N4).Select(item => item.Position.Value));
    }

    /// <summary>§8.7: what was executed of each client came with the state.</summary>
    [Theory]
    [InlineData(nameof(HotStuffMutation.None))]
    [InlineData(nameof(HotStuffMutation.ClientsForgotten))]
    public void Nothing_is_executed_again_after_a_transfer(string mistake)
    {
        var mutation = Enum.Parse<HotStuffMutation>(mistake);
        var group = _group.With(options => options with { Mutation = mutation });
        var play = Lagging(group);
        Settle(play, N4);
        var again = new Block(10, group.Certificate(9), [group.Command("x+", 6), group.Command("x+", 5)]);
        play.Receive(N2, N4, Staging.Propose(again));
        var certified = group.Certify(again, NodeSet.Of(N1, N2, N3));
        var after = new Block(11, certified, []);
        play.Receive(N3, N4, Staging.Propose(after));
        play.Receive(N4, N4, Staging.Propose(new Block(12, group.Certify(after, NodeSet.Of(N1, N2, N3)), [])));
        Assert.Equal(mutation == HotStuffMutation.None, play.Executions(N4).All(item => item.Command.Sequence > 6));
        if (mutation == HotStuffMutation.None)
        {
            Assert.Equal([7L, 8L, 9L], play.Executions(N4).Select(item => item.Position.Value));
        }
    }

    /// <summary>Clients that wait are answered from the state, as if it had been executed here.</summary>
    [Fact]
    public void Who_waits_is_answered_from_the_fetched_state()
    {
        var play = _group.Stage();
        play.Submit(N4, _group.Command("x+", 5));
        play.Submit(N4, _group.Command("x+", 6));
        Lag(_group, play);
        Settle(play, N4);
        play.Submit(N4, _group.Command("x+", 6));
        play.Sync(N4);
        Assert.Equal(
            new HotStuff.Result[] { new HotStuff.Result.Superseded(), Sixth(), Sixth() }, play.Answers(N4).Select(answer => answer.Result));
        Assert.Equal(2, play.At(N4).WaitingCommands);

        static HotStuff.Result.Executed Sixth() => new(new Slot(6), Key.Of("6").Memory);
    }

    /// <summary>§8.4: an install is about what was executed. Lock and highest certificate, votes and views given up stay.</summary>
    [Theory]
    [InlineData(nameof(HotStuffMutation.None))]
    [InlineData(nameof(HotStuffMutation.LockForgottenOnInstall))]
    public void What_it_is_locked_on_and_has_said_outlives_the_transfer(string mistake)
    {
        var mutation = Enum.Parse<HotStuffMutation>(mistake);
        var group = Group(new BasicRules()).With(options => options with { Mutation = mutation });
        var play = group.Stage();
        group.Feed(play, N4, 1, 1);
        play.Receive(N1, N4, new HotStuff.Message.Certified(group.Certificate(1)));
        play.Receive(N1, N4, new HotStuff.Message.Certified(group.Certificate(1, VotePhase.PreCommit)));
        Assert.Equal((1L, 1L), (play.At(N4).Locked.View, play.At(N4).VotedView));
        Lag(group, play);
        if (mutation == HotStuffMutation.None)
        {
            Settle(play, N4);
            Assert.Equal((1L, VotePhase.PreCommit, 8L), (play.At(N4).Locked.View, play.At(N4).Locked.Phase, play.At(N4).Executed.Value));
            Assert.Equal(play.At(N1).High, play.At(N4).High);
            Assert.Equal(9, play.At(N4).VotedView);
        }
        else
        {
            Assert.Equal(HotStuff.CertificatesGrow, Assert.Throws<InvariantViolation>(() => Settle(play, N4)).Invariant);
        }
    }

    /// <summary>A part that its digest does not prove is refused and counted, and the next of those who signed is asked.</summary>
    [Theory]
    [InlineData(nameof(HotStuffMutation.None))]
    [InlineData(nameof(HotStuffMutation.PartsUnchecked))]
    public void A_part_that_does_not_match_is_refused_and_another_member_asked(string mistake)
    {
        var mutation = Enum.Parse<HotStuffMutation>(mistake);
        var group = _group.With(options => options with { Mutation = mutation });
        var play = Lagging(group);
        var asked = Asked(play, level => level == 0);
        var fetch = (HotStuff.Message.FetchState)asked.Message;
        var forged = new HotStuff.Message.StatePart(fetch.Height, 0, fetch.Index, new byte[group.Options.PageSize]);
        var before = play.Refusals(N4).Count;
        play.Receive(asked.To, N4, forged);
        if (mutation == HotStuffMutation.PartsUnchecked)
        {
            Assert.Equal(before, play.Refusals(N4).Count);
            Assert.Equal(HotStuff.StateIsWhole, Assert.Throws<InvariantViolation>(() => Settle(play, N4)).Invariant);
            return;
        }

        Assert.Equal([Refusal.Forged], play.Refusals(N4).Skip(before));
        play.Sync(N4);
        Assert.NotEqual(asked.To, play.Network.Last(item => item.Message is HotStuff.Message.FetchState).To);
        play.Receive(N1, N4, forged with { Height = 4 });
        play.Receive(N1, N4, forged with { Level = 5 });
        Assert.Equal([Refusal.Unexpected, Refusal.Unexpected], play.Refusals(N4).TakeLast(2));
        Settle(play, N4);
        Assert.Equal((6L, 7L), (play.At(N4).Stable.Height, play.At(N4).Executed.Value));
    }

    /// <summary>§6: whoever says nothing is left for another one at the next wait.</summary>
    [Fact]
    public void A_source_that_falls_silent_is_left_for_another()
    {
        var play = Lagging(_group);
        var asked = Asked(play, level => level > 0);
        Settle(play, N4, asked.To);
        Assert.True(play.At(N4).IsFetchingState);
        for (var wait = 0; wait < 3 && play.At(N4).IsFetchingState; wait++)
        {
            play.Fire(N4, View);
            Settle(play, N4, asked.To);
        }

        Assert.Equal(6, play.At(N4).Stable.Height);
    }

    /// <summary>The proof is worth what its signatures are, and only to who asked.</summary>
    [Theory]
    [InlineData(nameof(HotStuffMutation.None))]
    [InlineData(nameof(HotStuffMutation.CheckpointsUnchecked))]
    public void A_checkpoint_without_a_quorum_of_signatures_is_refused(string mistake)
    {
        var mutation = Enum.Parse<HotStuffMutation>(mistake);
        var group = _group.With(options => options with { Mutation = mutation });
        var play = Lagging(group);
        play.Sync(N4);
        var checkpoint = play.At(N1).Stable;
        var forged = new HotStuff.Message.Stable(group.Prove(checkpoint with { State = Digest.Of("false"u8) }, NodeSet.Of(N1, N2)));
        play.Receive(N1, N4, forged);
        Assert.Equal(mutation == HotStuffMutation.CheckpointsUnchecked, play.At(N4).IsFetchingState);
        if (mutation != HotStuffMutation.None)
        {
            return;
        }

        Assert.Equal(Refusal.Forged, play.Refusals(N4)[^1]);
        var proven = new HotStuff.Message.Stable(group.Prove(checkpoint, NodeSet.Of(N1, N2, N3)));
        play.Receive(N1, N3, new HotStuff.Message.Stable(group.Prove(checkpoint with { Height = 40 }, NodeSet.Of(N1, N2, N3))));
        Assert.Equal(Refusal.Unexpected, play.Refusals(N3)[^1]);
        play.Receive(N1, N4, proven);
        play.Receive(N2, N4, proven);
        Assert.Equal(Refusal.Duplicate, play.Refusals(N4)[^1]);
        play.Receive(N4, N1, new HotStuff.Message.FetchState(checkpoint.Height, 9, 9));
        Assert.Equal(Refusal.Unknown, play.Refusals(N1)[^1]);
    }

    /// <summary>Who has the block needs no state: a quorum says that it is committed.</summary>
    [Fact]
    public void A_proof_of_a_block_that_is_here_commits_it()
    {
        var play = _group.Stage();
        Stabilise(_group, play, N1, 6, N2, N3);
        _group.Feed(play, N4, 1, 4);
        var missing = new Block(6, _group.Certificate(5), []);
        play.Receive(N2, N4, new HotStuff.Message.Sync(Staging.Showing(_group.Certify(missing, NodeSet.Of(N1, N2, N3)))));
        Assert.Equal((2L, 2L), (play.At(N4).Tree.Height, play.At(N4).Executed.Value));
        play.Receive(N1, N4, new HotStuff.Message.Stable(_group.Prove(play.At(N1).Stable, NodeSet.Of(N1, N2, N3))));
        Assert.Equal((4L, 4L, 4L), (play.At(N4).Tree.Height, play.At(N4).Executed.Value, play.At(N4).Stable.Height));
        Assert.Equal([1L, 2L, 3L, 4L], play.Executions(N4).Select(item => item.Position.Value));
        Assert.False(play.At(N4).IsFetchingState);
        play.Sync(N4);
        play.Crash(N4);
        Assert.Equal((4L, 4L), (play.At(N4).Tree.Height, play.At(N4).Stable.Height));
    }

    /// <summary>The sources went on in the meantime: what they now have is fetched instead.</summary>
    [Fact]
    public void A_state_that_is_gone_is_given_up_for_a_newer_one()
    {
        var play = Lagging(_group);
        Asked(play, level => level == 0);
        play.Network.RemoveAll(item => item.Message is HotStuff.Message.StatePart);
        foreach (var node in new[] { N1, N2, N3 })
        {
            _group.Feed(play, node, 9, 10);
        }

        Confirm(_group, play);
        Assert.Equal(8, play.At(N1).Stable.Height);
        for (var wait = 0; wait < 2; wait++)
        {
            play.Fire(N4, View);
            Settle(play, N4);
        }

        Assert.Equal(8, play.At(N4).Stable.Height);
    }

    /// <summary>Proof and state are one record: a crash leaves both or none.</summary>
    [Fact]
    public void A_crash_after_the_transfer_begins_from_the_state_and_one_before_from_what_was()
    {
        foreach (var isDurable in new[] { true, false })
        {
            var play = Lagging(_group);
            Until(play, () => play.Log(N4).Any(record => record is HotStuff.Record.Based));
            if (isDurable)
            {
                play.Sync(N4);
            }

            play.Crash(N4);
            Assert.Equal(isDurable ? (6L, 7L) : (0L, 0L), (play.At(N4).Stable.Height, play.At(N4).Executed.Value));
            Assert.DoesNotContain(play.Executions(N4), item => item.Position.Value <= 6);
            Settle(play, N4);
            Assert.Equal(6, play.At(N4).Stable.Height);
        }
    }

    private static Play Lagging(HotStuffGroup group) => Lag(group, group.Stage());

    /// <summary>Three members are at the eighth block, and have dropped what is below a checkpoint; the ninth is proposed to the fourth.</summary>
    private static Play Lag(HotStuffGroup group, Play play)
    {
        foreach (var node in new[] { N1, N2, N3 })
        {
            group.Feed(play, node, 1, 8);
        }

        Confirm(group, play);
        foreach (var node in new[] { N1, N2, N3 })
        {
            group.Feed(play, node, 9, 9);
        }

        play.Network.Clear();
        group.Feed(play, N4, 9, 9);
        return play;
    }

    private static void Confirm(HotStuffGroup group, Play play)
    {
        foreach (var node in new[] { N1, N2, N3 })
        {
            foreach (var other in new[] { N1, N2, N3 }.Where(other => other != node))
            {
                play.Receive(other, node, group.Checkpoint(other, Own(play, other)));
            }
        }

        foreach (var node in new[] { N1, N2, N3 })
        {
            play.Sync(node);
        }

        play.Network.Clear();
    }

    /// <summary>Lets N4 fetch until it asks for a part on some level.</summary>
    private static InFlight<HotStuff.Message> Asked(Play play, Func<int, bool> isLevel)
    {
        Func<InFlight<HotStuff.Message>, bool> isIt = item => item.Message is HotStuff.Message.FetchState fetch && isLevel(fetch.Level);
        Until(play, () => play.Network.Any(isIt));
        return play.Network.First(isIt);
    }

    /// <summary>Lets N4 fetch, one message at a time, until something has happened.</summary>
    private static void Until(Play play, Func<bool> isReached)
    {
        for (var step = 0; step < 400 && !isReached(); step++)
        {
            foreach (var node in new[] { N1, N2, N3 })
            {
                play.Sync(node);
            }

            if (play.Network.FirstOrDefault(item => item.From == N4 || item.To == N4) is { Message: not null } next)
            {
                play.Network.Remove(next);
                play.Receive(next.From, next.To, next.Message);
            }
            else
            {
                play.Sync(N4);
            }
        }

        Assert.True(isReached());
    }
}
