using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Commit;
using Branch = Synod.Protocols.Commit.Branch;
using TwoPhase = Synod.Protocols.Commit.TwoPhaseCommit;

namespace Synod.Lab.Worlds;

using Model = Model<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>;

/// <summary>The smallest bank: a coordinator, node 1, and participants from node 2 on, each with one account.</summary>
internal static class TwoPhaseCommitWorld
{
    public static readonly NodeId Coordinator = new(1);
    public static readonly NodeId A = new(2);
    public static readonly NodeId B = new(3);
    public static readonly NodeId C = new(4);

    /// <summary>The id of the first transaction of the coordinator's first life.</summary>
    public static readonly TransactionId First = new(Coordinator, 1, 1);

    public static Branch Branch(NodeId participant, string value = "1", string key = "x") =>
        new(participant, [new Write(Key.Of(key), Key.Of(value).Memory)]);

    /// <summary>Budgets of timers by kind.</summary>
    public static SortedDictionary<int, int> Firings(int vote, int inquire, int resend) => new()
    {
        [(int)TwoPhase.Timer.Vote] = vote,
        [(int)TwoPhase.Timer.Inquire] = inquire,
        [(int)TwoPhase.Timer.Resend] = resend,
    };

    public static CommitCommand.Begin Transfer(params ReadOnlySpan<NodeId> participants)
    {
        var branches = ImmutableArray.CreateBuilder<Branch>();
        foreach (var participant in participants)
        {
            branches.Add(Branch(participant));
        }

        return new CommitCommand.Begin(branches.ToImmutable());
    }

    public static Model Model(int participants, Budgets budgets, TwoPhaseCommitMutation mutation = TwoPhaseCommitMutation.None) =>
        CommitModels.Of(
            CommitRooms.TwoPhase(mutation),
            participants + 1,
            Coordinator,
            NodeSet.Of([.. Enumerable.Range(2, participants).Select(number => new NodeId(number))]),
            budgets);

    /// <summary>
    /// The configuration in which <paramref name="shown"/> shows, over a protocol with <paramref name="mutation"/>: the same one, or none
    /// for the proof that the configuration itself is sound.
    /// </summary>
    public static Model Showing(TwoPhaseCommitMutation shown, TwoPhaseCommitMutation mutation)
    {
        var crashes = shown is TwoPhaseCommitMutation.VoteBeforeDurable or TwoPhaseCommitMutation.DecideBeforeDurable
            or TwoPhaseCommitMutation.AckBeforeDurable or TwoPhaseCommitMutation.TombstoneBeforeDurable
            or TwoPhaseCommitMutation.AnswerAloneBeforeDurable or TwoPhaseCommitMutation.ReuseIds
            or TwoPhaseCommitMutation.RecoverWithoutLocks ? 1 : 0;
        var budgets = new Budgets { Crashes = crashes, Timers = 1, MaxStates = 50_000 };
        var model = Model(2, budgets, mutation);
        return shown switch
        {
            TwoPhaseCommitMutation.MindChange => model with
            {
                Submissions = [.. model.Submissions, new(A, new CommitCommand.Veto(First))],
            },
            TwoPhaseCommitMutation.AbortWhatIsAlone => Model(1, budgets, mutation),
            TwoPhaseCommitMutation.AnswerAloneBeforeDurable => Model(1, budgets, mutation) with
            {
                Submissions = [new(Coordinator, Transfer(A)), new(A, new CommitCommand.Veto(First))],
            },
            TwoPhaseCommitMutation.ReuseIds or TwoPhaseCommitMutation.ForgetTooEarly => model with
            {
                Submissions =
                [
                    .. model.Submissions,
                    new(Coordinator, new CommitCommand.Begin([Branch(A, "2", "y"), Branch(B, "2", "y")])),
                ],
            },
            _ => model,
        };
    }

    public static bool Applied(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node, TransactionId id) =>
        node.Executions.Any(item => ((CommitCommand.Apply)item.Command).Transaction == id);

    public static bool IsAborted(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node, TransactionId id) =>
        Instance(node).Ledger.EndingOf(id) == Ending.Aborted;

    public static TwoPhase Instance(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node) =>
        (TwoPhase)node.Protocol;
}
