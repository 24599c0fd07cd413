using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;
using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

/// <summary>One test for each rule of the normal case (pbft.md §3) and each refusal in it.</summary>
public sealed class NormalCaseTests
{
    private readonly Quartet _group = new(Small);

    [Fact]
    public void Quorums_are_those_of_the_number_of_replicas()
    {
        (int Replicas, int Faults, int Quorum)[] expected = [(4, 1, 3), (5, 1, 4), (6, 1, 4), (7, 2, 5), (10, 3, 7), (16, 5, 11)];
        foreach (var (replicas, faults, quorum) in expected)
        {
            var group = new Quartet(Small, replicas).Group;
            Assert.Equal((faults, quorum, faults + 1), (group.Faults, group.Quorum, group.Weak));

            // Two quorums share a correct replica, and the correct ones alone are a quorum.
            Assert.True(2 * quorum - replicas > faults && quorum <= replicas - faults);
        }

        Assert.Throws<ArgumentException>(() => new PbftGroup([A, B, C], "test", 1));
        Assert.Throws<ArgumentException>(() => new PbftGroup([A, B, C, C], "test", 1));
        Assert.Throws<ArgumentException>(() => _group.Replica(X));
    }

    [Fact]
    public void A_pre_prepare_leaves_only_after_it_is_durable()
    {
        var play = _group.Stage(X);
        play.Submit(A, new PbftReplica.Command.Order(_group.Request(X, 1, "x+")));
        Assert.Equal([typeof(PbftReplica.Record.Known), typeof(PbftReplica.Record.PrePrepared)], play.Log(A).Select(item => item.GetType()));
        Assert.Empty(play.Network);
        play.Sync(A);
        Assert.Equal([B, C, D], play.Network.Select(item => item.To));
        Assert.All(play.Network, item => Assert.Equal(new Slot(1), Assert.IsType<Message.PrePrepare>(item.Message).Slot));
    }

    [Fact]
    public void A_prepare_leaves_only_after_what_it_accepts_is_durable()
    {
        var play = Proposed();
        play.Deliver(A, B);
        Assert.Empty(play.Between(B, C));
        play.Sync(B);
        Assert.IsType<Message.Prepare>(Assert.Single(play.Between(B, A)));
        Assert.IsType<Message.Prepare>(Assert.Single(play.Between(B, C)));
        Assert.Empty(play.Between(B, B));
    }

    [Fact]
    public void A_backup_refuses_a_pre_prepare_that_is_out_of_place()
    {
        var batch = _group.Batch("x+");
        Refuses(Refusal.Unexpected, C, _group.PrePrepare(C, 0, 1, batch));
        Refuses(Refusal.NotReady, C, _group.PrePrepare(C, 2, 1, batch));
        Refuses(Refusal.Unexpected, A, _group.PrePrepare(A, 0, 0, batch));
        Refuses(Refusal.Unexpected, A, _group.PrePrepare(A, 0, 9, batch));
        Refuses(Refusal.NotMember, X, _group.PrePrepare(A, 0, 1, batch));
        Refuses(Refusal.StaleBallot, A, _group.PrePrepare(A, -1, 1, batch));
    }

    [Fact]
    public void A_backup_refuses_a_pre_prepare_that_is_malformed_or_forged()
    {
        var batch = _group.Batch("x+");
        var sound = _group.PrePrepare(A, 0, 1, batch);
        Refuses(Refusal.Malformed, A, sound with { Batch = _group.Batch("x=5") });
        Refuses(Refusal.Malformed, A, _group.PrePrepare(A, 0, 1, PbftReplica.Batch.Null));
        Refuses(Refusal.Malformed, A, _group.PrePrepare(A, 0, 1, new([_group.Request(X, 1, "x+"), _group.Request(X, 2, "x+")])));
        Refuses(Refusal.Forged, A, sound with { Authenticator = _group.Prove(B, PbftReplica.Phase.PrePrepare, 0, 1, batch.Digest) });
        Refuses(Refusal.Forged, A, sound with { Authenticator = new PbftReplica.Authenticator.Coded([default, default, default, default]) });

        var unsigned = batch.Requests[0] with { Operation = Counters.Bytes("x=7") };
        Refuses(Refusal.Forged, A, _group.PrePrepare(A, 0, 1, new([unsigned])));
        Refuses(Refusal.Forged, A, _group.PrePrepare(A, 0, 1, new([_group.Request(B, 1, "x+")])));
        Refuses(Refusal.Forged, A, _group.PrePrepare(A, 0, 1, new([_group.Request(X, 0, "x+")])));
        Refuses(Refusal.Forged, A, _group.PrePrepare(A, 0, 1, new([_group.Request(X, 1, "x+", isRead: true)])));
    }

    [Fact]
    public void Of_two_pre_prepares_for_a_slot_the_first_is_kept_and_the_second_is_evidence()
    {
        var play = _group.Stage(X);
        var (first, second) = (_group.PrePrepare(A, 0, 1, _group.Batch("x+")), _group.PrePrepare(A, 0, 1, _group.Batch("x=5")));
        play.Receive(A, B, first);
        play.Receive(A, B, first);
        Assert.Equal([Refusal.Duplicate], play.Refusals(B));
        play.Receive(A, B, second);
        Assert.Equal([Refusal.Duplicate, Refusal.Equivocation], play.Refusals(B));
        var evidence = Assert.Single(Replica(play, B).Accusations);
        Assert.Equal((A, first.Digest, second.Digest), (evidence.Accused, evidence.First, evidence.Second));
        play.Sync(B);
        Assert.Equal(first.Digest, Assert.IsType<Message.Prepare>(Assert.Single(play.Between(B, C))).Digest);

        // The evidence convinces anyone who knows the accused's key.
        var statements = new PbftReplica.Statements(_group.Group.Domain);
        foreach (var (digest, proof) in new[] { (evidence.First, evidence.FirstProof), (evidence.Second, evidence.SecondProof) })
        {
            var statement = statements.Vote(evidence.Phase, evidence.View, evidence.Slot, digest);
            Assert.True(_group.Keys.Verify(A, statement, Assert.IsType<PbftReplica.Authenticator.Signed>(proof).Signature));
        }
    }

    [Fact]
    public void A_slot_is_prepared_with_2f_prepares_of_distinct_backups_and_the_commit_waits_for_the_disk()
    {
        var play = Proposed();
        play.Deliver(A, B);
        var digest = _group.Batch("x+").Digest;
        play.Sync(B);
        play.Receive(A, B, _group.Prepare(A, 0, 1, digest));
        Assert.Equal([Refusal.Unexpected], play.Refusals(B));
        play.Receive(C, B, _group.Prepare(C, 0, 1, Digest.Of("other"u8)));
        Assert.False(Replica(play, B).IsPreparedAt(new Slot(1)));
        play.Receive(D, B, _group.Prepare(D, 0, 1, digest));
        Assert.True(Replica(play, B).IsPreparedAt(new Slot(1)));
        var proof = Assert.IsType<PbftReplica.Record.Prepared>(play.Log(B)[^1]).Proof;
        Assert.Equal([B, D], proof.Prepares.Select(item => item.Signer));
        Assert.Single(play.Between(B, C));
        play.Sync(B);
        Assert.IsType<Message.Commit>(play.Between(B, C).Last());
    }

    [Fact]
    public void A_sender_counts_once_and_its_second_different_vote_is_evidence()
    {
        var play = _group.Stage(X);
        var digest = _group.Batch("x+").Digest;
        var vote = _group.Prepare(C, 0, 1, digest);
        play.Receive(A, D, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        var b = _group.Stage(X);
        b.Receive(C, B, vote);
        b.Receive(C, B, vote);
        b.Receive(C, B, _group.Prepare(C, 0, 1, Digest.Of("other"u8)));
        Assert.Equal([Refusal.Duplicate, Refusal.Equivocation], b.Refusals(B));
        Assert.Equal(C, Assert.Single(Replica(b, B).Accusations).Accused);
        b.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));

        // Its own prepare and C's first, which came before the proposal.
        Assert.True(Replica(b, B).IsPreparedAt(new Slot(1)));
        Assert.False(Replica(play, D).IsPreparedAt(new Slot(1)));
        b.Receive(C, B, _group.Commit(C, 0, 1, digest));
        b.Receive(C, B, _group.Commit(C, 0, 1, digest));
        b.Receive(C, B, _group.Commit(C, 0, 1, Digest.Of("other"u8)));
        Assert.Empty(b.Executions(B));
    }

    [Fact]
    public void Forged_votes_are_refused()
    {
        var digest = _group.Batch("x+").Digest;
        Refuses(Refusal.Forged, C, _group.Prepare(D, 0, 1, digest));
        Refuses(Refusal.Forged, C, _group.Commit(D, 0, 1, digest));
        Refuses(Refusal.Forged, C, _group.Prepare(C, 0, 1, digest) with { Slot = new Slot(2) });
        Refuses(Refusal.Unexpected, C, _group.Commit(C, 0, 9, digest));
        Refuses(Refusal.NotReady, C, _group.Commit(C, 3, 1, digest));
    }

    [Fact]
    public void A_slot_is_executed_with_2f_plus_1_commits_once_it_is_prepared()
    {
        var play = Proposed();
        var digest = _group.Batch("x+").Digest;
        play.Receive(C, B, _group.Commit(C, 0, 1, digest));
        play.Receive(D, B, _group.Commit(D, 0, 1, digest));
        play.Receive(A, B, _group.Commit(A, 0, 1, digest));
        Assert.Empty(play.Executions(B));
        play.Deliver(A, B);
        Assert.Empty(play.Executions(B));
        play.Receive(C, B, _group.Prepare(C, 0, 1, digest));
        var executed = Assert.Single(play.Executions(B));
        Assert.Equal((new Slot(1), digest), (executed.Position, ((PbftReplica.Command.Apply)executed.Command).Batch.Digest));
        Assert.Empty(play.Between(B, X));
        play.Sync(B);
        Assert.IsType<Message.Reply>(Assert.Single(play.Between(B, X)));
    }

    [Fact]
    public void Nothing_is_executed_before_what_comes_before_it()
    {
        var play = _group.Stage(X);
        foreach (var slot in new[] { 2, 1 })
        {
            Assert.Empty(play.Executions(B));
            Commit(play, B, slot, _group.Batch("x+", slot));
        }

        Assert.Equal([1L, 2L], play.Executions(B).Select(item => item.Position.Value));
    }

    [Fact]
    public void A_request_is_executed_once_and_its_reply_is_sent_again()
    {
        var play = _group.Stage(X);
        Commit(play, B, 1, _group.Batch("x+", 5));
        Commit(play, B, 2, _group.Batch("x+", 5));
        Commit(play, B, 3, _group.Batch("x+", 4));
        play.Sync(B);
        Assert.Equal(1, _group.Services[B].Values["x"]);
        Assert.Single(play.Between(B, X));
        play.Receive(X, B, new Message.Request(_group.Request(X, 5, "x+")));
        Assert.Equal(2, play.Between(B, X).Count());
        play.Receive(X, B, new Message.Request(_group.Request(X, 4, "x+")));
        Assert.Equal(2, play.Between(B, X).Count());
        Assert.False(play.IsArmed(B, (int)PbftReplica.Timer.Request));
    }

    [Fact]
    public void A_backup_hands_a_request_to_the_primary_and_waits_for_it()
    {
        var play = _group.Stage(X);
        play.Receive(X, B, new Message.Request(_group.Request(X, 1, "x+")));
        Assert.IsType<Message.Request>(Assert.Single(play.Between(B, A)));
        Assert.True(play.IsArmed(B, (int)PbftReplica.Timer.Request));
        play.Receive(X, C, new Message.Request(_group.Request(X, 1, "x+") with { Timestamp = 2 }));
        Assert.Equal([Refusal.Forged], play.Refusals(C));
        Assert.False(play.IsArmed(C, (int)PbftReplica.Timer.Request));
        play.Run();
        Assert.Single(play.Executions(B));
        Assert.False(play.IsArmed(B, (int)PbftReplica.Timer.Request));
    }

    /// <summary>Another under the same name is checked all the same: what waits vouches for itself only.</summary>
    [Fact]
    public void A_request_that_waits_is_not_checked_again_when_it_comes_in_a_batch()
    {
        var signer = new Counting(_group.Keys.SignerOf(C));
        var play = new Play(
            node => node == C ? new PbftReplica(C, _group.Group, _group.Options, signer, _group.Keys.MacsOf(C), new Counters()) : _group.Make(node),
            timer => $"{timer}",
            [.. _group.Group.Replicas, X]).Begin();
        play.Submit(C, new PbftReplica.Command.Order(_group.Request(X, 1, "x+")));
        Assert.Equal(1, signer.OfClients);
        play.Receive(A, C, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        Assert.Equal(1, signer.OfClients);
        Assert.Single(play.Log(C).OfType<PbftReplica.Record.PrePrepared>());

        var forged = new PbftReplica.Batch([_group.Request(X, 1, "x+") with { Operation = Key.Of("y+").Memory }]);
        play.Receive(A, C, _group.PrePrepare(A, 0, 2, forged));
        Assert.Equal(2, signer.OfClients);
        Assert.Single(play.Log(C).OfType<PbftReplica.Record.PrePrepared>());
    }

    [Fact]
    public void Requests_that_come_while_the_pipeline_is_full_go_into_one_batch()
    {
        var group = new Quartet(Small with { Pipeline = 1 });
        var play = group.Stage(X, Y);
        play.Submit(A, new PbftReplica.Command.Order(group.Request(X, 1, "x+")));
        foreach (var number in Enumerable.Range(10, 3))
        {
            play.Submit(A, new PbftReplica.Command.Order(group.Request(new NodeId(number), 1, "x+")));
        }

        Assert.Single(play.Log(A).OfType<PbftReplica.Record.PrePrepared>());
        var replicas = new[] { B, C };
        foreach (var node in replicas)
        {
            play.Receive(node, A, group.Prepare(node, 0, 1, group.Batch("x+").Digest));
            play.Receive(node, A, group.Commit(node, 0, 1, group.Batch("x+").Digest));
        }

        Assert.Equal([1, 3], play.Log(A).OfType<PbftReplica.Record.Known>().Select(item => item.Batch.Requests.Length));
    }

    [Fact]
    public void Commands_that_no_client_signed_are_refused()
    {
        var play = _group.Stage(X);
        play.Submit(A, new PbftReplica.Command.Order(_group.Request(X, 1, "x+") with { Timestamp = 2 }));
        play.Submit(A, new PbftReplica.Command.Invoke(Counters.Bytes("x+")));
        play.Submit(A, new PbftReplica.Command.Order(_group.Request(X, 1, "x+")));
        Assert.Equal(
            [typeof(PbftReplica.Result.Refused), typeof(PbftReplica.Result.Refused), typeof(PbftReplica.Result.Noted)],
            play.Answers(A).Select(item => item.Result.GetType()));
    }

    /// <summary>pbft.md §9: pre-prepare, prepare and commit of one batch take 2n(n-1) messages.</summary>
    [Theory]
    [InlineData(4, 24)]
    [InlineData(7, 84)]
    [InlineData(16, 480)]
    public void A_batch_takes_as_many_messages_as_the_paper_says(int replicas, int messages)
    {
        var group = new Quartet(Small, replicas);
        var client = new NodeId(99);
        var play = new Play(group.Make, _ => "", [.. group.Group.Replicas, client]).Begin();
        play.Submit(A, new PbftReplica.Command.Order(group.Request(client, 1, "x+")));
        play.Run();
        Assert.Equal(messages, play.Trace.Split('\n').Count(line => line.StartsWith("  send n", StringComparison.Ordinal) && !line.Contains("Reply", StringComparison.Ordinal)));
        Assert.All(group.Group.Replicas, node => Assert.Single(play.Executions(node)));
    }

    private Play Proposed()
    {
        var play = _group.Stage(X);
        play.Submit(A, new PbftReplica.Command.Order(_group.Request(X, 1, "x+")));
        play.Sync(A);
        return play;
    }

    private void Commit(Play play, NodeId node, long slot, PbftReplica.Batch batch)
    {
        play.Receive(A, node, _group.PrePrepare(A, 0, slot, batch));
        foreach (var other in new[] { C, D })
        {
            play.Receive(other, node, _group.Prepare(other, 0, slot, batch.Digest));
            play.Receive(other, node, _group.Commit(other, 0, slot, batch.Digest));
        }
    }

    private void Refuses(Refusal refusal, NodeId from, Message message)
    {
        var play = _group.Stage(X);
        play.Receive(from, B, message);
        Assert.Equal([refusal], play.Refusals(B));
        Assert.Empty(play.Log(B));
    }

    private static PbftReplica Replica(Play play, NodeId node) => (PbftReplica)play[node];

    private sealed class Counting(ISigner signer) : ISigner
    {
        /// <summary>Checks of what clients signed.</summary>
        public int OfClients { get; private set; }

        public NodeId Self => signer.Self;

        public Signature Sign(ReadOnlySpan<byte> statement) => signer.Sign(statement);

        public bool Verify(NodeId by, ReadOnlySpan<byte> statement, Signature signature)
        {
            OfClients += by == X ? 1 : 0;
            return signer.Verify(by, statement, signature);
        }
    }
}
