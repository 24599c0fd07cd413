using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;

namespace Synod.Protocols.Tests.PaxosCommitRoom;

using Play = Stage<PaxosCommit.Message, PaxosCommit.Record, CommitCommand, CommitResult>;

/// <summary>
/// Managers keep how a transaction ended, and acceptors what they accepted, until it is over for all its managers, and nothing else (commit.md §3.2).
/// </summary>
public sealed class TruncationTests
{
    private static readonly NodeId K = new(4);
    private static readonly NodeId A = new(5);
    private static readonly NodeId B = new(6);
    private static readonly NodeSet Both = NodeSet.Of(A, B);
    private static readonly NodeId[] Acceptors = [new(1), new(2)];
    private static readonly TransactionId First = new(K, 1, 1);
    private static readonly TransactionId Second = new(K, 1, 2);

    internal static PaxosCommitMutation[] Mistakes { get; } =
    [
        PaxosCommitMutation.CheckpointWithoutAcceptances, PaxosCommitMutation.ReportForgotten, PaxosCommitMutation.SettleInDoubt,
        PaxosCommitMutation.FirstSettledForgets,
    ];

    [Fact]
    public void The_log_of_what_is_over_shrinks_to_how_it_ended()
    {
        var play = Stage(PaxosCommitMutation.None);
        play.Submit(K, CommitModels.Begin(Both));
        play.Run();
        play.Truncate(A);
        Assert.Equal(
            [
                new PaxosCommit.Record.Flushed(new Slot(1)), new PaxosCommit.Record.Ended(First, true), new PaxosCommit.Record.Booted(0),
                new PaxosCommit.Record.Past([First], []),
            ],
            play.Log(A));
        play.Truncate(Acceptors[0]);
        Assert.Equal(
            [
                new PaxosCommit.Record.Flushed(Slot.None), new PaxosCommit.Record.Booted(0),
                new PaxosCommit.Record.Accepted(First, Both, Ballot.None, Ballot.None, Both),
                new PaxosCommit.Record.Past([], [new(A, First), new(B, First)]),
            ],
            play.Log(Acceptors[0]));
    }

    /// <summary>With its next vote a manager tells what is over for it; the managers, the acceptors and whoever began let go of it.</summary>
    [Fact]
    public void What_all_managers_have_ended_is_forgotten_with_the_next_transaction()
    {
        var play = Twice(PaxosCommitMutation.None);
        Assert.Equal(2, play.Executions(A).Count);
        Assert.All([K, A, B], node => Assert.Equal([Second], Node(play, node).Ledger.Endings.Keys));
        foreach (var acceptor in Acceptors)
        {
            play.Truncate(acceptor);
            Assert.Equal(Second, Assert.Single(play.Log(acceptor).OfType<PaxosCommit.Record.Accepted>()).Transaction);
        }

        Truncated.AssertRecovers(CommitRooms.Paxos(3), play, A, unflushed: 0);

        // What comes late about it changes nothing, also after a restart.
        play.Crash(A);
        var records = play.Log(A).Count;
        play.Receive(K, A, new PaxosCommit.Message.Prepare(First, First, Both, 0, CommitModels.Begin(Both).Branches[0].Writes));
        play.Receive(K, A, new PaxosCommit.Message.Decide(First, true));
        play.Receive(K, A, new PaxosCommit.Message.Decide(First, false));
        play.Receive(B, A, new PaxosCommit.Message.Inquire(First, Both));
        Assert.Equal((records, 0), (play.Log(A).Count, play.Network.Count));
        play.Submit(A, new CommitCommand.Veto(First));
        Assert.Equal(new CommitResult.TooLate(First), play.Answers(A)[^1].Result);
    }

    /// <summary>
    /// Somebody who led it comes when all is forgotten, by a checkpoint as well. An acceptor says so; were its report empty, the leader would
    /// propose Aborted for what was committed.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_leader_that_comes_too_late_is_told_so(bool mistaken)
    {
        var options = CommitRooms.Acceptors(3) with { Leader = new NodeId(3) };
        var play = CommitTraces.Stage(CommitRooms.Paxos(options, mistaken ? PaxosCommitMutation.ReportForgotten : PaxosCommitMutation.None), 6);
        play.Submit(K, CommitModels.Begin(Both));
        play.Sync(K);
        play.Deliver(K, options.Leader);
        play.Run(away: options.Leader);
        play.Fire(A, (int)PaxosCommit.Timer.Inquire);
        play.Fire(A, (int)PaxosCommit.Timer.Inquire);
        play.Run(away: options.Leader);

        Assert.Equal(new CommitResult.Committed(First), Assert.Single(play.Answers(K)).Result);
        play.Submit(K, CommitModels.Begin(Both, "2"));
        play.Run();
        foreach (var acceptor in Acceptors)
        {
            play.Truncate(acceptor);
            play.Crash(acceptor);
        }

        Assert.Equal([First], Node(play, options.Leader).Open);
        play.Fire(options.Leader, (int)PaxosCommit.Timer.Ballot);
        play.Run(away: Acceptors[1]);
        Assert.Equal(mistaken ? [First] : [], Node(play, options.Leader).Open);
        Assert.Equal(
            mistaken,
            play.Log(Acceptors[0]).Any(record => record is PaxosCommit.Record.Accepted { Voted.Round: > 0, Yes.IsEmpty: true } accepted && accepted.Transaction == First));
    }

    /// <summary>B never hears how the first ended, and takes part in the second. The acceptors are left to tell it, and do.</summary>
    [Theory]
    [InlineData(nameof(PaxosCommitMutation.None))]
    [InlineData(nameof(PaxosCommitMutation.SettleInDoubt))]
    [InlineData(nameof(PaxosCommitMutation.FirstSettledForgets))]
    public void While_a_manager_is_in_doubt_the_acceptors_remember(string mutation)
    {
        var play = Twice(Enum.Parse<PaxosCommitMutation>(mutation), lost: B);
        Assert.Equal([First], Node(play, B).Ledger.InDoubt);
        PaxosCommit[] nodes = [.. Enumerable.Range(1, 6).Select(number => Node(play, new NodeId(number)))];
        for (var patience = 0; patience < 4 && Node(play, B).Ledger.IsPrepared(First); patience++)
        {
            play.Fire(B, (int)PaxosCommit.Timer.Inquire);
            play.Run(away: [K, A]);
        }

        Assert.Equal(mutation == "None", PaxosCommit.ForgetWhatIsOver(nodes));
        Assert.Equal(mutation == "None" ? Ending.Committed : Ending.Unknown, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>What a vote said to be over gets no vote after a restart either: the mark is durable with the promise.</summary>
    [Fact]
    public void A_manager_does_not_vote_after_a_restart_on_what_it_said_to_be_over()
    {
        var play = Stage(PaxosCommitMutation.None);
        play.Submit(K, CommitModels.Begin(Both));
        play.Sync(K);
        var late = play.Between(K, A).Single();
        play.Drop(K, A);
        play.Run();
        play.Fire(K, (int)PaxosCommit.Timer.Ballot);
        play.Network.RemoveAll(item => item.To == A);
        play.Run(away: A);
        play.Submit(K, CommitModels.Begin(Both, key: "y"));
        play.Run();
        Assert.Equal([new CommitResult.Aborted(First), new CommitResult.Committed(Second)], play.Answers(K).Select(answer => answer.Result));
        play.Crash(A);
        Assert.Equal(Second, Assert.Single(Node(play, A).Ledger.Marks));
        play.Receive(K, A, late);
        Assert.Empty(Node(play, A).Ledger.InDoubt);
        Assert.Empty(play.Network);
    }

    /// <summary>Of another coordinator's transactions, and of later ones, nobody is told that they are over.</summary>
    [Fact]
    public void A_mark_that_cannot_be_is_refused()
    {
        var play = Stage(PaxosCommitMutation.None);
        var writes = CommitModels.Begin(Both).Branches[0].Writes;
        var foreign = new TransactionId(B, 1, 1);
        play.Receive(K, A, new PaxosCommit.Message.Prepare(First, Second, Both, 0, writes));
        play.Receive(K, A, new PaxosCommit.Message.Prepare(First, foreign, Both, 0, writes));
        play.Receive(A, Acceptors[0], new PaxosCommit.Message.Phase2a(First, Ballot.None, Both, NodeSet.Of(A), Second));
        play.Receive(A, Acceptors[0], new PaxosCommit.Message.Phase2a(First, Ballot.None, Both, NodeSet.Of(A)));
        play.Submit(K, CommitModels.Begin(Both));
        play.Receive(Acceptors[0], K, new PaxosCommit.Message.Phase2b(First, Ballot.None, Both, Both, foreign));
        play.Receive(B, K, new PaxosCommit.Message.Over(First));
        Assert.Equal([Refusal.Malformed, Refusal.Malformed], play.Refusals(A));
        Assert.Equal([Refusal.Malformed, Refusal.Malformed], play.Refusals(Acceptors[0]));
        Assert.Equal([Refusal.Malformed, Refusal.NotMember], play.Refusals(K));
        Assert.Equal([First], Node(play, K).Open);
        Assert.Empty(Node(play, A).Ledger.Marks);
    }

    [Fact]
    public void After_a_checkpoint_older_records_are_not_needed()
    {
        var play = Stage(PaxosCommitMutation.None);
        play.Submit(K, CommitModels.Begin(Both));
        play.Run();
        play.Submit(A, new CommitCommand.Veto(new TransactionId(B, 5, 5)));
        play[A].BeginCheckpoint();
        play.Submit(K, CommitModels.Begin(Both, key: "y"));
        play.Run();
        play.Submit(K, CommitModels.Begin(Both, key: "z"));
        play.Sync(K);
        play.Deliver(K, A);
        Truncated.AssertRecovers(CommitRooms.Paxos(3), play, A, unflushed: 1);
        Truncated.AssertRecovers(CommitRooms.Paxos(3), play, Acceptors[0], unflushed: 0);
    }

    /// <summary>
    /// A heard the decision and then nobody hears of A. Acceptors that dropped their logs bring B to the same end; the mistake makes it abort.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Acceptors_still_know_after_a_checkpoint_what_they_accepted(bool mistaken)
    {
        var play = Stage(mistaken ? PaxosCommitMutation.CheckpointWithoutAcceptances : PaxosCommitMutation.None);
        play.Submit(K, CommitModels.Begin(Both));
        while (Node(play, A).Ledger.EndingOf(First) == Ending.Unknown)
        {
            Sync(play);
            var next = play.Network.First(item => item.Message is not PaxosCommit.Message.Decide || item.To == A);
            play.Deliver(next.From, next.To);
        }

        play.Network.Clear();
        Assert.Equal(Ending.Unknown, Node(play, B).Ledger.EndingOf(First));
        foreach (var acceptor in Acceptors)
        {
            play.Truncate(acceptor);
            play.Crash(acceptor);
        }

        play.Crash(K);
        for (var patience = 0; patience < 4 && Node(play, B).Ledger.IsPrepared(First); patience++)
        {
            play.Fire(B, (int)PaxosCommit.Timer.Inquire);
            for (Sync(play); play.Network.Count > 0; Sync(play))
            {
                play.Deliver(play.Network[0].From, play.Network[0].To);
            }
        }

        Assert.Equal(mistaken ? Ending.Aborted : Ending.Committed, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>Makes everything durable, and loses what is for A or from it once it knows.</summary>
    private static void Sync(Play play)
    {
        foreach (var number in Enumerable.Range(1, 6))
        {
            play.Sync(new NodeId(number));
        }

        if (Node(play, A).Ledger.EndingOf(First) != Ending.Unknown)
        {
            play.Network.RemoveAll(item => item.From == A || item.To == A);
        }
    }

    private static PaxosCommit Node(Play play, NodeId node) => (PaxosCommit)play[node];

    /// <summary>Two transactions one after the other; how the first ended does not reach <paramref name="lost"/>.</summary>
    private static Play Twice(PaxosCommitMutation mutation, NodeId lost = default)
    {
        var play = Stage(mutation);
        play.Submit(K, CommitModels.Begin(Both));
        play.Run(away: [K]);
        foreach (var acceptor in Acceptors)
        {
            play.Receive(acceptor, K, new PaxosCommit.Message.Phase2b(First, Ballot.None, Both, Both));
        }

        play.Sync(K);
        play.Network.RemoveAll(item => item.To == lost);
        play.Run();
        play.Submit(K, CommitModels.Begin(Both, key: "y"));
        play.Run();
        return play;
    }

    private static Play Stage(PaxosCommitMutation mutation) =>
        CommitTraces.Stage(CommitRooms.Paxos(CommitRooms.Acceptors(3), mutation), 6);
}
