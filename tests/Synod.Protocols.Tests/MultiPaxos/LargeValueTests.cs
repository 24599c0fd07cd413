using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>Values longer than a chunk are given time: on a link, and on the disk at its end.</summary>
public sealed class LargeValueTests
{
    private const int Chunk = 100;

    private readonly TestCluster _cluster = TestCluster.Majority(3, new MultiPaxosOptions { ChunkBytes = Chunk });

    public LargeValueTests()
    {
        _cluster.StartAll();
        _cluster.Elect(1);
    }

    [Fact]
    public void What_is_lost_is_sent_again_after_a_beat_for_each_further_chunk()
    {
        Propose(5);
        for (var beat = 1; beat < 4; beat++)
        {
            Beat();
            Assert.DoesNotContain(_cluster.Wire, sent => sent.Message is Message.Accept);
        }

        Beat();
        Assert.Equal(2, _cluster.Wire.Count(sent => sent.Message is Message.Accept));
        _cluster.Settle();
        Assert.Equal(new Slot(2), _cluster[1].Paxos.Chosen);
    }

    [Fact]
    public void A_leader_waits_for_acknowledgements_of_it_and_not_for_ever()
    {
        Propose(30);
        for (var beat = 1; beat < 29; beat++)
        {
            Beat();
            Assert.Equal(PaxosRole.Leader, _cluster[1].Paxos.Role);
            Propose(30);
        }

        for (var beat = 1; beat <= 11 * 29 && _cluster[1].Paxos.Role == PaxosRole.Leader; beat++)
        {
            Beat();
        }

        Assert.Equal(PaxosRole.Follower, _cluster[1].Paxos.Role);
    }

    [Fact]
    public void A_question_that_was_answered_with_one_is_not_answered_again_at_once()
    {
        Propose(5, lost: false);
        Ask(1, 3, new Message.Fetch(new Slot(2)), message => message is Message.Entries);
    }

    [Fact]
    public void A_candidate_is_not_told_of_one_again_at_once()
    {
        Propose(5, lost: false);
        var ballot = new Ballot(9, new NodeId(3));
        Ask(2, 3, new Message.Prepare(ballot, new Slot(2), _cluster[1].Paxos.Ballot), message => message is Message.Promise);
        _cluster[2].Receive(new NodeId(3), new Message.Prepare(ballot.Next(new NodeId(3)), new Slot(2), _cluster[1].Paxos.Ballot));
        Assert.Single(_cluster.Wire, sent => sent.Message is Message.Promise);
    }

    private void Ask(int node, int asker, Message question, Func<Message, bool> isAnswer)
    {
        foreach (var answers in new[] { 1, 0, 0 })
        {
            _cluster[node].Receive(new NodeId(asker), question);
            Assert.Equal(answers, _cluster.Wire.Count(sent => isAnswer(sent.Message)));
            _cluster.Wire.Clear();
        }

        _cluster.Now += 4 * Interval;
        _cluster[node].Receive(new NodeId(asker), question);
        Assert.Single(_cluster.Wire, sent => isAnswer(sent.Message));
        _cluster.Wire.Clear();
    }

    private static long Interval => new MultiPaxosOptions().HeartbeatInterval.Nanoseconds;

    private void Propose(int chunks, bool lost = true)
    {
        _cluster.Propose(1, new string('x', chunks * Chunk));
        if (lost)
        {
            _cluster.Wire.Clear();
        }
        else
        {
            _cluster.Settle();
        }
    }

    private void Beat()
    {
        _cluster.Wire.Clear();
        _cluster.Now += Interval;
        _cluster[1].Fire(new TimerId((int)MultiPaxosTimer.Heartbeat));
    }
}
