using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Xunit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>
/// A veto leaves a tombstone wherever it is submitted, also for an id that was not given yet, or where its transaction has no branch. Found by
/// the simulator: such a tombstone was taken for a decision.
/// </summary>
public sealed class VetoTests
{
    private static readonly NodeId K = new(1);
    private static readonly NodeId A = new(4);
    private static readonly NodeId B = new(5);
    private static readonly TransactionId First = new(K, 1, 1);
    private static readonly TransactionId Second = new(K, 1, 2);

    [Fact]
    public void An_id_that_was_vetoed_before_it_was_given_is_passed_over()
    {
        Assert.Equal([Second], Begun(CommitRooms.TwoPhase()));
        Assert.Equal([Second], Begun(CommitRooms.ThreePhase()));
        Assert.Equal([Second], Begun(CommitRooms.Paxos(1)));
    }

    /// <summary>The leader takes no part: its tombstone is nobody's vote, and a manager that asks is not told "aborted".</summary>
    [Fact]
    public void A_veto_where_a_transaction_has_no_branch_is_no_decision()
    {
        var options = CommitRooms.Acceptors(1) with { Leader = new NodeId(2) };
        var play = CommitTraces.Stage(CommitRooms.Paxos(options, PaxosCommitMutation.None), 5);
        play.Submit(new NodeId(2), new CommitCommand.Veto(First));
        play.Sync(new NodeId(2));
        play.Receive(A, new NodeId(2), new PaxosCommit.Message.Inquire(First, NodeSet.Of(A, B)));
        Assert.Empty(play.Network);
        play.Receive(A, new NodeId(2), new PaxosCommit.Message.Inquire(First, NodeSet.Of(A, new NodeId(2))));
        Assert.Equal(new PaxosCommit.Message.Decide(First, false), Assert.Single(play.Between(new NodeId(2), A)));
    }

    /// <summary>Whoever began has asked others to vote: its own tombstone would tell one of them "aborted", and the votes "committed" to the other.</summary>
    [Fact]
    public void A_veto_where_it_was_begun_without_a_branch_comes_too_late()
    {
        Assert.Equal([new CommitResult.TooLate(First), new CommitResult.Committed(First)], VetoedByWhoBegan(CommitRooms.TwoPhase()));
        Assert.Equal([new CommitResult.TooLate(First), new CommitResult.Committed(First)], VetoedByWhoBegan(CommitRooms.ThreePhase()));
        Assert.Equal([new CommitResult.TooLate(First), new CommitResult.Committed(First)], VetoedByWhoBegan(CommitRooms.Paxos(1)));
    }

    /// <summary>Whoever began has forgotten it, or its restart has: "vetoed" would be said of what is committed.</summary>
    [Fact]
    public void A_veto_where_it_was_begun_is_not_answered_vetoed_when_it_is_over()
    {
        Assert.DoesNotContain(new CommitResult.Vetoed(First), VetoedWhenOver(CommitRooms.TwoPhase()));
        Assert.DoesNotContain(new CommitResult.Vetoed(First), VetoedWhenOver(CommitRooms.ThreePhase()));
        Assert.DoesNotContain(new CommitResult.Vetoed(First), VetoedWhenOver(CommitRooms.Paxos(1)));
    }

    /// <summary>A has committed and B waits: the tombstone of whoever began would be told to B.</summary>
    [Fact]
    public void A_veto_where_it_was_begun_does_not_abort_what_is_decided()
    {
        var play = CommitTraces.Stage(CommitRooms.ThreePhase(), 5);
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        play.Vote(K, A, B);
        play.Vote(K, A, B);
        play.Sync(K);
        play.Drop(K, B);
        play.Run();
        Assert.Single(play.Executions(A));
        play.Submit(K, new CommitCommand.Veto(First));
        play.Fire(B, (int)ThreePhaseCommit.Timer.Inquire);
        play.Run();
        Assert.Single(play.Executions(B));
    }

    [Fact]
    public void A_veto_where_it_was_begun_in_an_earlier_life_does_not_abort_what_is_chosen()
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(3), 5);
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        play.Sync(K);
        foreach (var node in (NodeId[])[A, B])
        {
            play.Deliver(K, node);
            play.Sync(node);
        }

        play.Run(away: B);
        Assert.Single(play.Executions(A));
        play.Crash(K);
        play.Submit(K, new CommitCommand.Veto(First));
        play.Fire(B, (int)PaxosCommit.Timer.Inquire);
        play.Run();
        Assert.Single(play.Executions(B));
    }

    /// <summary>It began, has said that it only read, and would say "aborted" of what the others commit.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_began_and_reads_cannot_veto_what_others_write(bool counted)
    {
        Assert.Equal(new CommitResult.TooLate(First), VetoedByReader(CommitRooms.TwoPhase(), counted));
        Assert.Equal(new CommitResult.TooLate(First), VetoedByReader(CommitRooms.ThreePhase(), counted));
        Assert.Equal(new CommitResult.TooLate(First), VetoedByReader(CommitRooms.Paxos(1), counted));
    }

    private static CommitResult VetoedByReader<TMessage, TRecord>(CommitRoom<TMessage, TRecord> room, bool counted)
        where TMessage : class
        where TRecord : class
    {
        var play = CommitTraces.Stage(room, 5);
        play.Submit(K, new CommitCommand.Begin([new(K, []), .. CommitModels.Begin(NodeSet.Of(A, B)).Branches]));
        play.Sync(K);
        for (var time = 0; time < (counted ? 2 : 1); time++)
        {
            play.Deliver(K, K);
            play.Sync(K);
        }

        play.Submit(K, new CommitCommand.Veto(First));
        play.Sync(K);
        var told = Assert.Single(play.Answers(K)).Result;
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(K)[^1].Result);
        Assert.NotEqual(Ending.Aborted, ((ICommitProtocol)play[K]).Ledger.EndingOf(First));
        return told;
    }

    private static IEnumerable<CommitResult> VetoedWhenOver<TMessage, TRecord>(CommitRoom<TMessage, TRecord> room)
        where TMessage : class
        where TRecord : class
    {
        var play = CommitTraces.Stage(room, 5);
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        play.Run();
        Assert.Equal([new CommitResult.Committed(First)], play.Answers(K).Select(answer => answer.Result));
        play.Submit(K, new CommitCommand.Veto(First));
        play.Sync(K);
        var told = play.Answers(K)[^1].Result;
        play.Crash(K);
        play.Submit(K, new CommitCommand.Veto(First));
        play.Sync(K);
        return [told, play.Answers(K)[^1].Result];
    }

    private static IEnumerable<CommitResult> VetoedByWhoBegan<TMessage, TRecord>(CommitRoom<TMessage, TRecord> room)
        where TMessage : class
        where TRecord : class
    {
        var play = CommitTraces.Stage(room, 5);
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        play.Sync(K);
        play.Submit(K, new CommitCommand.Veto(First));
        play.Run();
        return play.Answers(K).Select(answer => answer.Result);
    }

    private static IReadOnlyCollection<TransactionId> Begun<TMessage, TRecord>(CommitRoom<TMessage, TRecord> room)
        where TMessage : class
        where TRecord : class
    {
        var play = CommitTraces.Stage(room, 5);
        play.Submit(K, new CommitCommand.Veto(First));
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B)));
        return ((ICommitProtocol)play[K]).Open;
    }
}
