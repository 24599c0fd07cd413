using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;
using static Synod.Protocols.Tests.HotStuffRoom.Chains;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Checkpoints of the committed chain, and the end of what is below them (hotstuff.md §7). Jolteon commits two views after a proposal.</summary>
public sealed class CheckpointTests
{
    private readonly HotStuffGroup _group = Group(new JolteonRules());

    /// <summary>Others drop their logs on this word.</summary>
    [Fact]
    public void A_checkpoint_is_told_after_its_state_is_durable()
    {
        var play = _group.Stage();
        _group.Feed(play, N4, 1, 3);
        Assert.DoesNotContain(play.Log(N4), record => record is HotStuff.Record.Saved);
        _group.Feed(play, N4, 4, 4);
        Assert.DoesNotContain(play.Network, item => item.Message is HotStuff.Message.Checkpoint);
        var saved = Assert.Single(play.Log(N4).OfType<HotStuff.Record.Saved>());
        Assert.Equal((2L, 2L, 2L), (saved.Checkpoint.Height, saved.Checkpoint.View, saved.Checkpoint.Position.Value));
        play.Sync(N4);
        Assert.Equal([N1, N2, N3], play.Network.Where(item => item.Message is HotStuff.Message.Checkpoint).Select(item => item.To));
    }

    /// <summary>n - f, so that f + 1 correct ones keep the state; only then is what led to it dropped.</summary>
    [Theory]
    [InlineData(nameof(HotStuffMutation.None))]
    [InlineData(nameof(HotStuffMutation.SmallCheckpointQuorum))]
    [InlineData(nameof(HotStuffMutation.DroppedBeforeStable))]
    public void It_is_stable_with_a_quorum_of_equal_words_and_the_chain_below_is_dropped_then(string mistake)
    {
        var mutation = Enum.Parse<HotStuffMutation>(mistake);
        var group = _group.With(options => options with { Mutation = mutation });
        var play = group.Stage();
        group.Feed(play, N4, 1, 4);
        Assert.Equal(mutation == HotStuffMutation.DroppedBeforeStable ? 2 : 0, play.At(N4).Tree.Root.View);
        var own = Own(play, N4);
        play.Receive(N1, N4, group.Checkpoint(N1, own));
        play.Receive(N1, N4, group.Checkpoint(N1, own));
        play.Receive(N2, N4, group.Checkpoint(N2, own with { State = Digest.Of("other"u8) }));
        play.Receive(N2, N4, group.Checkpoint(N2, own));
        var isSmall = mutation == HotStuffMutation.SmallCheckpointQuorum;
        Assert.Equal(isSmall ? 2 : 0, play.At(N4).Stable.Height);
        if (mutation == HotStuffMutation.None)
        {
            Assert.Equal([Refusal.Duplicate, Refusal.Equivocation], play.Refusals(N4));
            Assert.NotNull(play.At(N4).Tree.Find(Genesis.Block.Digest));
            play.Receive(N3, N4, group.Checkpoint(N3, own));
            Assert.Equal((2L, 2L, 2L), (play.At(N4).Stable.Height, play.At(N4).Tree.Root.View, play.At(N4).Tree.Height));
            Assert.IsType<HotStuff.Record.Stable>(play.Log(N4)[^1]);
            Assert.All(new[] { Genesis.Block, group.Block(1) }, block => Assert.Null(play.At(N4).Tree.Find(block.Digest)));
            Assert.Equal([2L, 3L, 4L], new[] { 2, 3, 4 }.Select(view => play.At(N4).Tree.Find(group.Block(view).Digest)!.View));
        }
    }

    /// <summary>A word for a state that this replica has not reached makes it drop nothing. It counts again when it gets there.</summary>
    [Fact]
    public void Who_has_not_come_so_far_keeps_what_it_has()
    {
        var play = _group.Stage();
        _group.Feed(play, N1, 1, 4);
        foreach (var member in new[] { N1, N2, N3 })
        {
            play.Receive(member, N4, _group.Checkpoint(member, Own(play, N1)));
        }

        Assert.Equal(0, play.At(N4).Stable.Height);
        _group.Feed(play, N4, 1, 4);
        Assert.Equal(2, play.At(N4).Stable.Height);
    }

    /// <summary>All correct members say the same, so whoever hears a quorum say otherwise has executed something else.</summary>
    [Fact]
    public void A_quorum_that_says_otherwise_is_a_broken_invariant()
    {
        var play = _group.Stage();
        _group.Feed(play, N4, 1, 4);
        var other = Own(play, N4) with { State = Digest.Of("other"u8) };
        play.Receive(N1, N4, _group.Checkpoint(N1, other));
        play.Receive(N2, N4, _group.Checkpoint(N2, other));
        var violation = Assert.Throws<InvariantViolation>(() => play.Receive(N3, N4, _group.Checkpoint(N3, other)));
        Assert.Equal(HotStuff.CheckpointsAgree, violation.Invariant);
    }

    [Fact]
    public void Words_that_cannot_be_are_refused_and_those_to_come_do_not_fill_memory()
    {
        var play = _group.Stage();
        var far = new ChainCheckpoint(2, 2, default, default, default);
        play.Receive(N1, N4, _group.Checkpoint(N1, far with { Height = 3 }));
        play.Receive(N1, N4, _group.Checkpoint(N2, far));
        play.Receive(N1, N4, _group.Checkpoint(N1, far with { Height = 0 }));
        Assert.Equal([Refusal.Malformed, Refusal.Forged, Refusal.Duplicate], play.Refusals(N4));
        var before = Size(play.At(N4));
        for (var height = 4; height < 2_000; height += 2)
        {
            play.Receive(N1, N4, _group.Checkpoint(N1, far with { Height = height }));
        }

        Assert.Equal(3, play.Refusals(N4).Count);
        Assert.InRange(Size(play.At(N4)), before, before + 2_000);
        play.Receive(N1, N4, _group.Checkpoint(N1, far));
        Assert.Equal(Refusal.Unexpected, play.Refusals(N4)[^1]);
    }

    /// <summary>§9: the parent will never be here.</summary>
    [Fact]
    public void A_fork_below_what_was_dropped_is_refused()
    {
        var play = _group.Stage();
        Stabilise(_group, play, N4, 4, N1, N2);
        play.Receive(N1, N4, Staging.Propose(new Block(5, _group.Certificate(1), []), _group.GiveUp(4, (N1, 1), (N2, 1), (N3, 1))));
        Assert.Equal(Refusal.Unsafe, play.Refusals(N4)[^1]);
        play.Sync(N4);
        Assert.DoesNotContain(play.Network, item => item.Message is HotStuff.Message.Fetch);
    }

    /// <summary>However long the chain, what is kept of it is what lies above the last stable checkpoint, on the disk too.</summary>
    [Fact]
    public void Neither_memory_nor_log_grow_with_the_chain()
    {
        var play = _group.Stage();
        for (var view = 1; view <= 60; view++)
        {
            _group.Feed(play, N4, view, view);
            if (view % 2 == 0 && view > 2)
            {
                foreach (var member in new[] { N1, N2 })
                {
                    play.Receive(member, N4, _group.Checkpoint(member, Own(play, N4)));
                }
            }

            if (view % 10 == 0)
            {
                play.Truncate(N4);
                Assert.InRange(play.Log(N4).Count, 1, 6);
            }
        }

        Assert.Equal((58L, 58L), (play.At(N4).Tree.Height, play.At(N4).Stable.Height));
        Assert.Equal(3, play.At(N4).Tree.AboveRoot().Count() + 1);
        play.Crash(N4);
        Assert.Equal((58L, 58L), (play.At(N4).Executed.Value, play.At(N4).Tree.Height));
    }

    /// <summary>What was said and seen is as it was, whether the log was cut, or the crash came when only a part of the new one was written.</summary>
    [Theory]
    [InlineData("hotstuff-basic")]
    [InlineData("hotstuff-chained")]
    [InlineData("hotstuff-2")]
    [InlineData("jolteon")]
    public void A_replica_that_starts_from_a_cut_log_stands_where_it_stood(string rules)
    {
        var group = Group(Rules(rules));
        var play = group.Stage();
        Stabilise(group, play, N4, 6, N1, N2);
        group.Feed(play, N4, 7, 11);
        play.Receive(N1, N4, group.Timeout(N1, 11, play.At(N4).Shown()));
        play.Receive(N2, N4, group.Timeout(N2, 11, play.At(N4).Shown()));
        var (before, older) = (Stand(play.At(N4)), play.Log(N4).ToList());
        Assert.NotEqual((0L, 0L), (play.At(N4).VotedView, play.At(N4).TimedOutView));
        Assert.True(play.At(N4).Stable.Height < play.At(N4).Tree.Height - 2);
        play.Truncate(N4);
        var newer = play.Log(N4).ToList();
        play.Crash(N4);
        Assert.Equal(before, Stand(play.At(N4)));
        for (var written = 0; written <= newer.Count; written++)
        {
            var replica = group.Make(N4);
            replica.Recover(
                older.Concat(newer.Take(written)),
                new Calm(),
                new Outbox<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>());
            Assert.Equal(before, Stand(replica));
        }
    }

    [Fact]
    public void A_cut_log_that_forgets_what_was_said_is_told_apart()
    {
        var group = _group.With(options => options with { Mutation = HotStuffMutation.CutForgetsWords });
        var play = group.Stage();
        group.Feed(play, N4, 1, 6);
        play.Truncate(N4);
        play.Crash(N4);
        Assert.Equal(0, play.At(N4).VotedView);
    }

    /// <summary>Who was away when it was said may need this word to have a quorum.</summary>
    [Fact]
    public void A_restart_tells_again_what_is_not_stable_yet()
    {
        var play = _group.Stage();
        _group.Feed(play, N4, 1, 4);
        play.Sync(N4);
        play.Network.Clear();
        play.Crash(N4);
        Assert.Equal(3, play.Network.Count(item => item.Message is HotStuff.Message.Checkpoint));
        play.Receive(N1, N4, _group.Checkpoint(N1, Own(play, N4)));
        play.Receive(N2, N4, _group.Checkpoint(N2, Own(play, N4)));
        Assert.Equal(2, play.At(N4).Stable.Height);
    }

    private static int Size(HotStuff replica)
    {
        var printer = new StatePrinter();
        replica.State(printer);
        return printer.ToString().Length;
    }

    private static string Stand(HotStuff at) => string.Join(
        "; ",
        at.View,
        at.VotedView,
        at.TimedOutView,
        at.High,
        at.Locked,
        at.Decision,
        at.LastTimeout,
        at.Executed,
        at.Stable,
        at.Tree.Root,
        at.Tree.Committed,
        at.Tree.Height,
        string.Join(" ", at.Tree.AboveRoot()));

    private sealed class Calm : StepContext
    {
        public override int Choose(int count) => 0;
    }
}
