using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Tests.EPaxosRoom.Sites;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>The commit protocol, rule by rule (epaxos.md §3, §4).</summary>
public sealed class PaperTests
{
    [Fact]
    public void Section_4_1_dependencies_are_what_interferes_at_the_coordinator()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Put(1, "y", "2");
        sites.Put(1, "x", "3");
        Assert.Equal(Deps(0, 0, 0), sites.Look(1, Id(1, 1)).Deps);
        Assert.Equal(Deps(0, 0, 0), sites.Look(1, Id(1, 2)).Deps);
        Assert.Equal(Deps(1, 0, 0), sites.Look(1, Id(1, 3)).Deps);
    }

    [Fact]
    public void Section_2_reads_interfere_with_writes_and_not_with_reads()
    {
        var sites = new Sites(3);
        sites.Invoke(1, Get("x"));
        sites.Invoke(1, Get("x"));
        Assert.Equal(Deps(0, 0, 0), sites.Look(1, Id(1, 2)).Deps);
        sites.Put(1, "x", "1");
        Assert.Equal(Deps(2, 0, 0), sites.Look(1, Id(1, 3)).Deps);
        sites.Invoke(1, Get("x"));
        Assert.Equal(Deps(3, 0, 0), sites.Look(1, Id(1, 4)).Deps);
    }

    [Fact]
    public void Commands_of_one_session_interfere_whatever_they_touch()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1", session: 7, number: 1);
        sites.Put(1, "y", "1", session: 7, number: 2);
        Assert.Equal(Deps(1, 0, 0), sites.Look(1, Id(1, 2)).Deps);
    }

    [Fact]
    public void Section_4_2_a_replica_adds_what_interferes_there()
    {
        var sites = new Sites(3);
        sites.Put(2, "x", "2");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2));
        Assert.Equal(Deps(0, 1, 0), Assert.Single(sites.Under<Room.Message.PreAcceptOk>(2, 1)).Deps);
        Assert.Equal(Room.Phase.PreAccepted, sites.Look(2, Id(1)).Phase);
    }

    [Fact]
    public void Section_4_2_a_later_proposal_of_the_same_coordinator_is_no_dependency()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Put(1, "x", "2");
        sites.Sync();
        sites.Stage.Delay(Node(1), Node(2));
        sites.Deliver((1, 2), (1, 2));
        Assert.Equal(
            [Deps(1, 0, 0), Deps(0, 0, 0)], sites.Under<Room.Message.PreAcceptOk>(2, 1).Select(message => message.Deps));
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(5, 2)]
    [InlineData(7, 4)]
    public void Section_4_3_as_many_equal_answers_as_a_fast_quorum_decide(int n, int answers)
    {
        var sites = new Sites(n);
        sites.Put(1, "x", "1");
        for (var node = 2; node <= answers; node++)
        {
            sites.Deliver((1, node), (node, 1));
            Assert.Equal(Room.Phase.PreAccepted, sites.Look(1, Id(1)).Phase);
        }

        sites.Deliver((1, answers + 1), (answers + 1, 1));
        sites.AssertDecided(1, Id(1), nop: false, new long[n]);
        Assert.Empty(sites.Under<Room.Message.Accept>(1, n));
    }

    [Fact]
    public void Section_4_3_unequal_answers_are_united_and_accepted()
    {
        var sites = new Sites(5);
        sites.Put(2, "x", "2");
        sites.Put(3, "x", "3");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1), (1, 3), (3, 1));
        Assert.Equal(Room.Phase.Accepted, sites.Look(1, Id(1)).Phase);
        Assert.Equal(Deps(0, 1, 1, 0, 0), sites.Look(1, Id(1)).Deps);
        sites.Stage.Run();
        Assert.All(Enumerable.Range(1, 5), node => sites.AssertDecided(node, Id(1), nop: false, 0, 1, 1, 0, 0));
    }

    [Fact]
    public void Section_9_7_what_counts_is_equality_with_the_proposal_not_among_the_answers()
    {
        var sites = new Sites(5);
        sites.Put(2, "x", "2");
        sites.Deliver((2, 3), (2, 4));
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Deliver((1, 3), (3, 1), (1, 4), (4, 1));
        Assert.Equal(Room.Phase.Accepted, sites.Look(1, Id(1)).Phase);
    }

    [Fact]
    public void Section_4_3_without_a_fast_quorum_a_beat_gives_the_fast_path_up()
    {
        var sites = new Sites(7);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1));
        sites.Beat(1);
        Assert.Equal(Room.Phase.PreAccepted, sites.Look(1, Id(1)).Phase);
        sites.Beat(1);
        Assert.Equal(Room.Phase.Accepted, sites.Look(1, Id(1)).Phase);
    }

    [Fact]
    public void Section_4_4_a_lower_ballot_is_not_accepted()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Suspect(3, Id(1));
        sites.Deliver((3, 2));
        sites.Stage.Receive(Node(1), Node(2), new Room.Message.Accept(Id(1), default, Batch("x", "1"), Deps(0, 0, 0)));
        sites.Sync();
        Assert.Contains(Refusal.StaleBallot, sites.Stage.Refusals(Node(2)));
        Assert.Equal(Room.Phase.Initial, sites.Look(2, Id(1)).Phase);
        Assert.Equal(new Ballot(1, Node(3)), Assert.Single(sites.Under<Room.Message.Nack>(2, 1)).Joined);
    }

    [Fact]
    public void Section_4_5_a_decision_answers_whatever_comes_later()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Stage.Run();
        sites.Suspect(3, Id(1));
        Assert.Empty(sites.Stage.Network);
        Room.Message[] late =
        [
            new Room.Message.Recover(Id(1), new(5, Node(3))),
            new Room.Message.Validate(Id(1), new(5, Node(3)), Batch("x", "1"), Deps(0, 0, 0)),
            new Room.Message.Accept(Id(1), new(5, Node(3)), Room.Batch.Nop, Deps(0, 0, 0)),
            new Room.Message.Waiting(Id(1), 2),
        ];
        foreach (var message in late)
        {
            sites.Stage.Receive(Node(3), Node(2), message);
            Assert.Single(sites.Under<Room.Message.Commit>(2, 3));
            sites.Lose();
        }

        sites.AssertDecided(2, Id(1), nop: false, 0, 0, 0);
    }

    [Fact]
    public void Scenario_12_a_decision_may_overtake_the_proposal()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1));
        sites.Stage.Delay(Node(1), Node(3));
        sites.Deliver((1, 3));
        sites.AssertDecided(3, Id(1), nop: false, 0, 0, 0);
        Assert.Equal("1", sites.Value(3, "x"));
        sites.Stage.Run();
        Assert.Single(sites.Executed(3));
    }

    [Fact]
    public void Section_3_nothing_is_told_before_it_is_durable()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        Assert.Empty(sites.Stage.Network);
        sites.Stage.Sync(Node(1));
        sites.Stage.Deliver(Node(1), Node(2));
        Assert.Empty(sites.Under<Room.Message.PreAcceptOk>(2, 1));
        sites.Stage.Sync(Node(2));
        sites.Stage.Deliver(Node(2), Node(1));
        Assert.Empty(sites.Under<Room.Message.Commit>(1, 2));
        Assert.Empty(sites.Stage.Answers(Node(1)));
        sites.Stage.Sync(Node(1));
        Assert.Single(sites.Under<Room.Message.Commit>(1, 2));
        Assert.Single(sites.Stage.Answers(Node(1)));
    }

    [Fact]
    public void Thrifty_asks_a_fast_quorum_and_then_all()
    {
        var sites = new Sites(5, new EPaxosOptions { IsThrifty = true });
        sites.Put(1, "x", "1");
        sites.Sync();
        Assert.Equal(2, sites.Stage.Network.Count);
        sites.Lose();
        sites.Beat(1, 2);
        Assert.Equal(
            [2, 3, 4, 5], sites.Stage.Network.Where(item => item.Message is Room.Message.PreAccept).Select(item => item.To.Value).Order());
        sites.Lose(2);
        sites.Lose(3);
        sites.Deliver((1, 4), (4, 1));

        // Who answered is asked first from the next beat on.
        sites.Beat(1);
        sites.Stage.Run();
        sites.AssertDecided(4, Id(1), nop: false, 0, 0, 0, 0, 0);
        sites.Put(1, "y", "1");
        sites.Sync();
        Assert.Equal([4, 2], sites.Stage.Network.Select(item => item.To.Value));
    }

    [Fact]
    public void What_comes_while_the_pipeline_is_full_shares_an_instance()
    {
        var sites = new Sites(3, new EPaxosOptions { Pipeline = 1, BatchCommands = 2 });
        sites.Put(1, "x", "1");
        sites.Put(1, "y", "2");
        sites.Put(1, "z", "3");
        sites.Put(1, "x", "4");
        sites.Sync();
        Assert.Equal(2, sites.Stage.Network.Count);
        sites.Stage.Run();
        Assert.Equal([Id(1, 1), Id(1, 2), Id(1, 3)], sites.Executed(1));
        Assert.Equal(2, sites.Look(2, Id(1, 2)).Value!.Commands.Length);
        Assert.Equal(4, sites.Stage.Answers(Node(1)).Count);
    }

    [Fact]
    public void Section_9_9_a_batch_interferes_by_each_of_its_commands()
    {
        var sites = new Sites(3, new EPaxosOptions { Pipeline = 1 });
        sites.Put(1, "x", "1");
        sites.Put(1, "y", "2");
        sites.Put(1, "z", "3");
        sites.Deliver((1, 2), (2, 1));
        sites.Put(2, "z", "4");
        sites.Deliver((1, 2), (1, 2));
        Assert.Equal(Deps(0, 1, 0), sites.Look(2, Id(1, 2)).Deps);
    }
}
