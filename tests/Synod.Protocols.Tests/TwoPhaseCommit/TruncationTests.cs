using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Xunit;
using static Synod.Lab.Worlds.TwoPhaseCommitWorld;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

using Play = Stage<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>;

/// <summary>What is over is forgotten, and the log with it (commit.md §1.2, rule 4; §1.3, presumed abort).</summary>
public sealed class TruncationTests
{
    private static readonly TransactionId Second = new(Coordinator, 1, 2);

    [Fact]
    public void What_everybody_acknowledged_is_forgotten_with_the_next_prepare_and_what_comes_late_about_it_changes_nothing()
    {
        var play = Stage();
        play.Submit(Coordinator, Transfer(A, B));
        play.Run();
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
        play.Submit(Coordinator, Transfer(A, B));
        play.Sync(Coordinator);
        Assert.Equal(Second, Assert.IsType<TwoPhase.Message.Prepare>(Assert.Single(play.Between(Coordinator, A))).Oldest);
        play.Deliver(Coordinator, A);
        play.Deliver(Coordinator, B);
        var ledger = Node(play, A).Ledger;
        Assert.True(ledger.IsForgotten(First) && ledger.Knows(First));
        Assert.Empty(ledger.Endings);
        play.Run();
        var log = play.Log(A).Count;
        play.Receive(Coordinator, A, new TwoPhase.Message.Prepare(First, First, NodeSet.Of(A, B), 0, Branch(A).Writes));
        Assert.Equal(new TwoPhase.Message.Vote(First, Choice.No), Assert.Single(play.Between(A, Coordinator)));
        play.Network.Clear();
        play.Receive(Coordinator, A, new TwoPhase.Message.Decide(First, true));
        play.Receive(Coordinator, A, new TwoPhase.Message.Decide(First, false));
        play.Receive(Coordinator, A, new TwoPhase.Message.CommitAlone(First, First, 0, Branch(A).Writes));
        Assert.Empty(play.Network);
        play.Receive(B, A, new TwoPhase.Message.Inquire(First));
        Assert.Equal(new TwoPhase.Message.Outcome(First, Ending.Aborted), Assert.Single(play.Between(A, B)));
        play.Submit(A, new CommitCommand.Veto(First));
        Assert.Equal(new CommitResult.TooLate(First), play.Answers(A)[^1].Result);
        Assert.Equal(log, play.Log(A).Count);
        Assert.Equal(2, play.Executions(A).Count);
    }

    [Fact]
    public void As_long_as_somebody_may_ask_it_is_remembered()
    {
        var play = Stage();
        play.Submit(Coordinator, Transfer(A, B));
        play.Sync(Coordinator);
        foreach (var node in new[] { A, B })
        {
            play.Deliver(Coordinator, node);
            play.Sync(node);
            play.Deliver(node, Coordinator);
        }

        play.Sync(Coordinator);
        play.Deliver(Coordinator, A);
        play.Sync(A);
        play.Deliver(A, Coordinator);
        play.Drop(Coordinator, B);
        play.Submit(Coordinator, Transfer(A, C));
        play.Sync(Coordinator);
        Assert.Equal(First, Assert.IsType<TwoPhase.Message.Prepare>(Assert.Single(play.Between(Coordinator, A))).Oldest);
        play.Deliver(Coordinator, A);
        play.Fire(B, (int)TwoPhase.Timer.Inquire);
        play.Deliver(B, A);
        play.Sync(A);
        play.Deliver(A, B);
        play.Run();
        Assert.Equal(Ending.Committed, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>Of another coordinator's transactions, and of its own later ones, nobody is told that they are over.</summary>
    [Fact]
    public void A_mark_that_cannot_be_is_refused()
    {
        var play = Stage();
        play.Receive(Coordinator, A, new TwoPhase.Message.Prepare(First, Second, NodeSet.Of(A), 0, Branch(A).Writes));
        play.Receive(Coordinator, A, new TwoPhase.Message.CommitAlone(First, new TransactionId(B, 1, 1), 0, Branch(A).Writes));
        Assert.Equal([Refusal.Malformed, Refusal.Malformed], play.Refusals(A));
        Assert.Empty(Node(play, A).Ledger.Marks);
    }

    /// <summary>A checkpoint's records alone bring everything back that may be asked for; writes that the store holds come no more.</summary>
    [Fact]
    public void After_a_checkpoint_older_records_are_not_needed()
    {
        var play = Stage();
        play.Submit(Coordinator, Transfer(A, B));
        play.Run();
        play.Submit(Coordinator, Transfer(A));
        play.Run();
        play.Submit(A, new CommitCommand.Veto(new TransactionId(C, 5, 5)));

        // Committed everywhere but not acknowledged by B, so not over; flushed too late at A.
        play.Submit(Coordinator, Transfer(A, B));
        play.Sync(Coordinator);
        play.Deliver(Coordinator, A);
        play.Deliver(Coordinator, B);
        play.Sync(A);
        play.Sync(B);
        play.Deliver(A, Coordinator);
        play.Deliver(B, Coordinator);
        play.Sync(Coordinator);
        Node(play, A).BeginCheckpoint();
        play.Deliver(Coordinator, A);
        play.Sync(A);
        play.Deliver(A, Coordinator);
        play.Submit(Coordinator, Transfer(A, C));
        play.Sync(Coordinator);
        play.Deliver(Coordinator, A);
        foreach (var node in new[] { A, Coordinator })
        {
            var outbox = new Outbox<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>();
            Node(play, node).Checkpoint(new Still(), outbox);
            var (before, records) = (play.Log(node), outbox.Records.ToArray());
            TwoPhase.Record[][] logs = [records, [.. before, .. records], .. Enumerable.Range(0, records.Length).Select(count => (TwoPhase.Record[])[.. before, .. records[..count]])];
            foreach (var log in logs)
            {
                var fresh = new TwoPhase(node, TwoPhaseCommitOptions.Default);
                outbox.Clear();
                fresh.Recover(log, new Still(), outbox);
                Assert.Equal(Node(play, node).Ledger.InDoubt, fresh.Ledger.InDoubt);
                Assert.Equal(Node(play, node).Ledger.Applied, fresh.Ledger.Applied);
                Assert.All(Node(play, node).Ledger.Endings, pair => Assert.Equal(pair.Value, fresh.Ledger.Endings[pair.Key]));
                Assert.Equal(Node(play, node).Open.Where(id => id.Counter == 3), fresh.Open);
                if (log == logs[0])
                {
                    Assert.Equal(Node(play, node).Ledger.Marks, fresh.Ledger.Marks);
                    Assert.Equal(node == A ? 1 : 0, outbox.Executions.Length);
                }
            }
        }
    }

    private static TwoPhase Node(Play play, NodeId node) => (TwoPhase)play[node];

    private static Play Stage() => new Play(
        node => new TwoPhase(node, TwoPhaseCommitOptions.Default), timer => ((TwoPhase.Timer)timer.Kind).ToString(), Coordinator, A, B, C)
        .Begin();
}
