using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;
using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

/// <summary>A replica that comes back contradicts nothing that it said (pbft.md §2).</summary>
public sealed class RecoveryTests
{
    private const int Status = (int)PbftReplica.Timer.Status;
    private const int Request = (int)PbftReplica.Timer.Request;

    private readonly Quartet _group = new(Small);

    [Fact]
    public void A_primary_gives_no_slot_to_another_batch()
    {
        var play = _group.Stage(X, Y);
        play.Submit(A, new PbftReplica.Command.Order(_group.Request(X, 1, "x+")));
        play.Sync(A);
        play.Crash(A);
        play.Submit(A, new PbftReplica.Command.Order(_group.Request(Y, 1, "y+")));
        Assert.Equal([1L, 2L], play.Log(A).OfType<PbftReplica.Record.PrePrepared>().Select(item => item.Slot.Value));
    }

    [Fact]
    public void A_backup_accepts_no_other_batch_and_says_again_what_it_said()
    {
        var play = _group.Stage(X);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        play.Sync(B);
        play.Crash(B);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x=5")));
        Assert.Equal([Refusal.Equivocation], play.Refusals(B));
        Assert.True(play.IsArmed(B, Request));
        play.Network.Clear();
        play.Receive(C, B, new Message.Status(0, true, Slot.None, Slot.None));
        play.Sync(B);
        Assert.Equal(_group.Batch("x+").Digest, Assert.IsType<Message.Prepare>(Assert.Single(play.Between(B, C))).Digest);

        // Its own vote counts as before.
        play.Receive(C, B, _group.Prepare(C, 0, 1, _group.Batch("x+").Digest));
        Assert.True(Replica(play, B).IsPreparedAt(new Slot(1)));
    }

    [Fact]
    public void A_crash_before_the_disk_forgets_what_nobody_heard()
    {
        var play = _group.Stage(X);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        play.Crash(B);
        Assert.Empty(play.Network);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x=5")));
        Assert.Empty(play.Refusals(B));
    }

    [Fact]
    public void What_prepared_before_a_crash_is_in_the_view_change_after_it()
    {
        var play = _group.Stage(X);
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        play.Receive(C, B, _group.Prepare(C, 0, 1, _group.Batch("x+").Digest));
        play.Sync(B);
        play.Crash(B);
        Assert.True(Replica(play, B).IsPreparedAt(new Slot(1)));
        play.Fire(B, Request);
        play.Sync(B);
        var change = play.Network.Select(item => item.Message).OfType<Message.ViewChange>().First();
        Assert.Equal([1L], change.Prepared.Select(item => item.Slot.Value));
        play.Receive(B, D, change);
        Assert.Empty(play.Refusals(D));
    }

    [Fact]
    public void A_view_that_was_left_stays_left_and_its_view_change_is_said_in_the_same_words()
    {
        var play = _group.Stage(X);
        play.Receive(X, B, new Message.Request(_group.Request(X, 1, "x+")));
        play.Fire(B, Request);
        play.Sync(B);
        var said = play.Between(B, C).OfType<Message.ViewChange>().Single();
        play.Crash(B);
        Assert.Equal((1, false), (Replica(play, B).View, Replica(play, B).IsActive));
        play.Receive(A, B, _group.PrePrepare(A, 0, 1, _group.Batch("x+")));
        Assert.Equal([Refusal.StaleBallot], play.Refusals(B));
        play.Network.Clear();
        play.Fire(B, Status);
        play.Sync(B);
        Assert.Equal(said.Signature, play.Between(B, C).OfType<Message.ViewChange>().Single().Signature);
    }

    [Fact]
    public void A_view_that_began_goes_on_and_others_can_be_told_of_it()
    {
        var play = _group.Stage(X);
        var batch = _group.Batch("x+");
        var changes = new[] { A, C, D }.Select(node => _group.ViewChange(node, 1, [_group.Prepared(0, 1, batch.Digest, A, C, D)])).ToArray();
        foreach (var change in changes)
        {
            play.Receive(change.Sender, B, change);
        }

        play.Sync(B);
        play.Crash(B);
        Assert.Equal((1, true), (Replica(play, B).View, Replica(play, B).IsActive));
        Assert.True(Replica(play, B).IsPrimary);
        play.Network.Clear();
        play.Receive(A, B, new Message.Status(1, false, Slot.None, Slot.None));
        play.Sync(B);
        Assert.IsType<Message.NewView>(Assert.Single(play.Between(B, A)));
        play.Submit(B, new PbftReplica.Command.Order(_group.Request(X, 5, "x+")));
        Assert.Equal(new Slot(2), play.Log(B).OfType<PbftReplica.Record.PrePrepared>().Last().Slot);
    }

    [Fact]
    public void What_was_executed_is_executed_again_so_that_reads_miss_nothing_that_was_told()
    {
        var play = Executed(6);
        Assert.Equal(new Slot(6), Replica(play, B).Executed);
        Assert.Equal(6, _group.Services[B].Values["x"]);
        Assert.Equal([5L, 6L], play.Executions(B).Select(item => item.Position.Value));
        play.Network.Clear();
        play.Receive(X, B, new Message.Request(_group.Request(X, 6, "x+")));
        play.Sync(B);
        Assert.IsType<Message.Reply>(Assert.Single(play.Between(B, X)));
    }

    [Fact]
    public void A_checkpoint_of_its_own_is_kept_and_served()
    {
        var play = Executed(4);
        play.Network.Clear();
        play.Receive(D, B, new Message.FetchState(new Slot(4), StateTree.RootLevel, 0));
        play.Sync(B);
        Assert.IsType<Message.StateChunk>(Assert.Single(play.Between(B, D)));
        var root = new StateTree(play.Log(B).OfType<PbftReplica.Record.Saved>().Last().State, Small.PageSize, Small.FanOut).Root;
        play.Receive(C, B, _group.Checkpoint(C, 4, root));
        play.Receive(D, B, _group.Checkpoint(D, 4, root));
        Assert.Equal(new Slot(4), Replica(play, B).Stable);
        play.Sync(B);
        play.Crash(B);
        Assert.Equal((new Slot(4), new Slot(4)), (Replica(play, B).Stable, Replica(play, B).Executed));
    }

    /// <summary>The records of a checkpoint of the log alone, and after the older ones, lead to the same replica.</summary>
    [Fact]
    public void The_log_can_be_cut()
    {
        foreach (var slots in new[] { 2, 4, 7 })
        {
            var play = Executed(slots);
            play.Receive(A, B, _group.PrePrepare(A, 0, slots + 1, _group.Batch("x+", slots + 1)));
            play.Receive(C, B, _group.Prepare(C, 0, slots + 1, _group.Batch("x+", slots + 1).Digest));
            play.Receive(A, B, _group.PrePrepare(A, 0, slots + 2, _group.Batch("x+", slots + 2)));
            Cut(play);
            play.Fire(B, Request);
            Cut(play);
            var batch = _group.Batch("x+", slots + 1);
            var stable = Replica(play, B).Stable.Value;
            Assert.Equal(0, stable);
            var changes = new[] { A, C, D }.Select(node => _group.ViewChange(
                node, 2, [.. Enumerable.Range(1, slots + 1).Select(slot => _group.Prepared(0, slot, _group.Batch("x+", slot).Digest, A, C, D))]));
            play.Receive(C, B, _group.NewView(
                C, 2, [.. changes], [.. Enumerable.Range(1, slots + 1).Select(slot => ((long)slot, _group.Batch("x+", slot).Digest))]));
            Assert.True(Replica(play, B).IsActive);
            Cut(play);
        }
    }

    private void Cut(Play play)
    {
        var outbox = new Outbox<Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>();
        play[B].Checkpoint(null!, outbox);
        PbftReplica.Record[] anew = [.. outbox.Records];
        var expected = Recovered(play.Log(B));
        Assert.Equal(expected, Recovered(anew));
        for (var length = 0; length <= anew.Length; length++)
        {
            Assert.Equal(expected, Recovered([.. play.Log(B), .. anew[..length]]));
        }
    }

    private string Recovered(IReadOnlyList<PbftReplica.Record> records)
    {
        var replica = new PbftReplica(B, _group.Group, Small, _group.Keys.SignerOf(B), _group.Keys.MacsOf(B), new Counters());
        replica.Recover(records, new Still(), new());
        var printer = new StatePrinter();
        replica.State(printer);
        return printer.ToString();
    }

    private Play Executed(int slots)
    {
        var play = _group.Stage(X);
        for (var slot = 1; slot <= slots; slot++)
        {
            var batch = _group.Batch("x+", slot);
            play.Receive(A, B, _group.PrePrepare(A, 0, slot, batch));
            foreach (var other in new[] { C, D })
            {
                play.Receive(other, B, _group.Prepare(other, 0, slot, batch.Digest));
                play.Receive(other, B, _group.Commit(other, 0, slot, batch.Digest));
            }
        }

        play.Sync(B);
        play.Crash(B);
        return play;
    }

    private static PbftReplica Replica(Play play, NodeId node) => (PbftReplica)play[node];
}
