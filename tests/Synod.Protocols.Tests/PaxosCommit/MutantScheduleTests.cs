using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;
using Message = Synod.Protocols.Commit.PaxosCommit.Message;
using Play = Synod.Protocols.Tests.Stage<
    Synod.Protocols.Commit.PaxosCommit.Message,
    Synod.Protocols.Commit.PaxosCommit.Record,
    Synod.Protocols.Commit.CommitCommand,
    Synod.Protocols.Commit.CommitResult>;
using Timer = Synod.Protocols.Commit.PaxosCommit.Timer;

namespace Synod.Protocols.Tests.PaxosCommitRoom;

/// <summary>
/// Mistakes whose shortest counterexample is longer than an exploration of this size reaches, each by a schedule of its own. The same
/// schedule is harmless without the mistake.
/// </summary>
public sealed class MutantScheduleTests
{
    private static readonly NodeId L = new(1);
    private static readonly NodeId P = new(2);
    private static readonly NodeId Q = new(3);
    private static readonly NodeId A = new(4);
    private static readonly NodeId B = new(5);
    private static readonly NodeSet Both = NodeSet.Of(A, B);
    private static readonly TransactionId First = new(L, 1, 1);

    [Theory]
    [InlineData("AcceptBeforeDurable")]
    [InlineData("PromiseBeforeDurable")]
    [InlineData("ForgetAcceptances")]
    [InlineData("CountAcrossBallots")]
    [InlineData("AcceptStale")]
    [InlineData("ReuseBallots")]
    [InlineData("OneAcceptorDecides")]
    public void The_schedule_shows_the_mistake(string name)
    {
        var mutation = Enum.Parse<PaxosCommitMutation>(name);
        Assert.False(Agrees(mutation, mutation));
        Assert.True(Agrees(mutation, PaxosCommitMutation.None));
    }

    private static bool Agrees(PaxosCommitMutation shown, PaxosCommitMutation mutation)
    {
        var faster = shown is PaxosCommitMutation.CountAcrossBallots or PaxosCommitMutation.ReuseBallots;
        var play = Voted(mutation, faster);
        switch (shown)
        {
            case PaxosCommitMutation.AcceptBeforeDurable:
                // P's 2b leaves, P crashes, and its acceptance is gone.
                VotesReach(play, L, P);
                play.Sync(L);
                Pass<Message.Phase2b>(play, L, L);
                Pass<Message.Phase2b>(play, P, L);
                play.Sync(L);
                play.Crash(P);
                EndWithoutL(play);
                break;
            case PaxosCommitMutation.OneAcceptorDecides:
                // L alone has accepted when it tells the client, and is gone.
                VotesReach(play, L);
                play.Sync(L);
                Pass<Message.Phase2b>(play, L, L);
                play.Sync(L);
                EndWithoutL(play);
                break;
            case PaxosCommitMutation.ForgetAcceptances:
                VotesReach(play, L, P);
                play.Sync(L);
                play.Sync(P);
                Pass<Message.Phase2b>(play, L, L);
                Pass<Message.Phase2b>(play, P, L);
                play.Sync(L);
                play.Crash(P);
                EndWithoutL(play);
                break;
            case PaxosCommitMutation.PromiseBeforeDurable or PaxosCommitMutation.AcceptStale:
                // A has a majority of promises for a ballot in which nothing is prepared, and ballot 0 goes on all the same.
                play.Fire(A, (int)Timer.Inquire);
                play.Sync(A);
                Pass<Message.Phase1a>(play, A, P);
                Pass<Message.Phase1a>(play, A, Q);
                play.Sync(Q);
                if (shown == PaxosCommitMutation.PromiseBeforeDurable)
                {
                    play.Crash(P);
                }

                play.Sync(P);
                Pass<Message.Phase1b>(play, P, A);
                Pass<Message.Phase1b>(play, Q, A);
                VotesReach(play, L, P);
                play.Sync(L);
                play.Sync(P);
                Pass<Message.Phase2b>(play, L, L);
                Pass<Message.Phase2b>(play, P, L);
                play.Sync(L);
                foreach (var acceptor in new[] { P, Q })
                {
                    Pass<Message.Phase2a>(play, A, acceptor);
                    play.Sync(acceptor);
                    Pass<Message.Phase2b>(play, acceptor, A);
                }

                break;
            case PaxosCommitMutation.CountAcrossBallots:
                // L accepted everything in ballot 0, P nothing in A's ballot: no majority for either.
                VotesReach(play, L);
                play.Sync(L);
                play.Fire(A, (int)Timer.Inquire);
                play.Sync(A);
                Pass<Message.Phase2b>(play, L, A);
                Lead(play, A, P, Q);
                Pass<Message.Phase2a>(play, A, P);
                play.Sync(P);
                Pass<Message.Phase2b>(play, P, A);
                play.Network.RemoveAll(item => item.From == A);
                play.Fire(B, (int)Timer.Inquire);
                play.Sync(B);
                Lead(play, B, L, Q);
                foreach (var acceptor in new[] { L, Q })
                {
                    Pass<Message.Phase2a>(play, B, acceptor);
                    play.Sync(acceptor);
                    Pass<Message.Phase2b>(play, acceptor, B);
                }

                break;
            default:
                // A's ballot chooses Prepared, which B learns from the acceptors; A forgets it, and old reports arrive again.
                play.Fire(A, (int)Timer.Inquire);
                play.Sync(A);
                Pass<Message.Phase1a>(play, A, P);
                Pass<Message.Phase1a>(play, A, Q);
                play.Sync(P);
                play.Sync(Q);
                Message[] old = [.. play.Between(P, A).OfType<Message.Phase1b>(), .. play.Between(Q, A).OfType<Message.Phase1b>()];
                VotesReach(play, L);
                play.Sync(L);
                Pass<Message.Phase1a>(play, A, L);
                play.Sync(L);
                Pass<Message.Phase1b>(play, L, A);
                Pass<Message.Phase1b>(play, Q, A);
                foreach (var acceptor in new[] { L, Q })
                {
                    Pass<Message.Phase2a>(play, A, acceptor);
                    play.Sync(acceptor);
                    Pass<Message.Phase2b>(play, acceptor, A);
                    Pass<Message.Phase2b>(play, acceptor, B);
                }

                play.Crash(A);
                play.Network.Clear();
                play.Fire(A, (int)Timer.Inquire);
                play.Sync(A);
                play.Receive(P, A, old[0]);
                play.Receive(Q, A, old[1]);
                foreach (var acceptor in new[] { P, Q })
                {
                    Pass<Message.Phase2a>(play, A, acceptor);
                    play.Sync(acceptor);
                    Pass<Message.Phase2b>(play, acceptor, A);
                }

                break;
        }

        var told = play.Answers(L).Any(answer => answer.Result is CommitResult.Committed);
        return Ledger.Agree([Node(play, A), Node(play, B)])
            && !(told && Both.Any(node => Node(play, node).Ledger.EndingOf(First) == Ending.Aborted));
    }

    /// <summary>L is gone; A ends the transaction with the other two.</summary>
    private static void EndWithoutL(Play play)
    {
        play.Network.Clear();
        play.Fire(A, (int)Timer.Inquire);
        play.Sync(A);
        play.Network.RemoveAll(item => item.To == L);
        play.Run();
    }

    private static void Lead(Play play, NodeId leader, params NodeId[] acceptors)
    {
        foreach (var acceptor in acceptors)
        {
            Pass<Message.Phase1a>(play, leader, acceptor);
            play.Sync(acceptor);
            Pass<Message.Phase1b>(play, acceptor, leader);
        }
    }

    private static void VotesReach(Play play, params NodeId[] acceptors)
    {
        foreach (var acceptor in acceptors)
        {
            Pass<Message.Phase2a>(play, A, acceptor, message => message.Ballot == Ballot.None);
            Pass<Message.Phase2a>(play, B, acceptor, message => message.Ballot == Ballot.None);
        }
    }

    /// <summary>Delivers what there is of one kind from one node to another.</summary>
    private static void Pass<T>(Play play, NodeId from, NodeId to, Func<T, bool>? which = null)
        where T : Message
    {
        foreach (var item in play.Network.Where(item =>
            item.From == from && item.To == to && item.Message is T message && (which is null || which(message))).ToArray())
        {
            play.Network.Remove(item);
            play.Receive(from, to, item.Message);
        }
    }

    private static PaxosCommit Node(Play play, NodeId node) => (PaxosCommit)play[node];

    private static Play Voted(PaxosCommitMutation mutation, bool faster)
    {
        var options = CommitRooms.Acceptors(3) with { Patience = 0, IsFaster = faster };
        var play = CommitTraces.Stage(CommitRooms.Paxos(options, mutation), 5);
        play.Submit(L, CommitModels.Begin(Both));
        play.Sync(L);
        foreach (var node in Both)
        {
            play.Deliver(L, node);
            play.Sync(node);
        }

        return play;
    }
}
