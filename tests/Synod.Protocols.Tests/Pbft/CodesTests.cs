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

    /// <summary>A liar may tell as much as a correct replica ever does, and no more.</summary>
    [Fact]
    public void More_digests_of_a_slot_than_are_remembered_are_a_lie()
    {
        var group = new Quartet(_group.Options with { MaxPrePrepared = 2 });
        var play = group.Stage(X);
        var three = Digest.Of("three"u8);
        play.Receive(A, D, group.Signed(Told(A, null, (0, s_one), (1, s_two))));
        play.Receive(B, D, group.Signed(Told(B, null, (0, s_one), (1, s_two), (2, three))));
        play.Receive(C, D, group.Signed(Told(C, null, (0, s_one), (1, s_one))));
        Assert.Equal([Refusal.Forged, Refusal.Forged], play.Refusals(D));
    }

    /// <summary>New views carry the view changes of a quorum: they must fit a frame however many views failed before.</summary>
    [Fact]
    public void The_longest_view_change_is_bounded()
    {
        var group = new Quartet(new PbftOptions { UsesCodes = true });
        var (options, all) = (group.Options, new List<PbftReplica.PrePrepared>());
        for (var slot = 1; slot <= options.Window; slot++)
        {
            all.AddRange(Enumerable.Range(0, options.MaxPrePrepared).Select(
                view => new PbftReplica.PrePrepared(long.MaxValue - 100 + view, new Slot(slot), Digest.Of([(byte)view]))));
        }

        var longest = group.Signed(group.ViewChange(A, long.MaxValue) with { PrePrepared = [.. all] });
        var longer = group.Signed(longest with { PrePrepared = [.. all, new(7, new Slot(1), s_one)] });
        var play = group.Stage(X);
        play.Receive(A, D, longer);
        Assert.Equal([Refusal.Forged], play.Refusals(D));
        play.Receive(A, D, longest);
        Assert.Single(play.Refusals(D));
        var writer = new CodecWriter();
        PbftReplica.Fields.Write(writer, longest);
        Assert.InRange(writer.Span.Length, 100_000, 300_000);
    }

    /// <summary>View after view another digest is pre-prepared in a slot and none prepares: the last few are told, also after a crash.</summary>
    [Fact]
    public void What_was_pre_prepared_long_ago_is_forgotten()
    {
        var group = new Quartet(_group.Options with { MaxPrePrepared = 2 });
        var play = group.Stage(X);
        play.Receive(A, B, group.PrePrepare(A, 0, 1, group.Batch("x+", 1)));
        foreach (var (primary, view) in new[] { (C, 2), (D, 3), (A, 4) })
        {
            play.Receive(primary, B, group.NewView(primary, view, [.. new[] { A, C, D }.Select(node => group.ViewChange(node, view))]));
            play.Receive(primary, B, group.PrePrepare(primary, view, 1, group.Batch("x+", view)));
        }

        Assert.Empty(play.Refusals(B));
        play.Sync(B);
        foreach (var crashes in new[] { false, true })
        {
            if (crashes)
            {
                play.Crash(B);
            }

            play.Fire(B, (int)PbftReplica.Timer.Request);
            var told = play.Log(B).OfType<PbftReplica.Record.Changing>().Last().ViewChange.PrePrepared;
            Assert.Equal([(3L, group.Batch("x+", 3).Digest), (4L, group.Batch("x+", 4).Digest)], told.Select(item => (item.View, item.Digest)).Order());
            Assert.True(((PbftReplica)play[B]).StandsBy(group.Prepare(B, 0, 1, group.Batch("x+", 1).Digest)));
            Assert.False(((PbftReplica)play[B]).StandsBy(group.Prepare(B, 4, 1, group.Batch("x+", 1).Digest)));
        }
    }

    /// <summary>What prepared is kept, however often another digest was pre-prepared after it.</summary>
    [Fact]
    public void What_prepared_is_not_forgotten()
    {
        var group = new Quartet(_group.Options with { MaxPrePrepared = 2 });
        var play = group.Stage(X);
        var first = group.Batch("x+", 1);
        play.Receive(A, B, group.PrePrepare(A, 0, 1, first));
        play.Receive(C, B, group.Prepare(C, 0, 1, first.Digest));
        foreach (var (primary, view) in new[] { (C, 2), (D, 3), (A, 4) })
        {
            play.Receive(primary, B, group.NewView(primary, view, [.. new[] { A, C, D }.Select(node => group.ViewChange(node, view))]));
            play.Receive(primary, B, group.PrePrepare(primary, view, 1, group.Batch("x+", view)));
        }

        play.Fire(B, (int)PbftReplica.Timer.Request);
        var told = play.Log(B).OfType<PbftReplica.Record.Changing>().Last().ViewChange;
        Assert.Equal([(0L, first.Digest), (4L, group.Batch("x+", 4).Digest)], told.PrePrepared.Select(item => (item.View, item.Digest)).Order());
        Assert.Equal(first.Digest, Assert.Single(told.Prepared).Digest);
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
