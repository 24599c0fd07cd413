using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Tests.EPaxosRoom.Sites;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>What a replica comes back with, and what of its log it can do without (epaxos.md §3).</summary>
public sealed class RestartTests
{
    [Fact]
    public void An_agreement_is_remembered()
    {
        var sites = new Sites(3);
        sites.Put(2, "x", "2");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2));
        sites.Lose();
        sites.Stage.Crash(Node(2));
        Assert.Equal((Room.Phase.PreAccepted, Deps(0, 1, 0)), (sites.Look(2, Id(1)).Phase, sites.Look(2, Id(1)).Deps));
        Assert.Equal(Room.Phase.PreAccepted, sites.Look(2, Id(2)).Phase);
    }

    [Fact]
    public void A_coordinator_goes_on_with_its_proposal_under_the_same_number()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Sync();
        sites.Lose();
        sites.Stage.Crash(Node(1));
        sites.Put(1, "x", "2");
        Assert.Equal(Deps(1, 0, 0), sites.Look(1, Id(1, 2)).Deps);
        sites.Beat(1, 2);
        sites.Stage.Run();
        Assert.All(Enumerable.Range(1, 3), node => sites.AssertDecided(node, Id(1), nop: false, 0, 0, 0));
        Assert.All(Enumerable.Range(1, 3), node => Assert.Equal("2", sites.Value(node, "x")));
    }

    [Fact]
    public void A_coordinator_goes_on_with_its_second_round()
    {
        var sites = new Sites(3);
        sites.Put(2, "x", "2");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1));
        sites.Lose();
        sites.Stage.Crash(Node(1));
        sites.Beat(1, 2);
        sites.Stage.Run();
        sites.AssertDecided(3, Id(1), nop: false, 0, 1, 0);
    }

    [Fact]
    public void A_joined_ballot_is_remembered_and_the_first_one_not_resumed()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "1");
        sites.Sync();
        sites.Lose();
        sites.Suspect(3, Id(1));
        sites.Deliver((3, 1));
        sites.Lose();
        sites.Stage.Crash(Node(1));
        sites.Beat(1, 3);
        sites.Stage.Sync(Node(1));
        Assert.DoesNotContain(sites.Stage.Network, item => item.Message is Room.Message.PreAccept);
        sites.Stage.Receive(Node(2), Node(1), new Room.Message.Recover(Id(1), new(1, Node(2))));
        Assert.Contains(Refusal.StaleBallot, sites.Stage.Refusals(Node(1)));
    }

    [Fact]
    public void An_accepted_value_and_its_ballot_are_remembered()
    {
        var sites = new Sites(3);
        sites.Stage.Receive(Node(3), Node(2), new Room.Message.Accept(Id(1), new(2, Node(3)), Batch("x", "1"), Deps(0, 0, 0)));
        sites.Deliver();
        sites.Stage.Crash(Node(2));
        sites.Stage.Receive(Node(1), Node(2), new Room.Message.Recover(Id(1), new(3, Node(1))));
        sites.Deliver();
        var report = Assert.Single(sites.Under<Room.Message.RecoverOk>(2, 1));
        Assert.Equal((Room.Phase.Accepted, new Ballot(2, Node(3))), (report.Phase, report.Accepted));
    }

    [Fact]
    public void What_was_executed_is_executed_again_to_the_same_state()
    {
        var sites = new Sites(3);
        for (var count = 0; count < 6; count++)
        {
            sites.Put(1 + count % 3, "x", $"{count}");
            sites.Stage.Run();
        }

        sites.Stage.Crash(Node(2));
        Assert.Equal(6, sites.Stage.Executions(Node(2)).Count);
        Assert.Equal("5", sites.Value(2, "x"));
    }

    /// <summary>A checkpoint's records alone bring everything back: state, sessions, what interferes, and open instances in any phase.</summary>
    [Fact]
    public void After_a_checkpoint_older_records_are_not_needed()
    {
        var sites = new Sites(3);
        for (var count = 0; count < 6; count++)
        {
            sites.Put(1 + count % 3, count % 2 == 0 ? "x" : "y", $"{count}", session: 7, number: count + 1);
            sites.Stage.Run();
        }

        sites.Put(2, "x", "8");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "9");
        sites.Deliver((1, 2));
        sites.Stage.Receive(Node(3), Node(2), new Room.Message.Accept(Id(3, 9), new(2, Node(3)), Batch("y", "3", session: 8), Deps(0, 0, 0)));
        sites.Stage.Receive(Node(3), Node(2), new Room.Message.Recover(Id(3, 9), new(3, Node(3))));
        sites.Stage.Receive(Node(3), Node(2), new Room.Message.Commit(Id(3, 7), Batch("z", "7", session: 11), Deps(0, 0, 0)));
        sites.Stage.Receive(Node(3), Node(2), new Room.Message.Recover(Id(3, 10), new(3, Node(3))));
        sites.Stage.Receive(Node(3), Node(2), new Room.Message.Validate(Id(3, 10), new(3, Node(3)), Batch("w", "3", session: 9), Deps(0, 0, 0)));

        var outbox = new Outbox<Room.Message, Room.Record, Room.Command, Room.Result>();
        var old = sites.At(2);
        old.BeginCheckpoint();
        old.Checkpoint(new Still(), outbox);
        var records = outbox.Records.ToArray();
        var before = sites.Stage.Log(Node(2));
        Room.Record[][] logs = [records, [.. before, .. records], [.. before, .. records[..3]]];
        Assert.All(
            logs,
            log =>
            {
                var fresh = new Room(Node(2), GroupOf(3), new EPaxosOptions(), new ReplicatedMap());
                outbox.Clear();
                fresh.Recover(log, new Still(), outbox);
                Assert.Equal(Shown(old), Shown(fresh));
                Assert.Equal(old.Executions, fresh.Executions);
                Assert.Equal(
                    ((ReplicatedMap)old.Replicated).Values.Select(pair => new Key(pair.Value).ToString()),
                    ((ReplicatedMap)fresh.Replicated).Values.Select(pair => new Key(pair.Value).ToString()));
                outbox.Clear();
                fresh.Submit(new RequestId(1), new Room.Command.Invoke(new(7, 6, Put("x", "again"))), new Still(), outbox);
                Assert.IsType<Room.Result.Completed>(outbox.Answers[0].Result);
                fresh.Submit(new RequestId(2), new Room.Command.Invoke(new(70, 1, Put("x", "new"))), new Still(), outbox);
                Assert.Equal(Deps(3, 3, 1), fresh.Look(Id(2, 4)).Deps);
            });
    }

    private static string Shown(Room replica) =>
        string.Join('\n', replica.Held.Select(id => $"{id} {replica.Look(id)}"));
}
