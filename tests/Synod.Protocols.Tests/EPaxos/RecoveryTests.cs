using Synod.Core;
using Xunit;
using static Synod.Protocols.Tests.EPaxosRoom.Sites;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>Recovery, rule by rule (epaxos.md §5).</summary>
public sealed class RecoveryTests
{
    /// <summary>§5.2a: a decision is passed on.</summary>
    [Fact]
    public void What_is_committed_anywhere_in_the_quorum_is_committed()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1), (1, 2));
        sites.Lose();
        sites.Suspect(3, Id(1));
        sites.RunWithout(1);
        sites.AssertDecided(3, Id(1), nop: false, 0, 0, 0);
    }

    /// <summary>§5.2b: of accepted values that of the highest ballot is proposed again.</summary>
    [Fact]
    public void An_accepted_value_is_kept()
    {
        var sites = new Sites(3);
        sites.Put(2, "x", "2");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1), (1, 2));
        Assert.Equal(Room.Phase.Accepted, sites.Look(2, Id(1)).Phase);
        sites.Lose();
        sites.Suspect(3, Id(1));
        sites.RunWithout(1);
        sites.AssertDecided(3, Id(1), nop: false, 0, 1, 0);
    }

    /// <summary>§5.2c, scenario 7: a coordinator that joins gives up its own ballot; its client's command goes on under another number.</summary>
    [Fact]
    public void A_coordinator_that_joins_ends_in_the_Nop_and_proposes_anew()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Sync();
        sites.Lose();
        sites.Suspect(3, Id(1));
        sites.RunWithout(2);
        sites.AssertDecided(1, Id(1), nop: true, 0, 0, 0);
        sites.AssertDecided(3, Id(1, 2), nop: false, 1, 0, 0);
        Assert.Equal("1", sites.Value(3, "x"));
        Assert.Single(sites.Stage.Answers(Node(1)));
        Assert.Single(sites.Executed(1));
    }

    /// <summary>§5.2d, scenario 4: a fast decision that nobody was told of is found.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void A_fast_decision_survives_its_coordinator(int n)
    {
        var sites = new Sites(n);
        sites.Put(1, "x", "1");
        for (var node = 2; node <= GroupOf(n).Fast; node++)
        {
            sites.Deliver((1, node), (node, 1));
        }

        sites.AssertDecided(1, Id(1), nop: false, new long[n]);
        sites.Lose();
        sites.Suspect(n, Id(1));
        sites.RunWithout(1);
        sites.AssertDecided(n, Id(1), nop: false, new long[n]);
    }

    /// <summary>§5.2e: with too few agreed unchanged nothing was decided.</summary>
    [Fact]
    public void What_too_few_agreed_to_ends_in_the_Nop()
    {
        var sites = new Sites(7);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2));
        sites.Lose();
        sites.Suspect(2, Id(1));
        sites.RunWithout(1);
        sites.AssertDecided(2, Id(1), nop: true, new long[7]);
    }

    /// <summary>Scenario 8: what nobody ever received is settled, and the others go on.</summary>
    [Fact]
    public void What_nobody_received_ends_in_the_Nop()
    {
        var sites = new Sites(3);
        sites.Suspect(3, Id(1));
        sites.RunWithout(1);
        sites.AssertDecided(2, Id(1), nop: true, 0, 0, 0);
    }

    /// <summary>§5.3, §5.4: a committed command that neither depends on this one nor is one of its dependencies excludes the fast path.</summary>
    [Fact]
    public void A_committed_command_in_the_way_ends_in_the_Nop()
    {
        var sites = new Sites(5);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2));
        sites.Lose();
        sites.Put(5, "x", "5");
        sites.Deliver((5, 3), (3, 5), (5, 4), (4, 5), (5, 3));
        sites.Lose();
        sites.AssertDecided(3, Id(5), nop: false, 0, 0, 0, 0, 0);
        sites.Suspect(2, Id(1));
        sites.Deliver((2, 3), (3, 2), (2, 4), (4, 2));
        Assert.Single(sites.Under<Room.Message.Validate>(2, 3));
        sites.Deliver((2, 3), (3, 2), (2, 4), (4, 2));
        Assert.True(sites.Look(2, Id(1)).Value!.IsNop);
        sites.RunWithout(1);
        sites.AssertDecided(2, Id(1), nop: true, 0, 0, 0, 0, 0);
    }

    /// <summary>§5.4: what stands against it may be known to the last of the quorum alone.</summary>
    [Fact]
    public void Everyone_in_the_quorum_is_heard_before_the_command_is_proposed_again()
    {
        var sites = AnotherUncommittedInTheWay();
        sites.Deliver((2, 4), (4, 2));
        Assert.Equal(Room.Phase.PreAccepted, sites.Look(2, Id(1)).Phase);
        sites.Deliver((2, 3), (3, 2));
        Assert.True(sites.Look(2, Id(1)).Value!.IsNop);
    }

    /// <summary>§5.4: with as few as possible unchanged, the other's coordinator outside the quorum would have seen this one.</summary>
    [Fact]
    public void An_uncommitted_command_whose_coordinator_is_outside_ends_in_the_Nop()
    {
        var sites = AnotherUncommittedInTheWay();
        sites.Deliver((2, 3), (3, 2), (2, 4), (4, 2));
        Assert.True(sites.Look(2, Id(1)).Value!.IsNop);
    }

    /// <summary>§5.4: otherwise the recovery waits for the other command, and goes by what becomes of it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_waiting_recovery_goes_by_what_the_other_becomes(bool other)
    {
        var sites = TwoUnchangedAgainstOne();
        Assert.True(sites.At(2).MayBeWaiting);
        var outcome = other
            ? new Room.Message.Commit(Id(4), Batch("x", "4", session: 2), Deps(0, 0, 0, 0, 0))
            : new Room.Message.Commit(Id(4), Room.Batch.Nop, Deps(0, 0, 0, 0, 0));
        sites.Stage.Receive(Node(4), Node(2), outcome);
        Assert.Equal((Room.Phase.Accepted, other), (sites.Look(2, Id(1)).Phase, sites.Look(2, Id(1)).Value!.IsNop));
    }

    /// <summary>§5.4: two that wait for each other do not wait for ever.</summary>
    [Fact]
    public void A_waiting_recovery_gives_way_to_another_that_more_agreed_to()
    {
        var sites = TwoUnchangedAgainstOne();
        sites.Stage.Receive(Node(4), Node(2), new Room.Message.Waiting(Id(4), 1));
        Assert.Equal(Room.Phase.PreAccepted, sites.Look(2, Id(1)).Phase);
        sites.Stage.Receive(Node(4), Node(2), new Room.Message.Waiting(Id(4), 2));
        Assert.Equal(Room.Phase.Accepted, sites.Look(2, Id(1)).Phase);
        Assert.True(sites.Look(2, Id(1)).Value!.IsNop);
    }

    /// <summary>§5.4: a late report of the first coordinator ends the wait: it has joined undecided.</summary>
    [Fact]
    public void A_late_report_of_the_coordinator_ends_the_wait()
    {
        var sites = TwoUnchangedAgainstOne();
        sites.Stage.Receive(
            Node(1), Node(2), new Room.Message.RecoverOk(Id(1), new(1, Node(2)), Room.Phase.PreAccepted, default, Batch("x", "1"), Deps(0, 0, 0, 0, 0), Deps(0, 0, 0, 0, 0)));
        Assert.True(sites.Look(2, Id(1)).Value!.IsNop);
    }

    /// <summary>§5.4: a late report of an accepted value ends the wait with it.</summary>
    [Fact]
    public void A_late_report_of_an_accepted_value_ends_the_wait()
    {
        var sites = TwoUnchangedAgainstOne();
        sites.Stage.Receive(
            Node(5), Node(2), new Room.Message.RecoverOk(Id(1), new(1, Node(2)), Room.Phase.Accepted, default, Batch("x", "1"), Deps(0, 0, 0, 1, 0), Deps(0, 0, 0, 0, 0)));
        Assert.Equal((Room.Phase.Accepted, Deps(0, 0, 0, 1, 0)), (sites.Look(2, Id(1)).Phase, sites.Look(2, Id(1)).Deps));
    }

    /// <summary>§5.5: a higher ballot preempts, and the next own one is above it.</summary>
    [Fact]
    public void A_preempted_recovery_is_abandoned()
    {
        var sites = new Sites(3);
        sites.Suspect(3, Id(1));
        sites.Sync();
        sites.Stage.Receive(Node(2), Node(3), new Room.Message.Nack(Id(1), new(4, Node(2))));
        sites.Stage.Receive(Node(2), Node(3), new Room.Message.RecoverOk(Id(1), new(1, Node(3)), Room.Phase.Initial, default, null, null, null));
        Assert.Equal([Refusal.Unexpected], sites.Stage.Refusals(Node(3)));
        sites.Lose();
        sites.Suspect(3, Id(1));
        sites.Sync();
        Assert.Equal(new Ballot(5, Node(3)), Assert.Single(sites.Under<Room.Message.Recover>(3, 1)).Ballot);
    }

    /// <summary>Coordinator 1's command is agreed to unchanged by 2 and 3; 4's interfering one by 4 alone, which is in the quorum.</summary>
    private static Sites TwoUnchangedAgainstOne()
    {
        var sites = new Sites(5);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (1, 3));
        sites.Lose();
        sites.Put(4, "x", "4");
        sites.Sync();
        sites.Lose();
        sites.Suspect(2, Id(1));
        sites.Deliver((2, 3), (3, 2), (2, 4), (4, 2));
        sites.Deliver((2, 3), (3, 2), (2, 4), (4, 2));
        return sites;
    }

    /// <summary>The second of five recovers the first's command; the third knows one of the fifth, which conflicts and is not committed.</summary>
    private static Sites AnotherUncommittedInTheWay()
    {
        var sites = new Sites(5);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2));
        sites.Lose();
        sites.Put(5, "x", "5");
        sites.Deliver((5, 3));
        sites.Lose();
        sites.Suspect(2, Id(1));
        sites.Deliver((2, 3), (3, 2), (2, 4), (4, 2));
        return sites;
    }
}
