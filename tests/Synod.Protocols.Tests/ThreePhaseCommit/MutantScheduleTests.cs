using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;

namespace Synod.Protocols.Tests.ThreePhaseCommitRoom;

/// <summary>A mistake that needs a suspicion which is right and a process that is back soon after it: more than the explorer's models have.</summary>
public sealed class MutantScheduleTests
{
    private static readonly NodeId K = new(1);
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);
    private static readonly TransactionId First = new(K, 1, 1);

    /// <summary>
    /// K dies before it decides. A, the backup, finds itself in P and brings B there; B, which waits, asks K, which is back. A coordinator
    /// without a record knows nothing here, since the others may decide without it (commit.md §2.2, recovery).
    /// </summary>
    [Theory]
    [InlineData((int)ThreePhaseCommitMutation.None, true)]
    [InlineData((int)ThreePhaseCommitMutation.PresumeAbort, false)]
    public void A_coordinator_that_came_back_presumes_nothing(int mutation, bool agrees)
    {
        var play = CommitTraces.Stage(CommitRooms.ThreePhase((ThreePhaseCommitMutation)mutation), 3);
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        play.Vote(K, A, B);

        play.Deliver(K, A);
        play.Sync(A);
        play.Network.Clear();
        play.Crash(K);
        play.Submit(A, new CommitCommand.Suspect(K));
        play.Submit(B, new CommitCommand.Suspect(K));
        play.Sync(A);
        play.Deliver(A, B);
        play.Deliver(B, A);
        play.Sync(A);
        play.Deliver(A, B);
        play.Sync(B);
        play.Deliver(B, A);
        play.Sync(A);
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
        play.Fire(B, (int)ThreePhaseCommit.Timer.Inquire);
        play.Sync(B);
        play.Deliver(B, K);
        play.Sync(K);
        play.Deliver(K, B);
        play.Run();
        Assert.Equal(agrees, Node(play, B).Ledger.EndingOf(First) == Ending.Committed);
        Assert.Equal(agrees, Ledger.Agree([Node(play, A), Node(play, B)]));
    }

    private static ThreePhaseCommit Node(
        Stage<ThreePhaseCommit.Message, ThreePhaseCommit.Record, CommitCommand, CommitResult> play, NodeId node) =>
        (ThreePhaseCommit)play[node];
}
