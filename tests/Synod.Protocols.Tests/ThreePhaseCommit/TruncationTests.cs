using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;

namespace Synod.Protocols.Tests.ThreePhaseCommitRoom;

using Play = Stage<ThreePhaseCommit.Message, ThreePhaseCommit.Record, CommitCommand, CommitResult>;

/// <summary>How what is over ended is told as long as anybody may ask, and then forgotten (commit.md §2.2).</summary>
public sealed class TruncationTests
{
    private static readonly NodeId K = new(1);
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);
    private static readonly TransactionId First = new(K, 1, 1);

    internal static ThreePhaseCommitMutation Mistake => ThreePhaseCommitMutation.CheckpointWithoutEndings;

    [Fact]
    public void The_log_of_what_is_over_shrinks_to_how_it_ended()
    {
        var play = Stage(ThreePhaseCommitMutation.None);
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        play.Run();
        Assert.Equal(3, play.Log(A).Count);
        play.Truncate(A);
        Assert.Equal(
            [
                new ThreePhaseCommit.Record.Flushed(new Slot(1)), new ThreePhaseCommit.Record.Ended(First, true, NodeSet.Of(A, B)),
                new ThreePhaseCommit.Record.Booted(0), new ThreePhaseCommit.Record.Past([First]),
            ],
            play.Log(A));
        play.Truncate(K);
        Assert.Contains(new ThreePhaseCommit.Record.Decided(First, NodeSet.Of(A, B)), play.Log(K));
        Assert.Contains(new ThreePhaseCommit.Record.Booted(1), play.Log(K));
    }

    [Fact]
    public void After_a_checkpoint_older_records_are_not_needed()
    {
        var play = Stage(ThreePhaseCommitMutation.None);
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        play.Run();
        play.Submit(A, new CommitCommand.Veto(new TransactionId(B, 5, 5)));
        ToPreCommitted(play, "y");
        play[A].BeginCheckpoint();
        play.Run();
        ToPreCommitted(play, "z");
        Truncated.AssertRecovers(CommitRooms.ThreePhase(), play, A, unflushed: 1);
        Truncated.AssertRecovers(CommitRooms.ThreePhase(), play, K, unflushed: 0);
        play.Truncate(A);
        play.Crash(A);
        Assert.Equal(
            ThreePhaseCommit.Standing.PreCommittedSinceCrash, ((ThreePhaseCommit)play[A]).StandingOf(new TransactionId(K, 1, 3)));
    }

    /// <summary>A committed, dropped its log and restarted; B, which is in doubt, asks it. The mistake makes A say that it never voted.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_is_asked_after_a_checkpoint_still_knows(bool mistaken)
    {
        var play = Stage(mistaken ? ThreePhaseCommitMutation.CheckpointWithoutEndings : ThreePhaseCommitMutation.None);
        ToPreCommitted(play, "x");
        play.Sync(B);
        play.Deliver(B, K);
        play.Sync(A);
        play.Deliver(A, K);
        play.Sync(K);
        play.Deliver(K, A);
        play.Network.Clear();
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
        play.Truncate(A);
        play.Crash(A);
        play.Fire(B, (int)ThreePhaseCommit.Timer.Inquire);
        play.Deliver(B, A);
        play.Sync(A);
        play.Deliver(A, B);
        Assert.Equal(mistaken ? Ending.Aborted : Ending.Committed, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>A transaction up to where both writers know that all voted Yes, and the coordinator does not know that they do.</summary>
    private static void ToPreCommitted(Play play, string key)
    {
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B), key: key));
        play.Vote(K, A, B);

        play.Deliver(K, A);
        play.Deliver(K, B);
    }

    private static ThreePhaseCommit Node(Play play, NodeId node) => (ThreePhaseCommit)play[node];

    private static Play Stage(ThreePhaseCommitMutation mutation) => CommitTraces.Stage(CommitRooms.ThreePhase(mutation), 3);
}
