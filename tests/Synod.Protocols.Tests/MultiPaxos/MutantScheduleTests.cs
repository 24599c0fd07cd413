using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>Schedules by hand on which one mistake breaks agreement, and the protocol as it is does not.</summary>
public sealed class MutantScheduleTests
{
    [Fact]
    public void A_promise_told_before_it_is_durable_lets_two_leaders_choose()
    {
        PromiseLostInACrash(MultiPaxosMutation.None);
        var broken = Assert.Throws<InvariantViolation>(() => PromiseLostInACrash(MultiPaxosMutation.PromiseBeforeDurable));
        Assert.Equal("Agreement", broken.Invariant);
    }

    [Fact]
    public void A_vote_of_an_earlier_ballot_is_not_counted()
    {
        Assert.False(IsChosenByAnOldVote(MultiPaxosMutation.None));
        Assert.True(IsChosenByAnOldVote(MultiPaxosMutation.OldBallotCounted));
    }

    // n1 leads and is cut from n2. n3 promises to n2, crashes with the promise not yet durable, and is back with n1.
    private static void PromiseLostInACrash(MultiPaxosMutation mutation)
    {
        var cluster = TestCluster.Majority(3, Options(mutation));
        cluster.StartAll();
        cluster.Elect(1);
        cluster.AutoFsync = false;

        cluster.Submit(2, new Command.Campaign());
        cluster[2].Fsync();
        Lose(cluster, 2, 1);
        cluster.Deliver(2, 2);
        cluster.Deliver(2, 3, message => message is Message.Prepare);
        cluster[3].Crash();
        cluster[3].Start();
        cluster.AutoFsync = true;

        // n1's value is chosen by n1 and n3, which has forgotten.
        cluster.Propose(1, "old");
        Lose(cluster, 1, 2);
        cluster.Deliver(1, 3, message => message is Message.Accept);
        cluster.Deliver(3, 1, message => message is Message.Accepted);
        cluster.Deliver(1, 1);
        Assert.Equal("old", cluster.Agreed[new Slot(2)]);

        // The promise, if it was sent, makes n2 leader without having heard of it.
        if (cluster.Wire.Exists(sent => sent is { From.Value: 3, To.Value: 2, Message: Message.Promise }))
        {
            cluster.Deliver(3, 2, message => message is Message.Promise);
            cluster.Settle(2, 3);
        }
    }

    // n1's value in slot 2 reaches n2 and is forgotten by n1; n3 puts a NoOp there; n1 leads again and proposes that.
    private static bool IsChosenByAnOldVote(MultiPaxosMutation mutation)
    {
        var cluster = TestCluster.Majority(3, Options(mutation));
        cluster.StartAll();
        cluster.Elect(1);
        cluster.AutoFsync = false;
        cluster.Propose(1, "forgotten");
        cluster.Deliver(1, 2, message => message is Message.Accept);
        cluster[2].Fsync();
        var late = cluster.Wire.Find(sent => sent is { From.Value: 2, Message: Message.Accepted { Slot.Value: 2 } });
        cluster[1].Crash();
        cluster[1].Start();
        cluster.AutoFsync = true;
        cluster.Wire.Clear();

        cluster.Submit(3, new Command.Campaign());
        cluster.Deliver(3, 1, message => message is Message.Prepare);
        cluster.Deliver(3, 3);
        cluster.Deliver(1, 3);
        Assert.Equal(PaxosRole.Leader, cluster[3].Paxos.Role);
        cluster.Wire.Clear();

        cluster.Submit(1, new Command.Campaign());
        cluster.Deliver(1, 3, message => message is Message.Prepare);
        cluster.Deliver(1, 1);
        cluster.Deliver(3, 1);
        Assert.Equal(PaxosRole.Leader, cluster[1].Paxos.Role);

        // Slot 1 is chosen, and slot 2 accepted by n1 alone.
        cluster.Deliver(1, 3, message => message is Message.Accept { Slot.Value: 1 });
        cluster.Wire.RemoveAll(sent => sent.To.Value != 1);
        cluster.Settle();
        Assert.Equal(new Slot(1), cluster[1].Paxos.Chosen);
        cluster[1].Receive(late.From, late.Message);
        return cluster[1].Paxos.Chosen > new Slot(1);
    }

    private static MultiPaxosOptions Options(MultiPaxosMutation mutation) =>
        new() { LeasesEnabled = false, PreVoteEnabled = false, Mutation = mutation };

    private static void Lose(TestCluster cluster, int from, int to) =>
        cluster.Wire.RemoveAll(sent => sent.From.Value == from && sent.To.Value == to);
}
