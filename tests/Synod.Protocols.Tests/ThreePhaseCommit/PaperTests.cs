using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Commit.ThreePhaseCommit;

namespace Synod.Protocols.Tests.ThreePhaseCommitRoom;

using Play = Stage<ThreePhaseCommit.Message, ThreePhaseCommit.Record, CommitCommand, CommitResult>;
using Record = ThreePhaseCommit.Record;
using Timer = ThreePhaseCommit.Timer;

/// <summary>One test for each rule of commit.md §2.2, and the schedules of §2.3.</summary>
public sealed class PaperTests
{
    private static readonly NodeId K = new(1);
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);
    private static readonly NodeId C = new(4);
    private static readonly TransactionId First = new(K, 1, 1);

    [Fact]
    public void A_vote_is_durable_before_it_is_told()
    {
        var play = Asked();
        play.Deliver(K, A);
        Assert.Empty(play.Between(A, K));
        play.Sync(A);
        Assert.Equal(new Message.Vote(First, Choice.Yes, First), Assert.Single(play.Between(A, K)));
        Assert.Equal(Standing.Waiting, Node(play, A).StandingOf(First));
    }

    [Fact]
    public void Everyone_knows_that_all_voted_yes_before_anyone_commits()
    {
        var play = PreCommitting();
        play.Deliver(K, A);
        play.Sync(A);
        play.Deliver(A, K);
        play.Deliver(K, B);
        play.Sync(B);
        play.Deliver(B, K);
        Assert.DoesNotContain(play.Network, item => item.Message is Message.Decide);
        play.Deliver(K, C);
        Assert.Empty(play.Between(C, K));
        play.Sync(C);
        play.Deliver(C, K);
        Assert.Empty(play.Answers(K));
        Assert.IsType<Record.Decided>(play.Log(K)[^1]);
        play.Run();
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(K)).Result);
        Assert.All([A, B, C], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void A_coordinator_goes_on_without_who_crashed_after_its_vote()
    {
        var play = PreCommitting();
        play.Drop(K, C);
        play.Submit(K, new CommitCommand.Suspect(C));
        play.Run();
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(K)).Result);
    }

    [Fact]
    public void A_coordinator_aborts_if_someone_crashed_before_its_vote_or_is_late()
    {
        var crashed = Asked();
        crashed.Submit(K, new CommitCommand.Suspect(B));
        Assert.IsType<CommitResult.Aborted>(Assert.Single(crashed.Answers(K)).Result);
        crashed.Run();
        Assert.Equal(Ending.Aborted, Node(crashed, A).Ledger.EndingOf(First));

        var late = Asked();
        late.Fire(K, (int)Timer.Vote);
        Assert.IsType<CommitResult.Aborted>(Assert.Single(late.Answers(K)).Result);
        late.Run();
        Assert.All([A, B, C], node => Assert.Equal(Ending.Aborted, Node(late, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void A_no_aborts_everyone_at_once_and_readers_are_not_told()
    {
        var play = Stage();
        play.Submit(K, new CommitCommand.Begin([new Branch(A, []), .. CommitModels.Begin(NodeSet.Of(B, C)).Branches]));
        play.Sync(K);
        play.Deliver(K, A);
        play.Deliver(A, K);
        play.Submit(B, new CommitCommand.Veto(First));
        play.Run();
        Assert.IsType<CommitResult.Aborted>(Assert.Single(play.Answers(K)).Result);
        Assert.IsType<CommitResult.Vetoed>(Assert.Single(play.Answers(B)).Result);
        Assert.Empty(play.Log(A));
        Assert.Equal(Ending.Aborted, Node(play, C).Ledger.EndingOf(First));
    }

    [Fact]
    public void Termination_aborts_if_all_who_live_wait()
    {
        var play = Voted();
        play.Network.Clear();
        play.Submit(B, new CommitCommand.Suspect(K));
        Assert.Empty(play.Network);
        play.Submit(A, new CommitCommand.Suspect(K));
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(Ending.Aborted, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void Termination_brings_everyone_to_p_and_then_commits_if_one_is_there()
    {
        var play = PreCommitting();
        play.Drop(K, A);
        play.Drop(K, B);
        play.Deliver(K, C);
        play.Sync(C);
        Lose(play, K);
        play.Submit(A, new CommitCommand.Suspect(K));
        play.Deliver(A, B);
        play.Deliver(B, A);
        play.Deliver(A, C);
        play.Deliver(C, A);
        Assert.Empty(play.Between(A, B));
        play.Sync(A);
        Assert.Equal(new Message.PreCommit(First), Assert.Single(play.Between(A, B)));
        Assert.Empty(play.Between(A, C));
        play.Deliver(A, B);
        play.Sync(B);
        play.Deliver(B, A);
        Assert.Empty(play.Between(A, C));
        play.Sync(A);
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void A_backup_that_hears_a_decision_passes_it_on()
    {
        var play = Voted();
        Lose(play, K);
        play.Receive(K, C, new Message.Decide(First, false));
        play.Submit(A, new CommitCommand.Suspect(K));
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(Ending.Aborted, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void Who_never_voted_aborts_first_and_answers_a_backup_then()
    {
        var play = Asked();
        play.Deliver(K, A);
        play.Sync(A);
        Lose(play, K);
        play.Submit(A, new CommitCommand.Suspect(K));
        play.Deliver(A, B);
        Assert.Empty(play.Between(B, A));
        play.Sync(B);
        Assert.Equal(new Message.StateRep(First, Standing.Aborted), Assert.Single(play.Between(B, A)));
        play.Receive(K, B, new Message.CanCommit(First, First, [], NodeSet.Of(A, B, C), 0, CommitModels.Begin(NodeSet.Of(B)).Branches[0].Writes));
        Assert.Contains(new Message.Vote(First, Choice.No), play.Between(B, K));
    }

    [Fact]
    public void The_next_backup_takes_over_and_an_earlier_leader_is_not_obeyed_any_more()
    {
        var play = PreCommitting();
        var late = play.Between(K, C).Single();
        Lose(play, K);
        play.Submit(B, new CommitCommand.Suspect(K));
        play.Submit(B, new CommitCommand.Suspect(A));
        play.Deliver(B, C);
        play.Receive(K, C, late);
        Assert.Equal([Refusal.StaleBallot], play.Refusals(C));
        play.Receive(A, C, new Message.StateReq(First));
        Assert.Equal([Refusal.StaleBallot, Refusal.StaleBallot], play.Refusals(C));
        play.Deliver(C, B);
        play.Run();
        Assert.Equal(Ending.Aborted, Node(play, C).Ledger.EndingOf(First));
    }

    [Fact]
    public void Who_crashed_since_its_vote_locks_asks_and_leads_nobody()
    {
        var play = Voted();
        play.Network.Clear();
        play.Crash(A);
        Assert.Equal(First, Node(play, A).Ledger.LockOn(Key.Of("x")));
        Assert.Equal(Standing.WaitingSinceCrash, Node(play, A).StandingOf(First));
        play.Submit(A, new CommitCommand.Suspect(K));
        Assert.Empty(play.Network);
        play.Receive(K, A, new Message.PreCommit(First));
        Assert.Equal(new Message.StateRep(First, Standing.WaitingSinceCrash), Assert.Single(play.Between(A, K)));
        Lose(play, A);
        play.Fire(A, (int)Timer.Inquire);
        play.Drop(A, K);
        play.Submit(B, new CommitCommand.Suspect(K));
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(Ending.Aborted, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void After_total_failure_the_first_ones_wait_until_everyone_is_back()
    {
        var play = PreCommitting();
        play.Drop(K, A);
        play.Drop(K, B);
        play.Deliver(K, C);
        play.Sync(C);
        Lose(play, C);
        play.Crash(A);
        play.Crash(B);
        play.Fire(A, (int)Timer.Inquire);
        play.Fire(B, (int)Timer.Inquire);
        foreach (var (from, to) in new[] { (A, B), (B, A), (A, B), (B, A) })
        {
            play.Deliver(from, to);
        }

        Assert.Equal([First], Node(play, A).Ledger.InDoubt);
        Lose(play, A);
        Lose(play, B);
        play.Crash(K);
        play.Crash(C);
        play.Fire(A, (int)Timer.Inquire);
        play.Run();
        play.Fire(B, (int)Timer.Inquire);
        play.Fire(C, (int)Timer.Inquire);
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void A_coordinator_that_lost_its_transaction_presumes_nothing()
    {
        var play = Voted();
        play.Drop(A, K);
        play.Crash(K);
        play.Receive(A, K, new Message.Inquire(First, false));
        Assert.Equal(new Message.StateRep(First, Standing.Forgotten), Assert.Single(play.Between(K, A)));
    }

    /// <summary>§2.3, the exact schedule: {A,B} | {C}.</summary>
    [Fact]
    public void The_partition_anomaly()
    {
        var play = PreCommitting();
        play.Deliver(K, A);
        play.Deliver(K, B);
        play.Sync(A);
        play.Sync(B);
        var delayed = play.Between(K, C).Single();
        Lose(play, K);
        Lose(play, A);
        Lose(play, B);
        play.Submit(A, new CommitCommand.Suspect(K));
        play.Submit(A, new CommitCommand.Suspect(C));
        play.Submit(B, new CommitCommand.Suspect(K));
        play.Submit(B, new CommitCommand.Suspect(C));
        play.Drop(A, C);
        play.Deliver(A, B);
        play.Deliver(B, A);
        play.Sync(A);
        play.Drop(A, C);
        play.Drop(A, K);
        play.Deliver(A, B);
        Assert.All([A, B], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));

        foreach (var lost in new[] { K, A, B })
        {
            play.Submit(C, new CommitCommand.Suspect(lost));
        }

        Assert.Equal(Ending.Aborted, Node(play, C).Ledger.EndingOf(First));
        Assert.False(Ledger.Agree([Node(play, A), Node(play, B), Node(play, C)]));

        // The delayed copy arrives, and the split is discovered; nothing can mend it.
        play.Receive(K, C, delayed);
        play.Receive(A, C, new Message.Decide(First, true));
        Assert.Equal([Refusal.Unsafe], play.Refusals(C));
        Assert.Equal(Ending.Aborted, Node(play, C).Ledger.EndingOf(First));
    }

    /// <summary>§2.3, variant: nobody crashes and nothing is cut, one message is late and one participant impatient.</summary>
    [Fact]
    public void The_anomaly_needs_no_crash_and_no_partition()
    {
        var play = PreCommitting();
        play.Deliver(K, A);
        play.Deliver(K, B);
        play.Sync(A);
        play.Sync(B);
        play.Deliver(A, K);
        play.Deliver(B, K);
        foreach (var suspected in new[] { K, A, B })
        {
            play.Submit(C, new CommitCommand.Suspect(suspected));
        }

        play.Submit(K, new CommitCommand.Suspect(C));
        play.Run();
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
        Assert.Equal(Ending.Aborted, Node(play, C).Ledger.EndingOf(First));
    }

    /// <summary>§2.3: the same crash in the synchronous model, where nobody suspects C, and C not A and B.</summary>
    [Fact]
    public void The_same_crash_without_a_partition_ends_the_same_everywhere()
    {
        var play = PreCommitting();
        play.Deliver(K, A);
        play.Deliver(K, B);
        play.Drop(K, C);
        play.Sync(A);
        play.Sync(B);
        foreach (var node in new[] { C, B, A })
        {
            play.Submit(node, new CommitCommand.Suspect(K));
        }

        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void Strangers_and_nonsense_are_refused_and_change_nothing()
    {
        var play = Voted();
        var stranger = new NodeId(9);
        var writes = CommitModels.Begin(NodeSet.Of(A)).Branches[0].Writes;
        play.Receive(stranger, A, new Message.PreCommit(First));
        play.Receive(stranger, A, new Message.Decide(First, true));
        play.Receive(stranger, A, new Message.StateReq(First));
        play.Receive(stranger, A, new Message.StateRep(First, Standing.Committed));
        play.Receive(B, A, new Message.AckPre(First));
        play.Receive(B, A, new Message.CanCommit(new(K, 1, 7), First, [], NodeSet.Of(A), 0, writes));
        play.Receive(K, A, new Message.CanCommit(new(K, 1, 8), First, [], NodeSet.Of(B), 0, writes));
        play.Receive(K, A, new Message.Decide(new(K, 1, 9), true));
        play.Receive(K, A, new Message.PreCommit(new(K, 0, 0)));
        play.Receive(K, A, new Message.StateRep(new(K, 1, 10), Standing.Waiting));
        Assert.Equal(
            [
                Refusal.NotMember, Refusal.NotMember, Refusal.NotMember, Refusal.NotMember, Refusal.Unexpected, Refusal.NotMember,
                Refusal.Malformed, Refusal.Unexpected, Refusal.Malformed, Refusal.Unexpected,
            ],
            play.Refusals(A));
        Assert.Equal(Standing.Waiting, Node(play, A).StandingOf(First));
        play.Receive(stranger, K, new Message.Vote(First, Choice.Yes));
        play.Receive(stranger, K, new Message.StateRep(First, Standing.Committed));
        play.Receive(A, K, new Message.AckPre(First));
        Assert.Equal([Refusal.NotMember, Refusal.NotMember, Refusal.Unexpected], play.Refusals(K));
        play.Submit(K, new CommitCommand.Begin([]));
        Assert.IsType<CommitResult.Malformed>(Assert.Single(play.Answers(K)).Result);
    }

    private static ThreePhaseCommit Node(Play play, NodeId node) => (ThreePhaseCommit)play[node];

    private static Play Stage() => CommitTraces.Stage(CommitRooms.ThreePhase(), 4);

    /// <summary>Loses everything that a node has under way, as its crash or a cut would.</summary>
    private static void Lose(Play play, NodeId from) => play.Network.RemoveAll(item => item.From == from);

    private static Play Asked()
    {
        var play = Stage();
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B, C)));
        play.Sync(K);
        return play;
    }

    private static Play Voted()
    {
        var play = Asked();
        foreach (var node in new[] { A, B, C })
        {
            play.Deliver(K, node);
            play.Sync(node);
        }

        return play;
    }

    /// <summary>PreCommit is on its way to everyone.</summary>
    private static Play PreCommitting()
    {
        var play = Voted();
        foreach (var node in new[] { A, B, C })
        {
            play.Deliver(node, K);
        }

        return play;
    }
}
