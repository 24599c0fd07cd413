using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;
using static Synod.Protocols.Tests.HotStuffRoom.Chains;

namespace Synod.Protocols.Tests.HotStuffRoom;

using Play = Stage<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>;

/// <summary>Whom a laggard asks (hotstuff.md §7): f of the others may be silent, or bring so little that it never catches up.</summary>
public sealed class FetchingTests
{
    private const int View = (int)HotStuff.Timer.View;
    private const int Tip = 12;

    private readonly HotStuffGroup _group = Group(new JolteonRules()).With(options => options with { CheckpointPeriod = 100 });

    /// <summary>N2 brings one block before each wait is over. It is left for another, which goes on where N2 had come to.</summary>
    [Fact]
    public void Who_brings_a_block_at_a_time_is_left_for_another()
    {
        var play = Lagging();
        play.Receive(N2, N4, new HotStuff.Message.Blocks([_group.Block(Tip)]));
        Assert.Equal((N2, Tip - 1), Asked(play));
        play.Fire(N4, View);
        var (source, view) = Asked(play);
        Assert.NotEqual(N2, source);
        Assert.Equal(Tip - 1, view);
        Settle(play, N4, N2);
        Assert.True(play.At(N4).Tree.Contains(_group.Block(Tip).Digest));
    }

    /// <summary>Each new view begins the wait anew: it may never be over.</summary>
    [Fact]
    public void While_views_pass_no_wait_is_needed_to_leave_who_is_too_slow()
    {
        var play = Lagging();
        for (var view = Tip + 1; view < Tip + _group.Options.MaxFetched; view++)
        {
            Hear(play, N1, view);
            Assert.Equal((N2, Tip), Asked(play));
        }

        Hear(play, N1, Tip + _group.Options.MaxFetched);
        Assert.NotEqual(N2, Asked(play).Source);
    }

    /// <summary>A full answer in a wait is as much as one may ask for.</summary>
    [Fact]
    public void Who_keeps_up_is_kept()
    {
        var play = Lagging();
        play.Receive(N2, N4, new HotStuff.Message.Blocks([_group.Block(Tip), _group.Block(Tip - 1), _group.Block(Tip - 2)]));
        var asked = play.Network.Count;
        play.Fire(N4, View);
        play.Sync(N4);
        Assert.Equal((N2, Tip - 3), Asked(play));
        Assert.DoesNotContain(play.Network.Skip(asked), item => item.Message is HotStuff.Message.Fetch);
    }

    /// <summary>Twice as fast as the chain grows, or it would be for ever behind.</summary>
    [Fact]
    public void Who_is_no_faster_than_the_chain_grows_is_left()
    {
        var play = Lagging();
        play.Receive(N2, N4, new HotStuff.Message.Blocks([_group.Block(Tip), _group.Block(Tip - 1), _group.Block(Tip - 2)]));
        Hear(play, N1, Tip + _group.Options.MaxFetched);
        Assert.NotEqual(N2, Asked(play).Source);
        Assert.Equal(Tip - 3, Asked(play).View);
    }

    /// <summary>The answer of who was asked before comes after a part of it was brought by another one: what it has more is taken.</summary>
    [Fact]
    public void An_answer_that_comes_late_is_of_use()
    {
        var play = Lagging();
        play.Receive(N3, N4, new HotStuff.Message.Blocks([_group.Block(Tip)]));
        play.Receive(N2, N4, new HotStuff.Message.Blocks([_group.Block(Tip), _group.Block(Tip - 1)]));
        Assert.Equal((N2, Tip - 2), Asked(play));
        Assert.Empty(play.Refusals(N4));
        play.Receive(N3, N4, new HotStuff.Message.Blocks([_group.Block(Tip), _group.Block(Tip - 1)]));
        Assert.Equal([Refusal.Unexpected], play.Refusals(N4));
    }

    /// <summary>Who was too slow once is not asked first the next time, though it be the one who shows that something is missing.</summary>
    [Fact]
    public void Who_was_too_slow_is_asked_last()
    {
        var play = Lagging();
        play.Fire(N4, View);
        Settle(play, N4, N2);
        Assert.True(play.At(N4).Tree.Contains(_group.Block(Tip).Digest));
        play.Network.Clear();
        Hear(play, N2, Tip + 2);
        Assert.NotEqual(N2, Asked(play).Source);
    }

    /// <summary>The same holds for the parts of a state.</summary>
    [Fact]
    public void Who_brings_a_part_of_a_state_at_a_time_is_left_for_another()
    {
        var group = Group(new JolteonRules());
        var play = group.Stage();
        foreach (var node in new[] { N1, N2, N3 })
        {
            Stabilise(group, play, node, 8, [.. new[] { N1, N2, N3 }.Where(other => other != node)]);
            play.Sync(node);
        }

        play.Receive(N2, N4, new HotStuff.Message.Sync(Staging.Showing(group.Certificate(8))));
        play.Receive(N2, N4, new HotStuff.Message.Stable(group.Prove(play.At(N1).Stable, NodeSet.Of(N1, N2, N3))));
        play.Sync(N4);
        play.Network.RemoveAll(item => item.From != N4 || item.Message is not HotStuff.Message.FetchState);
        play.Deliver(N4, N2);
        play.Sync(N2);
        play.Receive(N2, N4, play.Between(N2, N4).OfType<HotStuff.Message.StatePart>().Single());
        play.Sync(N4);
        Assert.Equal(N2, play.Network.Last(item => item.Message is HotStuff.Message.FetchState).To);
        play.Fire(N4, View);
        play.Sync(N4);
        Assert.NotEqual(N2, play.Network.Last(item => item.Message is HotStuff.Message.FetchState).To);

        // And who did not bring a state before the next one is stable.
        var source = play.Network.Last(item => item.Message is HotStuff.Message.FetchState).To;
        var newer = group.Prove(play.At(N1).Stable with { Height = play.At(N1).Stable.Height + 2 }, NodeSet.Of(N1, N2, N3));
        play.Receive(source, N4, new HotStuff.Message.Stable(newer));
        play.Sync(N4);
        Assert.NotEqual(source, play.Network.Last(item => item.Message is HotStuff.Message.FetchState).To);
    }

    /// <summary>The others have a chain, of which N4 hears by N2.</summary>
    private Play Lagging()
    {
        var play = _group.Stage();
        foreach (var node in new[] { N1, N2, N3 })
        {
            _group.Feed(play, node, 1, Tip + 3);
            play.Sync(node);
        }

        play.Network.Clear();
        Hear(play, N2, Tip);
        Assert.Equal((N2, Tip), Asked(play));
        return play;
    }

    private void Hear(Play play, NodeId from, int view)
    {
        play.Receive(from, N4, new HotStuff.Message.Sync(Staging.Showing(_group.Certificate(view))));
        play.Sync(N4);
    }

    /// <summary>Who was asked last for which block.</summary>
    private (NodeId Source, int View) Asked(Play play)
    {
        play.Sync(N4);
        var last = play.Network.Last(item => item.From == N4 && item.Message is HotStuff.Message.Fetch);
        var block = ((HotStuff.Message.Fetch)last.Message).Block;
        return (last.To, Enumerable.Range(1, Tip + 5).First(view => _group.Block(view).Digest == block));
    }
}
