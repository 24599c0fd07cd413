using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;
using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

/// <summary>One test for each rule of the view change with signatures (pbft.md §4.1) and each refusal in it.</summary>
public sealed class ViewChangeTests
{
    private const int Request = (int)PbftReplica.Timer.Request;
    private const int NewView = (int)PbftReplica.Timer.NewView;

    private readonly Quartet _group = new(Small);

    [Fact]
    public void Who_waits_in_vain_for_its_oldest_request_leaves_the_view()
    {
        var play = _group.Stage(X, Y);
        play.Receive(X, B, new Message.Request(_group.Request(X, 1, "x+")));
        Assert.True(play.IsArmed(B, Request));

        // Another client's request is executed meanwhile: that calms nobody.
        Commit(play, B, 0, 1, new PbftReplica.Batch([_group.Request(Y, 1, "y+")]));
        Assert.Single(play.Executions(B));
        Assert.True(play.IsArmed(B, Request));
        play.Fire(B, Request);
        Assert.Equal((1, false), (Replica(play, B).View, Replica(play, B).IsActive));
        Assert.IsType<PbftReplica.Record.Changing>(play.Log(B)[^1]);
        Assert.DoesNotContain(play.Network, item => item.Message is Message.ViewChange);
        play.Sync(B);
        Assert.Equal(3, play.Network.Count(item => item.Message is Message.ViewChange));
    }

    [Fact]
    public void In_a_view_that_was_left_nothing_is_accepted_but_checkpoints()
    {
        var play = _group.Stage(X);
        Leave(play, B);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        play.Receive(C, B, _group.Prepare(C, 0, 1, _group.Batch("x+").Digest));
        play.Receive(C, B, _group.Commit(C, 0, 1, _group.Batch("x+").Digest));
        Assert.All(play.Refusals(B), refusal => Assert.Equal(Refusal.StaleBallot, refusal));
        Assert.Equal(3, play.Refusals(B).Count);

        // The next view's primary may not speak before the view begins.
        var c = _group.Stage(X);
        Leave(c, C);
        c.Receive(B, C, _group.PrePrepare(B, 1, 1, _group.Batch("x+")));
        Assert.Equal([Refusal.NotReady], c.Refusals(C));
        c.Receive(A, C, _group.Checkpoint(A, 4, default));
        Assert.Single(c.Refusals(C));
    }

    [Fact]
    public void A_view_change_shows_the_stable_checkpoint_and_what_prepared()
    {
        var play = _group.Stage(X);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        play.Receive(A, B, _group.PrePrepare(A, 0, 2, _group.Batch("x+", 2)));
        play.Receive(C, B, _group.Prepare(C, 0, 2, _group.Batch("x+", 2).Digest));
        Leave(play, B);
        var change = Assert.IsType<PbftReplica.Record.Changing>(play.Log(B)[^1]).ViewChange;
        Assert.Equal(Slot.None, change.Stable.Slot);
        var prepared = Assert.Single(change.Prepared);
        Assert.Equal((0L, new Slot(2), _group.Batch("x+", 2).Digest), (prepared.View, prepared.Slot, prepared.Digest));
        Assert.Empty(change.PrePrepared);

        // It convinces others.
        play.Receive(B, C, change);
        Assert.Empty(play.Refusals(C));
    }

    [Fact]
    public void With_f_plus_1_higher_views_a_replica_joins_the_smallest()
    {
        var play = _group.Stage(X);
        play.Receive(B, A, _group.ViewChange(B, 5));
        Assert.Equal(0, Replica(play, A).View);
        play.Receive(B, A, _group.ViewChange(B, 7));
        Assert.Equal(0, Replica(play, A).View);
        play.Receive(C, A, _group.ViewChange(C, 3));
        Assert.Equal((3, false), (Replica(play, A).View, Replica(play, A).IsActive));
        play.Receive(D, A, _group.ViewChange(D, 2));
        Assert.Equal(Refusal.StaleBallot, play.Refusals(A)[^1]);
    }

    [Fact]
    public void With_2f_plus_1_for_a_view_patience_begins_and_its_end_is_the_next_view()
    {
        var play = _group.Stage(X);
        Leave(play, C);
        play.Receive(A, C, _group.ViewChange(A, 1));
        Assert.False(play.IsArmed(C, NewView));

        // One that went on to view 2 wants view 1 no more, but counts as having left view 0.
        play.Receive(D, C, _group.ViewChange(D, 2));
        Assert.True(play.IsArmed(C, NewView));
        play.Fire(C, NewView);
        Assert.Equal(2, Replica(play, C).View);
    }

    [Fact]
    public void The_new_primary_proposes_again_what_prepared_last_and_fills_gaps_with_null()
    {
        var (old, last, other) = (_group.Batch("x+"), _group.Batch("x=5"), _group.Batch("y+"));
        var play = _group.Stage(X);
        play.Receive(A, D, _group.ViewChange(A, 3, [_group.Prepared(0, 1, old.Digest, A, B, C), _group.Prepared(0, 3, other.Digest, A, B, C)]));
        play.Receive(B, D, _group.ViewChange(B, 3, [_group.Prepared(1, 1, last.Digest, B, C, D)]));
        play.Receive(C, D, _group.ViewChange(C, 3));
        var begun = Assert.IsType<PbftReplica.Record.Entered>(play.Log(D)[^1]).NewView;
        Assert.Equal([(1L, last.Digest), (2L, Digest.None), (3L, other.Digest)], begun.Proposals.Select(item => (item.Slot.Value, item.Digest)));
        Assert.Equal((3, true), (Replica(play, D).View, Replica(play, D).IsActive));
        Assert.True(Replica(play, D).IsPrimary);
        Assert.DoesNotContain(play.Network, item => item.Message is Message.NewView);
        play.Sync(D);
        play.Network.RemoveAll(item => item.Message is Message.ViewChange);
        play.Deliver(D, A);
        Assert.Equal((3, true), (Replica(play, A).View, Replica(play, A).IsActive));
        play.Sync(A);
        Assert.Equal([1L, 2L, 3L], play.Between(A, B).OfType<Message.Prepare>().Select(item => item.Slot.Value));
        foreach (var node in new[] { B, C })
        {
            foreach (var (slot, digest) in new[] { (1, last.Digest), (2, Digest.None), (3, other.Digest) })
            {
                play.Receive(node, A, _group.Prepare(node, 3, slot, digest));
                play.Receive(node, A, _group.Commit(node, 3, slot, digest));
            }
        }

        play.Receive(B, A, new Message.BatchFound(last));
        play.Receive(B, A, new Message.BatchFound(other));
        Assert.Equal(["[n8.1:x=5]", "null", "[n8.1:y+]"], play.Executions(A).Select(item => ((PbftReplica.Command.Apply)item.Command).Batch.ToString()));

        // The next slot is the one after.
        play.Submit(D, new PbftReplica.Command.Order(_group.Request(X, 9, "z+")));
        Assert.Equal(new Slot(4), play.Log(D).OfType<PbftReplica.Record.PrePrepared>().Last().Slot);
    }

    [Fact]
    public void Proposals_begin_above_the_highest_stable_checkpoint()
    {
        var state = Digest.Of("state"u8);
        var play = _group.Stage(X);
        var proven = _group.Proven(4, state, A, B, C);
        play.Receive(A, D, _group.ViewChange(A, 3, [_group.Prepared(0, 2, _group.Batch("x+").Digest, A, B, C)]));
        play.Receive(C, D, _group.ViewChange(C, 3, [_group.Prepared(0, 5, _group.Batch("x+").Digest, A, B, C)], proven));
        var begun = play.Log(D).OfType<PbftReplica.Record.Entered>().Single().NewView;
        Assert.Equal([5L], begun.Proposals.Select(item => item.Slot.Value));

        // The new primary lacks that state: it leads, and fetches it.
        Assert.Equal(new Slot(4), Replica(play, D).Stable);
        Assert.True(Replica(play, D).IsFetching);
    }

    [Fact]
    public void What_was_executed_runs_through_the_phases_again_and_is_executed_once()
    {
        var play = _group.Stage(X);
        var batch = _group.Batch("x+");
        Commit(play, C, 0, 1, batch);
        Assert.Single(play.Executions(C));
        var changes = new[] { A, B, D }.Select(node => _group.ViewChange(node, 1, [_group.Prepared(0, 1, batch.Digest, A, C, D)])).ToArray();
        play.Receive(B, C, _group.NewView(B, 1, [.. changes], (1, batch.Digest)));
        play.Sync(C);
        Assert.Contains(play.Between(C, D), item => item is Message.Prepare { View: 1 });
        play.Receive(A, C, _group.Prepare(A, 1, 1, batch.Digest));
        play.Receive(D, C, _group.Prepare(D, 1, 1, batch.Digest));
        play.Sync(C);
        Assert.Contains(play.Between(C, D), item => item is Message.Commit { View: 1 });
        Assert.Single(play.Executions(C));
        Assert.Equal(1, _group.Services[C].Values["x"]);
    }

    [Fact]
    public void A_new_view_that_does_not_follow_from_its_view_changes_is_refused_and_its_primary_with_it()
    {
        var batch = _group.Batch("x+");
        var prepared = _group.Prepared(0, 1, batch.Digest, A, B, C);
        Message.ViewChange[] changes = [_group.ViewChange(A, 1), _group.ViewChange(B, 1, [prepared]), _group.ViewChange(D, 1)];
        var sound = _group.NewView(B, 1, [.. changes], (1, batch.Digest));
        Message.NewView[] unsound =
        [
            _group.NewView(B, 1, [.. changes]),
            _group.NewView(B, 1, [.. changes], (1, Digest.None)),
            _group.NewView(B, 1, [.. changes], (1, batch.Digest), (2, Digest.None)),
            _group.NewView(B, 1, [.. changes[..2]], (1, batch.Digest)),
            _group.NewView(B, 1, [changes[0], changes[0], changes[1]], (1, batch.Digest)),
            _group.NewView(B, 1, [changes[0], changes[1], _group.ViewChange(D, 2)], (1, batch.Digest)),
            _group.NewView(B, 1, [changes[0], changes[1], changes[2] with { Signature = changes[1].Signature }], (1, batch.Digest)),
            _group.NewView(B, 1, [.. changes], (1, batch.Digest)) with { Proposals = [sound.Proposals[0] with { Authenticator = new PbftReplica.Authenticator.Signed(default) }] },
        ];
        foreach (var refused in unsound)
        {
            var play = _group.Stage(X);
            Leave(play, C);
            play.Receive(B, C, refused);
            Assert.Equal(Refusal.Forged, Assert.Single(play.Refusals(C)));
            Assert.Equal(2, Replica(play, C).View);
        }

        var accepting = _group.Stage(X);
        Leave(accepting, C);
        accepting.Receive(D, C, sound);
        Assert.Empty(accepting.Refusals(C));
        Assert.True(Replica(accepting, C).IsActive);
        accepting.Receive(B, C, sound);
        Assert.Equal([Refusal.StaleBallot], accepting.Refusals(C));
    }

    [Fact]
    public void What_another_replica_makes_of_a_new_view_is_not_held_against_its_primary()
    {
        var batch = _group.Batch("x+");
        var prepared = _group.Prepared(0, 1, batch.Digest, A, B, C);
        Message.ViewChange[] changes = [_group.ViewChange(A, 1), _group.ViewChange(B, 1, [prepared]), _group.ViewChange(D, 1)];
        var sound = _group.NewView(B, 1, [.. changes], (1, batch.Digest));
        Message.NewView[] damaged =
        [
            sound with { Proposals = [sound.Proposals[0] with { Authenticator = new PbftReplica.Authenticator.Signed(default) }] },
            sound with { ViewChanges = [changes[0], changes[1] with { Prepared = [] }, changes[2]] },
        ];
        foreach (var refused in damaged)
        {
            var play = _group.Stage(X);
            Leave(play, C);
            play.Receive(D, C, refused);
            Assert.Equal([Refusal.Forged], play.Refusals(C));
            Assert.Equal((1L, false), (Replica(play, C).View, Replica(play, C).IsActive));
            play.Receive(B, C, sound);
            Assert.Equal((1L, true), (Replica(play, C).View, Replica(play, C).IsActive));
        }
    }

    [Fact]
    public void A_new_view_that_its_primary_did_not_sign_changes_nothing()
    {
        Message.ViewChange[] changes = [_group.ViewChange(A, 1), _group.ViewChange(B, 1), _group.ViewChange(D, 1)];
        var play = _group.Stage(X);
        Leave(play, C);
        play.Receive(D, C, _group.NewView(D, 1, [.. changes]));
        play.Receive(B, C, _group.NewView(B, 1, [.. changes]) with { View = 2 });
        Assert.Equal([Refusal.Forged, Refusal.Forged], play.Refusals(C));
        Assert.Equal((1, false), (Replica(play, C).View, Replica(play, C).IsActive));
    }

    [Fact]
    public void A_view_change_that_proves_nothing_is_refused()
    {
        var digest = _group.Batch("x+").Digest;
        var state = Digest.Of("state"u8);
        var sound = _group.ViewChange(B, 1, [_group.Prepared(0, 1, digest, A, B, C)]);
        Message.ViewChange[] unsound =
        [
            _group.ViewChange(B, 1, [_group.Prepared(0, 1, digest, A, B)]),
            _group.ViewChange(B, 1, [_group.Prepared(0, 1, digest, A, B, B)]),
            _group.ViewChange(B, 1, [_group.Prepared(0, 1, digest, A, A, B)]),
            _group.ViewChange(B, 1, [_group.Prepared(0, 1, digest, B, C, D)]),
            _group.ViewChange(B, 1, [_group.Prepared(0, 1, digest, A, C, X)]),
            _group.ViewChange(B, 1, [_group.Prepared(1, 1, digest, B, C, D)]),
            _group.ViewChange(B, 1, [_group.Prepared(0, 9, digest, A, B, C)]),
            _group.ViewChange(B, 1, [sound.Prepared[0], sound.Prepared[0]]),
            _group.ViewChange(B, 1, [sound.Prepared[0] with { Digest = state }]),
            _group.ViewChange(B, 1, stable: _group.Proven(4, state, A, B)),
            _group.ViewChange(B, 1, stable: _group.Proven(4, state, A, B, B)),
            _group.ViewChange(B, 1, stable: _group.Proven(3, state, A, B, C)),
            _group.ViewChange(B, 1, stable: _group.Proven(4, state, A, B, C) with { State = digest }),
            sound with { View = 2 },
            _group.Signed(sound with { PrePrepared = [new(1, new Slot(1), digest)] }),
            _group.Signed(sound with { PrePrepared = [new(0, new Slot(1), digest)] }),
        ];
        foreach (var refused in unsound)
        {
            var play = _group.Stage(X);
            play.Receive(B, C, refused);
            Assert.Equal([Refusal.Forged], play.Refusals(C));
        }

        var listening = _group.Stage(X);
        listening.Receive(D, C, sound);
        listening.Receive(B, C, sound);
        listening.Receive(B, C, sound);
        listening.Receive(B, C, _group.ViewChange(B, 1));
        Assert.Equal([Refusal.Malformed, Refusal.Duplicate, Refusal.Equivocation], listening.Refusals(C));
    }

    [Fact]
    public void After_each_view_that_fails_patience_is_doubled_and_progress_restores_it()
    {
        var group = new Quartet(Small, 7);
        var group7 = group.Group.Replicas;
        var waits = new List<Duration>();
        var (node, outbox) = (group7[6], new Outbox<Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>());
        var replica = group.Replica(node);
        void Step(Action step)
        {
            outbox.Clear();
            step();
            foreach (var change in outbox.Timers)
            {
                if (change.Set && change.Timer.Kind is Request or NewView)
                {
                    waits.Add(change.Due - default(Instant));
                }
            }
        }

        replica.Recover([], new Still(), outbox);
        Step(() => replica.Receive(X, new Message.Request(group.Request(X, 1, "x+")), new Still(), outbox));
        Step(() => replica.Fire(new TimerId(Request), new Still(), outbox));
        for (var view = 1; view <= 3; view++)
        {
            foreach (var other in group7.Take(4))
            {
                Step(() => replica.Receive(other, group.ViewChange(other, view), new Still(), outbox));
            }

            Step(() => replica.Fire(new TimerId(NewView), new Still(), outbox));
        }

        // View 4 begins, the request is executed in it, and the next one finds the patience of the beginning.
        var (primary, batch) = (group7[4], group.Batch("x+"));
        Step(() => replica.Receive(primary, group.NewView(primary, 4, [.. group7.Take(5).Select(other => group.ViewChange(other, 4))]), new Still(), outbox));
        Step(() => replica.Receive(primary, group.PrePrepare(primary, 4, 1, batch), new Still(), outbox));
        foreach (var other in group7.Take(4))
        {
            Step(() => replica.Receive(other, group.Prepare(other, 4, 1, batch.Digest), new Still(), outbox));
            Step(() => replica.Receive(other, group.Commit(other, 4, 1, batch.Digest), new Still(), outbox));
        }

        Assert.Equal(new Slot(1), replica.Executed);
        Step(() => replica.Receive(Y, new Message.Request(group.Request(Y, 1, "y+")), new Still(), outbox));
        var patience = Small.RequestTimeout;
        Assert.Equal([patience, patience, patience * 2, patience * 4, patience * 8, patience], waits);
    }

    private void Leave(Play play, NodeId node)
    {
        play.Receive(X, node, new Message.Request(_group.Request(X, 50, "x+")));
        play.Fire(node, Request);
    }

    private void Commit(Play play, NodeId node, long view, long slot, PbftReplica.Batch batch)
    {
        play.Receive(A, node, _group.PrePrepare(A, view, slot, batch));
        foreach (var other in new[] { B, C, D }.Where(other => other != node))
        {
            play.Receive(other, node, _group.Prepare(other, view, slot, batch.Digest));
            play.Receive(other, node, _group.Commit(other, view, slot, batch.Digest));
        }
    }

    private static PbftReplica Replica(Play play, NodeId node) => (PbftReplica)play[node];
}
