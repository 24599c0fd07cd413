using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;
using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

/// <summary>Checkpoints, water marks and fetching a state (pbft.md §3), and making up for what was lost.</summary>
public sealed class CheckpointTests
{
    private const int Status = (int)PbftReplica.Timer.Status;

    private readonly Quartet _group = new(Small with { PageSize = 8, FanOut = 2 });

    [Fact]
    public void A_checkpoint_is_told_after_its_state_is_durable_and_stable_with_2f_plus_1()
    {
        var play = _group.Stage(X);
        Execute(play, 1, 4, [A]);
        Assert.Empty(play.Network);
        Assert.Equal(Slot.None, Replica(play, B).Stable);
        var root = Root(play, A);

        // B has executed nothing. Three others agree, but it gives itself a little time.
        Execute(play, 1, 3, [B]);
        foreach (var node in new[] { A, C, D })
        {
            play.Receive(node, B, _group.Checkpoint(node, 4, root));
            Assert.Equal(Slot.None, Replica(play, B).Stable);
        }

        Execute(play, 4, 4, [B]);
        Assert.Equal(new Slot(4), Replica(play, B).Stable);
        Assert.Equal(new Slot(12), Replica(play, B).Limit);
        Assert.IsType<PbftReplica.Record.Stable>(play.Log(B)[^1]);
        Assert.Null(Replica(play, B).DecisionOf(new Slot(4)));
    }

    [Fact]
    public void A_replica_that_votes_twice_for_a_checkpoint_counts_once()
    {
        var play = _group.Stage(X);
        Execute(play, 1, 4, [B]);
        var root = Root(play, B);
        play.Receive(A, B, _group.Checkpoint(A, 4, root));
        play.Receive(A, B, _group.Checkpoint(A, 4, root));
        play.Receive(A, B, _group.Checkpoint(A, 4, Digest.Of("other"u8)));
        play.Receive(C, B, _group.Checkpoint(C, 4, Digest.Of("other"u8)));
        Assert.Equal(Slot.None, Replica(play, B).Stable);
        Assert.Equal([Refusal.Duplicate, Refusal.Equivocation], play.Refusals(B).TakeLast(2));
        play.Receive(D, B, _group.Checkpoint(D, 4, root));
        Assert.Equal(new Slot(4), Replica(play, B).Stable);
        play.Receive(C, B, _group.Checkpoint(C, 4, root));
        Assert.Equal(Refusal.Duplicate, play.Refusals(B)[^1]);
    }

    [Fact]
    public void Checkpoints_that_cannot_be_are_refused_and_those_to_come_do_not_fill_memory()
    {
        var play = _group.Stage(X);
        play.Receive(A, B, _group.Checkpoint(A, 3, default));
        play.Receive(A, B, _group.Checkpoint(C, 4, default));
        play.Receive(A, B, _group.Checkpoint(A, 0, default));
        Assert.Equal([Refusal.Malformed, Refusal.Forged, Refusal.Duplicate], play.Refusals(B));
        var before = Size(play, B);
        for (var slot = 4; slot < 4_000; slot += 4)
        {
            play.Receive(A, B, _group.Checkpoint(A, slot, default));
        }

        Assert.True(Size(play, B) < before + 500);
        play.Receive(A, B, _group.Checkpoint(A, 4, default));
        Assert.Equal(Refusal.Unexpected, play.Refusals(B)[^1]);
    }

    [Fact]
    public void A_primary_stops_at_the_end_of_the_window_and_goes_on_when_it_moves()
    {
        var play = _group.Stage(X);
        Execute(play, 1, 8, [A]);
        play.Submit(A, new PbftReplica.Command.Order(_group.Request(X, 20, "x+")));
        Assert.Equal(8, play.Log(A).OfType<PbftReplica.Record.PrePrepared>().Max(item => item.Slot.Value));
        var root = Digest.None;
        foreach (var record in play.Log(A).OfType<PbftReplica.Record.Saved>().Where(item => item.Slot.Value == 4))
        {
            root = new StateTree(record.State, 8, 2).Root;
        }

        play.Receive(B, A, _group.Checkpoint(B, 4, root));
        play.Receive(C, A, _group.Checkpoint(C, 4, root));
        Assert.Equal(9, play.Log(A).OfType<PbftReplica.Record.PrePrepared>().Max(item => item.Slot.Value));
    }

    [Fact]
    public void A_replica_far_behind_fetches_the_state_and_goes_on_from_there()
    {
        var play = Lagging();
        Settle(play, D);
        Assert.Equal(new Slot(8), Replica(play, D).Executed);
        Assert.Equal(_group.Services[A].Values, _group.Services[D].Values);
        Assert.Empty(play.Executions(D));
        Execute(play, 9, 9, [D]);
        Assert.Single(play.Executions(D));

        // The replies came with the state: an old request is not executed again, and its reply is known.
        Assert.Equal(9, _group.Services[D].Values["x"]);
        play.Sync(D);
        play.Network.Clear();
        play.Receive(X, D, new Message.Request(_group.Request(X, 9, "x+")));
        Assert.Single(play.Between(D, X));
    }

    [Fact]
    public void A_chunk_that_does_not_match_is_refused_and_another_replica_asked()
    {
        var play = Lagging();
        play.Fire(D, Status);
        play.Sync(D);
        var first = play.Network.First(item => item.From == D && item.Message is Message.FetchState);
        play.Receive(first.To, D, new Message.StateChunk(new Slot(8), -1, 0, new byte[40]));
        Assert.Equal(Refusal.Forged, play.Refusals(D)[^1]);
        var second = play.Network.Last(item => item.From == D && item.Message is Message.FetchState);
        Assert.NotEqual(first.To, second.To);
        play.Receive(second.To, D, new Message.StateChunk(new Slot(8), 0, 3, new byte[8]));
        play.Receive(second.To, D, new Message.StateChunk(new Slot(4), -1, 0, new byte[8]));
        Assert.Equal([Refusal.Unexpected, Refusal.Unexpected], play.Refusals(D).TakeLast(2));
        Settle(play, D);
        Assert.Equal(_group.Services[A].Values, _group.Services[D].Values);
    }

    [Fact]
    public void Only_what_differs_is_fetched()
    {
        var counters = Enumerable.Range(0, 60).Select(number => $"counter-{number:00}").ToList();
        var (full, changed) = (new Counters(), new Counters());
        foreach (var service in new[] { full, changed })
        {
            counters.ForEach(name => service.Execute(X, Counters.Bytes($"{name}=7")));
        }

        changed.Execute(X, Counters.Bytes("counter-30=9"));
        var (old, target) = (Tree(full), Tree(changed));
        Assert.NotEqual(old.Root, target.Root);
        var pages = StateTree.PagesOf(target.State.Length, 8);
        var same = Enumerable.Range(0, pages).Count(page => old.Has(0, page, StateTree.DigestOf(0, target.Page(page).Span)));
        Assert.InRange(same, pages - 2, pages - 1);

        // A part convinces only in its own place.
        Assert.NotEqual(StateTree.DigestOf(0, target.Page(0).Span), StateTree.DigestOf(1, target.Page(0).Span));
        Assert.Null(target.Part(0, pages));
        Assert.Null(target.Part(99, 0));
        Assert.Null(target.Part(-1, 1));
        Assert.Null(target.Part(0, -1));
    }

    [Fact]
    public void A_replica_left_in_the_dark_executes_what_f_plus_1_say_is_decided()
    {
        var play = _group.Stage(X);
        var batch = _group.Batch("x+");
        play.Receive(B, D, new Message.Decided(new Slot(1), batch));
        play.Receive(B, D, new Message.Decided(new Slot(1), batch));
        play.Receive(B, D, new Message.Decided(new Slot(1), _group.Batch("x=5")));
        Assert.Empty(play.Executions(D));
        Assert.Equal([Refusal.Duplicate, Refusal.Equivocation], play.Refusals(D));
        play.Receive(C, D, new Message.Decided(new Slot(1), _group.Batch("x=5")));
        Assert.Empty(play.Executions(D));
        play.Receive(A, D, new Message.Decided(new Slot(1), batch));
        Assert.Equal(batch.Digest, ((PbftReplica.Command.Apply)Assert.Single(play.Executions(D)).Command).Batch.Digest);
        play.Receive(A, D, new Message.Decided(new Slot(1), batch));
        play.Receive(A, D, new Message.Decided(new Slot(9), batch));
        Assert.Equal([Refusal.Duplicate, Refusal.Unexpected], play.Refusals(D).TakeLast(2));
    }

    [Fact]
    public void Who_says_where_it_is_gets_what_it_lacks()
    {
        var play = _group.Stage(X);
        Execute(play, 1, 2, [B, C]);
        play.Network.Clear();
        play.Receive(X, D, new Message.Request(_group.Request(X, 9, "y+")));
        play.Fire(D, Status);
        play.Run();
        Assert.Equal([1L, 2L], play.Executions(D).Select(item => item.Position.Value).Take(2));
    }

    [Fact]
    public void A_batch_that_is_missing_is_fetched_by_its_digest()
    {
        var play = _group.Stage(X);
        var batch = _group.Batch("x+");
        var changes = new[] { B, C, D }.Select(node => _group.ViewChange(node, 1, [_group.Prepared(0, 1, batch.Digest, A, C, D)])).ToArray();
        play.Receive(B, A, _group.NewView(B, 1, [.. changes], (1, batch.Digest)));
        foreach (var node in new[] { C, D })
        {
            play.Receive(node, A, _group.Prepare(node, 1, 1, batch.Digest));
            play.Receive(node, A, _group.Commit(node, 1, 1, batch.Digest));
        }

        Assert.NotNull(Replica(play, A).DecisionOf(new Slot(1)));
        Assert.Empty(play.Executions(A));
        play.Fire(A, Status);
        play.Sync(A);
        Assert.Contains(play.Between(A, C), item => item is Message.FetchBatch fetch && fetch.Digest == batch.Digest);
        play.Receive(C, A, new Message.BatchFound(_group.Batch("x=5")));
        Assert.Equal(Refusal.Unexpected, play.Refusals(A)[^1]);
        play.Receive(C, A, new Message.BatchFound(batch));
        Assert.Single(play.Executions(A));
    }

    private StateTree Tree(Counters service)
    {
        var writer = new CodecWriter();
        service.Save(writer);
        return new StateTree(writer.ToArray(), 8, 2);
    }

    private static int Size(Play play, NodeId node)
    {
        var writer = new CodecWriter();
        play[node].State(new StateWriter(writer));
        return writer.Length;
    }

    /// <summary>D knows nothing of the first eight slots, at whose end there is a stable checkpoint elsewhere.</summary>
    private Play Lagging()
    {
        var play = _group.Stage(X);
        Execute(play, 1, 8, [A, B, C]);
        foreach (var (from, to) in new[] { (A, B), (A, C), (B, A), (B, C), (C, A), (C, B) })
        {
            foreach (var saved in play.Log(from).OfType<PbftReplica.Record.Saved>().ToList())
            {
                play.Receive(from, to, _group.Checkpoint(from, saved.Slot.Value, new StateTree(saved.State, 8, 2).Root));
            }
        }

        foreach (var node in new[] { A, B, C })
        {
            Assert.Equal(new Slot(8), Replica(play, node).Stable);
            play.Receive(node, D, _group.Checkpoint(node, 8, Root(play, node)));
        }

        Assert.Equal(Slot.None, Replica(play, D).Stable);
        play.Network.Clear();
        return play;
    }

    private static void Settle(Play play, NodeId node)
    {
        for (var round = 0; round < 20 && play.IsArmed(node, Status); round++)
        {
            play.Fire(node, Status);
            play.Run();
        }
    }

    private static Digest Root(Play play, NodeId node) =>
        new StateTree(play.Log(node).OfType<PbftReplica.Record.Saved>().Last().State, 8, 2).Root;

    /// <summary>Executes increments in these slots at these replicas, each hearing what it needs and no more.</summary>
    private void Execute(Play play, int first, int last, NodeId[] nodes)
    {
        foreach (var node in nodes)
        {
            for (var slot = first; slot <= last; slot++)
            {
                var batch = _group.Batch("x+", slot);
                if (node == A)
                {
                    play.Submit(A, new PbftReplica.Command.Order(batch.Requests[0]));
                }
                else
                {
                    play.Receive(A, node, _group.PrePrepare(A, 0, slot, batch));
                }

                foreach (var other in new[] { B, C, D }.Where(other => other != node))
                {
                    play.Receive(other, node, _group.Prepare(other, 0, slot, batch.Digest));
                    play.Receive(other, node, _group.Commit(other, 0, slot, batch.Digest));
                }
            }
        }
    }

    private static PbftReplica Replica(Play play, NodeId node) => (PbftReplica)play[node];
}
