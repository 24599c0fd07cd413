using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;
using static Synod.Protocols.Tests.HotStuffRoom.Staging;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>One test for each claim of hotstuff.md about a replica, whatever the rules.</summary>
public sealed class PaperTests
{
    private const int View = (int)HotStuff.Timer.View;

    private static readonly NodeSet Three = NodeSet.Of(N1, N2, N3);

    private readonly HotStuffGroup _group = Of(4, new JolteonRules());

    /// <summary>§2: fsync, then the vote. It goes to the next leader.</summary>
    [Fact]
    public void A_vote_leaves_after_it_and_its_block_are_durable()
    {
        var play = _group.Stage();
        play.Receive(N1, N3, Propose(First("x")));
        Assert.Empty(play.Votes(N3));
        Assert.IsType<HotStuff.Record.Voted>(play.Log(N3)[^1]);
        Assert.IsType<HotStuff.Record.Stored>(play.Log(N3)[0]);
        play.Sync(N3);
        Assert.Equal((1L, First("x").Digest), (Assert.Single(play.Votes(N3)).View, play.Votes(N3).Single().Block));
        Assert.Single(play.Between(N3, N2));
    }

    /// <summary>§8.3, §9: one vote a view, and a second block of its leader is evidence against it.</summary>
    [Fact]
    public void Of_two_blocks_of_a_view_the_first_gets_the_vote_also_after_a_restart()
    {
        foreach (var restarts in new[] { false, true })
        {
            var play = _group.Stage();
            play.Receive(N1, N3, Propose(First("x")));
            play.Sync(N3);
            if (restarts)
            {
                play.Crash(N3);
            }

            play.Receive(N1, N3, Propose(First("y")));
            play.Receive(N1, N3, Propose(First("z")));
            play.Sync(N3);
            Assert.Equal(First("x").Digest, Assert.Single(play.Votes(N3)).Block);
            Assert.Equal([Refusal.Equivocation, Refusal.Duplicate, Refusal.Equivocation], play.Refusals(N3));
            Assert.Equal(2, play.At(N3).Tree.Open.Count);
        }
    }

    /// <summary>A vote that was not durable was not told, and may be given to another block.</summary>
    [Fact]
    public void What_nobody_heard_binds_nobody()
    {
        var play = _group.Stage();
        play.Receive(N1, N3, Propose(First("x")));
        play.Crash(N3);
        play.Receive(N1, N3, Propose(First("y")));
        play.Sync(N3);
        Assert.Equal(First("y").Digest, Assert.Single(play.Votes(N3)).Block);
    }

    /// <summary>§5.2, §9: no vote in a view that was given up, also after a restart.</summary>
    [Fact]
    public void Who_gave_a_view_up_does_not_vote_in_it()
    {
        foreach (var restarts in new[] { false, true })
        {
            var play = _group.Stage();
            play.Submit(N3, _group.Command("x"));
            play.Fire(N3, View);
            Assert.DoesNotContain(play.Network, item => item.Message is HotStuff.Message.Timeout);
            play.Sync(N3);
            Assert.Equal(4, play.Network.Count(item => item.Message is HotStuff.Message.Timeout { View: 1 }));
            if (restarts)
            {
                play.Crash(N3);
            }

            play.Receive(N1, N3, Propose(First("x")));
            play.Sync(N3);
            Assert.Empty(play.Votes(N3));
            Assert.Equal(Refusal.StaleBallot, play.Refusals(N3)[^1]);
        }
    }

    /// <summary>A leader speaks once in a view, also after a restart.</summary>
    [Fact]
    public void A_leader_proposes_once_in_a_view()
    {
        var play = _group.Stage();
        play.Submit(N1, _group.Command("x"));
        play.Sync(N1);
        Assert.Equal(3, play.Network.Count(item => item.Message is HotStuff.Message.Proposal));
        play.Crash(N1);
        play.Submit(N1, _group.Command("y", 2));
        play.Sync(N1);
        Assert.Equal(3, play.Network.Count(item => item.Message is HotStuff.Message.Proposal));
    }

    /// <summary>§2, §9: n - f votes of distinct members, each once.</summary>
    [Fact]
    public void A_certificate_needs_the_votes_of_a_quorum_of_distinct_members()
    {
        var play = _group.Stage();
        var block = First("x");
        play.Receive(N1, N2, Propose(block));
        play.Receive(N3, N2, _group.Vote(N3, block));
        play.Receive(N3, N2, _group.Vote(N3, block));
        play.Receive(N3, N2, _group.Vote(N3, First("y")));
        play.Receive(N4, N2, _group.Vote(N4, First("y")));
        Assert.Equal(0, play.At(N2).High.View);
        Assert.Equal([Refusal.Duplicate, Refusal.Equivocation], play.Refusals(N2));
        play.Receive(N1, N2, _group.Vote(N1, block));
        Assert.Equal(0, play.At(N2).High.View);

        // Its own vote comes after its own disk.
        play.Sync(N2);
        play.Deliver(N2, N2);
        Assert.Equal((1L, 2L), (play.At(N2).High.View, play.At(N2).View));
    }

    /// <summary>§5.2: f + 1 that give up make the others join, n - f end the view.</summary>
    [Fact]
    public void Time_outs_of_f_plus_1_make_a_replica_join_and_those_of_a_quorum_end_the_view()
    {
        var play = _group.Stage();
        play.Receive(N2, N3, GivesUp(N2, 1));
        Assert.Empty(play.Log(N3));
        play.Receive(N4, N3, GivesUp(N4, 1));
        Assert.IsType<HotStuff.Record.TimedOut>(Assert.Single(play.Log(N3)));
        Assert.Equal(1, play.At(N3).View);
        play.Sync(N3);
        play.Deliver(N3, N3);
        Assert.Equal(2, play.At(N3).View);
        Assert.Equal(3, play.At(N3).LastTimeout.Shares.Length);
        play.Sync(N3);

        // Whoever made the certificate tells the next leader, which needs no time-outs of its own.
        var told = Assert.Single(play.Between(N3, N2).OfType<HotStuff.Message.Sync>());
        play.Receive(N3, N2, told);
        Assert.Equal(2, play.At(N2).View);
    }

    /// <summary>
    /// §5.2: who makes a time-out certificate with its own word that it knew of more than it can show would make the next view one in which
    /// nobody may vote, and so every view after it.
    /// </summary>
    [Fact]
    public void A_liar_among_those_who_gave_a_view_up_does_not_spoil_the_next_one()
    {
        var play = _group.Stage();
        var spoilt = _group.GiveUp(1, (N1, 0), (N3, 7), (N4, 0));
        play.Receive(N3, N2, new HotStuff.Message.Sync(Showing(Genesis.Certificate, spoilt)));
        Assert.Equal([Refusal.Forged], play.Refusals(N2));
        foreach (var node in new[] { N1, N3, N4 })
        {
            play.Receive(node, N2, GivesUp(node, 1));
        }

        play.Sync(N2);
        play.Receive(N2, N4, play.Between(N2, N4).OfType<HotStuff.Message.Proposal>().Single());
        play.Sync(N4);
        Assert.Equal(2, Assert.Single(play.Votes(N4)).View);
    }

    /// <summary>§6: views are entered by certificates, never on somebody's word.</summary>
    [Fact]
    public void A_view_is_entered_by_a_certificate_only()
    {
        var play = _group.Stage();
        var b1 = First("x");
        play.Receive(N2, N3, Propose(Child(Genesis.Certificate, 2)));
        Assert.Equal((1L, Refusal.Unexpected), (play.At(N3).View, play.Refusals(N3)[^1]));
        play.Receive(N2, N3, Propose(Child(Genesis.Certificate, 2), GiveUp(1)));
        Assert.Equal(2, play.At(N3).View);
        play.Receive(N1, N4, Propose(b1));
        play.Receive(N2, N4, Propose(Child(_group.Certify(b1, Three), 2)));
        Assert.Equal((2L, 1L), (play.At(N4).View, play.At(N4).High.View));
    }

    /// <summary>§7, §9: no vote for a block whose ancestors are missing; they are fetched by digest, and then it is voted for.</summary>
    [Fact]
    public void A_missing_parent_is_fetched_before_the_vote()
    {
        var play = _group.Stage();
        var b1 = First("x");
        var b2 = Child(_group.Certify(b1, Three), 2);
        play.Receive(N2, N3, Propose(b2));
        play.Sync(N3);
        Assert.Empty(play.Votes(N3));
        var fetch = Assert.Single(play.Between(N3, N2).OfType<HotStuff.Message.Fetch>());
        Assert.Equal((b1.Digest, 0L), (fetch.Block, fetch.Above));
        play.Receive(N1, N2, Propose(b1));
        play.Deliver(N3, N2);
        play.Receive(N2, N3, play.Between(N2, N3).OfType<HotStuff.Message.Blocks>().Single());
        play.Sync(N3);
        Assert.Equal(b2.Digest, Assert.Single(play.Votes(N3)).Block);
    }

    /// <summary>§7: whoever answers nothing, or other blocks, is not asked again at once: the next of those who voted is.</summary>
    [Fact]
    public void A_source_that_does_not_answer_is_left_for_another_voter()
    {
        var play = _group.Stage();
        var b1 = First("x");
        play.Receive(N2, N4, Propose(Child(_group.Certify(b1, Three), 2)));
        play.Receive(N2, N4, new HotStuff.Message.Blocks([First("y")]));
        Assert.Equal(Refusal.Unexpected, play.Refusals(N4)[^1]);
        var asked = new SortedSet<NodeId>();
        for (var round = 0; round < 6; round++)
        {
            play.Fire(N4, View);
            play.Sync(N4);
            asked.UnionWith(play.Network.Where(item => item.Message is HotStuff.Message.Fetch).Select(item => item.To));
        }

        Assert.Equal([N1, N2, N3], asked.AsEnumerable());
    }

    /// <summary>§6: a laggard that says where it stands is shown how far the group is.</summary>
    [Fact]
    public void A_laggard_is_told_in_one_message()
    {
        var play = _group.Stage();
        var b1 = First("x");
        play.Receive(N1, N3, Propose(b1));
        play.Receive(N2, N3, Propose(Child(_group.Certify(b1, Three), 2)));
        play.Receive(N4, N3, GivesUp(N4, 1));
        play.Sync(N3);
        Assert.Equal(Refusal.StaleBallot, play.Refusals(N3)[^1]);
        play.Receive(N3, N4, Assert.Single(play.Between(N3, N4).OfType<HotStuff.Message.Sync>()));
        Assert.Equal(2, play.At(N4).View);
    }

    /// <summary>§9: transactions of orphaned blocks return.</summary>
    [Fact]
    public void Commands_of_a_block_that_was_not_certified_are_proposed_again()
    {
        var group = Of(4, new JolteonRules(), viewsEach: 2);
        var play = group.Stage();
        play.Submit(N1, group.Command("x"));
        foreach (var node in new[] { N2, N3, N4 })
        {
            play.Receive(node, N1, group.Timeout(node, 1, Showing(Genesis.Certificate)));
        }

        play.Sync(N1);
        Assert.Equal([1L, 2L], play.Between(N1, N2).OfType<HotStuff.Message.Proposal>().Select(item => item.Block.View));
        Assert.All(play.Between(N1, N2).OfType<HotStuff.Message.Proposal>(), item => Assert.Single(item.Block.Commands));
    }

    /// <summary>§3: a leader builds on the highest of what n - f report, not on what it heard last.</summary>
    [Fact]
    public void A_leader_builds_on_the_highest_reported_certificate()
    {
        var group = Of(4, new BasicRules());
        var play = group.Stage();
        var b1 = First("x", group);
        var (prepared, decided) = (group.Certify(b1, Three), group.Certify(b1, Three, VotePhase.Commit));
        play.Submit(N2, group.Command("y", 2));
        play.Receive(N1, N2, Propose(b1));
        play.Receive(N3, N2, new HotStuff.Message.NewView(2, Showing(prepared) with { Decision = decided }));
        play.Sync(N2);
        play.Deliver(N2, N2);
        Assert.Empty(play.Between(N2, N3).OfType<HotStuff.Message.Proposal>());

        // One that missed the first phase reports nothing.
        play.Receive(N4, N2, new HotStuff.Message.NewView(2, Showing(Genesis.Certificate) with { Decision = decided }));
        play.Sync(N2);
        Assert.Equal(prepared, play.Between(N2, N3).OfType<HotStuff.Message.Proposal>().Single().Block.Justify);
    }

    /// <summary>§5.3: after a failed view the leader of HotStuff-2 waits until every correct lock has arrived.</summary>
    [Fact]
    public void A_leader_of_HotStuff_2_waits_after_a_failed_view()
    {
        var group = Of(4, new HotStuff2Rules());
        var play = group.Stage();
        var b1 = First("x", group);
        play.Receive(N1, N2, Propose(b1));
        foreach (var node in new[] { N1, N3, N4 })
        {
            play.Receive(node, N2, group.Timeout(node, 1, Showing(Genesis.Certificate)));
        }

        play.Sync(N2);
        Assert.Empty(play.Between(N2, N3).OfType<HotStuff.Message.Proposal>());
        var known = group.Certify(b1, Three);
        play.Receive(N3, N2, new HotStuff.Message.NewView(2, Showing(known, play.At(N2).LastTimeout)));
        play.Fire(N2, (int)HotStuff.Timer.Open);
        play.Sync(N2);
        Assert.Equal(known, play.Between(N2, N4).OfType<HotStuff.Message.Proposal>().Single().Block.Justify);
    }

    /// <summary>§3: who missed the pre-commit of basic HotStuff would lock above its highest certificate, and does not vote.</summary>
    [Fact]
    public void Nobody_votes_in_the_phase_after_a_lock_that_it_did_not_take()
    {
        var group = Of(4, new BasicRules());
        var play = group.Stage();
        var block = First("x", group);
        play.Receive(N1, N3, Propose(block));
        play.Receive(N1, N3, new HotStuff.Message.Certified(group.Certify(block, Three, VotePhase.PreCommit)));
        play.Sync(N3);
        Assert.Equal(VotePhase.Prepare, Assert.Single(play.Votes(N3)).Phase);
        Assert.Equal(Refusal.NotReady, play.Refusals(N3)[^1]);
        Assert.Equal(0, play.At(N3).Locked.View);
    }

    /// <summary>§8.7: exactly once for each client and number, in every block that has it.</summary>
    [Fact]
    public void A_command_in_two_blocks_is_executed_once_and_every_ancestor_is_executed()
    {
        var play = _group.Stage();
        var b1 = First("x");
        var b2 = Child(_group.Certify(b1, Three), 2, _group.Command("x"));
        var b3 = Child(_group.Certify(b2, Three), 3, _group.Command("y", 2));
        play.Receive(N1, N4, Propose(b1));
        play.Receive(N2, N4, Propose(b2));
        play.Receive(N3, N4, Propose(b3));
        Assert.Equal("x", Assert.Single(play.Executions(N4)).Command.ToString().Split('=')[1]);
        play.Receive(N4, N4, Propose(Child(_group.Certify(b3, Three), 4)));
        Assert.Single(play.Executions(N4));
        play.Receive(N1, N4, Propose(Child(_group.Certify(Child(_group.Certify(b3, Three), 4), Three), 5)));
        Assert.Equal([1L, 2L], play.Executions(N4).Select(item => item.Position.Value));
    }

    private HotStuff.Message.Timeout GivesUp(NodeId node, long view) => _group.Timeout(node, view, Showing(Genesis.Certificate));

    private TimeoutCertificate GiveUp(long view) => _group.GiveUp(view, (N1, 0), (N2, 0), (N3, 0));

    private Block First(string command, HotStuffGroup? group = null) =>
        Child(Genesis.Certificate, 1, (group ?? _group).Command(command));
}
