using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;

/// <summary>The normal case under codes instead of signatures, and the view change that needs no proofs (pbft.md §2, §4.2).</summary>
public sealed class CodesTests
{
    private static readonly Digest s_one = Digest.Of("one"u8);
    private static readonly Digest s_two = Digest.Of("two"u8);

    private readonly Quartet _group = new(Small with { UsesCodes = true });

    [Fact]
    public void The_normal_case_works_and_says_nothing_that_could_be_shown_around()
    {
        var play = _group.Stage(X);
        play.Submit(X, new PbftReplica.Command.Invoke(Counters.Bytes("x+")));
        play.Run();
        Assert.Equal("Completed 1", Assert.Single(play.Answers(X)).Result.ToString());
        var proof = play.Log(B).OfType<PbftReplica.Record.Prepared>().Single().Proof;
        Assert.Empty(proof.Prepares);
        Assert.All(play.Log(B).OfType<PbftReplica.Record.PrePrepared>(), item => Assert.IsType<PbftReplica.Authenticator.Coded>(item.Authenticator));
    }

    [Fact]
    public void A_vector_convinces_those_whose_code_is_right_and_no_others()
    {
        var vote = _group.Prepare(C, 0, 1, s_one);
        var codes = ((PbftReplica.Authenticator.Coded)vote.Authenticator).Codes;
        var damaged = vote with { Authenticator = new PbftReplica.Authenticator.Coded(codes.SetItem(1, new Mac(codes[1].Value + 1))) };
        var play = _group.Stage(X);
        play.Receive(C, B, damaged);
        play.Receive(C, D, damaged);
        play.Receive(C, B, vote with { Authenticator = new PbftReplica.Authenticator.Coded([.. codes.Take(2)]) });
        play.Receive(C, B, vote with { Authenticator = new PbftReplica.Authenticator.Signed(_group.Sign(C, PbftReplica.Phase.Prepare, 0, 1, s_one)) });
        Assert.Equal([Refusal.Forged, Refusal.Forged, Refusal.Forged], play.Refusals(B));
        Assert.Empty(play.Refusals(D));
    }

    [Fact]
    public void A_view_change_tells_what_was_pre_prepared_and_survives_a_crash()
    {
        var play = _group.Stage(X);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        play.Receive(C, B, _group.Prepare(C, 0, 1, _group.Batch("x+").Digest));
        play.Receive(A, B, _group.PrePrepare(A, 0, 2, _group.Batch("x+", 2)));
        play.Sync(B);
        play.Crash(B);
        play.Fire(B, (int)PbftReplica.Timer.Request);
        var change = Assert.IsType<PbftReplica.Record.Changing>(play.Log(B)[^1]).ViewChange;
        Assert.Equal([1L], change.Prepared.Select(item => item.Slot.Value));
        Assert.Equal([1L, 2L], change.PrePrepared.Select(item => item.Slot.Value));
        play.Receive(B, C, change);
        Assert.Empty(play.Refusals(C));
        play.Receive(B, D, _group.Signed(change with { Prepared = [_group.Prepared(0, 1, s_one, A, B, C) with { Prepares = [new(A, default)] }] }));
        Assert.Equal([Refusal.Forged], play.Refusals(D));
    }

    /// <summary>A1: a quorum contradicts it not. A2: f+1 vouch for it. Null: a quorum prepared nothing.</summary>
    [Fact]
    public void A_digest_is_chosen_if_a_quorum_agrees_and_a_correct_replica_vouches()
    {
        var replica = _group.Replica(D);
        var empty = Told(B);

        // Prepared at one, pre-prepared at two of three: chosen.
        Assert.Equal([(1L, s_one)], Chosen(replica, Told(A, (0, s_one)), Told(B, null, (0, s_one)), empty with { Sender = C }));

        // One claims alone: nobody vouches, so it is not chosen, and with two more that prepared nothing it is not null either.
        Assert.Null(Chosen(replica, Told(A, (0, s_one)), Told(B), Told(C)));

        // With a fourth the claim is outvoted: a quorum prepared nothing.
        Assert.Equal([(1L, Digest.None)], Chosen(replica, Told(A, (0, s_one)), Told(B), Told(C), Told(D)));

        // A higher view contradicts a lower one: the lower is not chosen, and the higher needs its own vouchers.
        Assert.Equal(
            [(1L, s_two)],
            Chosen(replica, Told(A, (0, s_one)), Told(B, (2, s_two), (0, s_one)), Told(C, null, (2, s_two))));
        Assert.Null(Chosen(replica, Told(A, (0, s_one), (0, s_one)), Told(B, (2, s_two), (0, s_one)), Told(C, null, (0, s_one))));

        // A voucher of a lower view does not count.
        Assert.Null(Chosen(replica, Told(A, (2, s_one)), Told(B, null, (0, s_one)), Told(C, null, (0, s_one))));

        // Two digests in one view, of which a faulty replica invented one: the other is chosen.
        Assert.Equal(
            [(1L, s_two)],
            Chosen(replica, Told(A, (0, s_one)), Told(B, (0, s_two)), Told(C, (0, s_two)), Told(D, null, (0, s_two))));
    }

    [Fact]
    public void A_primary_that_cannot_choose_waits_for_more()
    {
        var play = _group.Stage(X);
        play.Receive(A, D, Told(A, (0, s_one)));
        play.Receive(B, D, Told(B));
        Assert.False(((PbftReplica)play[D]).IsActive);
        play.Receive(C, D, Told(C));
        Assert.True(((PbftReplica)play[D]).IsActive);
        var begun = play.Log(D).OfType<PbftReplica.Record.Entered>().Single().NewView;
        Assert.Equal(4, begun.ViewChanges.Length);
        Assert.Equal([(1L, Digest.None)], begun.Proposals.Select(item => (item.Slot.Value, item.Digest)));
        play.Receive(D, C, begun);
        Assert.True(((PbftReplica)play[C]).IsActive);
    }

    [Fact]
    public void Two_digests_that_were_pre_prepared_in_one_view_of_a_slot_are_a_lie()
    {
        var play = _group.Stage(X);
        play.Receive(A, D, Told(A, null, (0, s_one), (1, s_two)));
        play.Receive(B, D, Told(B, null, (0, s_one), (0, s_two)));
        Assert.Equal([Refusal.Forged], play.Refusals(D));
    }

    /// <summary>A view change to view 3; what prepared also was pre-prepared.</summary>
    private Message.ViewChange Told(NodeId node, (long View, Digest Digest)? prepared = null, params (long View, Digest Digest)[] accepted)
    {
        var slot = new Slot(1);
        var all = prepared is { } last ? accepted.Append(last).Distinct() : accepted;
        return _group.Signed(_group.ViewChange(
            node, 3, prepared is { } item ? [new PbftReplica.Prepared(item.View, slot, item.Digest, default, [])] : []) with
        {
            PrePrepared = [.. all.Select(pair => new PbftReplica.PrePrepared(pair.View, slot, pair.Digest))],
        });
    }

    private static IEnumerable<(long, Digest)>? Chosen(PbftReplica replica, params Message.ViewChange[] changes) =>
        replica.Choose([.. changes])?.Select(item => (item.Slot.Value, item.Digest));
}
