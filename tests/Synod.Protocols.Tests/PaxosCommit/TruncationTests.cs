using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;

namespace Synod.Protocols.Tests.PaxosCommitRoom;

using Play = Stage<PaxosCommit.Message, PaxosCommit.Record, CommitCommand, CommitResult>;

/// <summary>Of what is over managers keep how it ended and acceptors what they accepted, and nothing else (commit.md §3.2).</summary>
public sealed class TruncationTests
{
    private static readonly NodeId K = new(4);
    private static readonly NodeId A = new(5);
    private static readonly NodeId B = new(6);
    private static readonly NodeSet Both = NodeSet.Of(A, B);
    private static readonly NodeId[] Acceptors = [new(1), new(2)];
    private static readonly TransactionId First = new(K, 1, 1);

    internal static PaxosCommitMutation Mistake => PaxosCommitMutation.CheckpointWithoutAcceptances;

    [Fact]
    public void The_log_of_what_is_over_shrinks_to_how_it_ended()
    {
        var play = Stage(PaxosCommitMutation.None);
        play.Submit(K, CommitModels.Begin(Both));
        play.Run();
        play.Truncate(A);
        Assert.Equal(
            [new PaxosCommit.Record.Flushed(new Slot(1)), new PaxosCommit.Record.Ended(First, true), new PaxosCommit.Record.Booted(0)],
            play.Log(A));
        play.Truncate(Acceptors[0]);
        Assert.Equal(
            [
                new PaxosCommit.Record.Flushed(Slot.None), new PaxosCommit.Record.Booted(0),
                new PaxosCommit.Record.Accepted(First, Both, Ballot.None, Ballot.None, Both),
            ],
            play.Log(Acceptors[0]));
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
        var play = Stage(mistaken ? Mistake : PaxosCommitMutation.None);
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

    private static Play Stage(PaxosCommitMutation mutation) =>
        CommitTraces.Stage(CommitRooms.Paxos(CommitRooms.Acceptors(3), mutation), 6);
}
