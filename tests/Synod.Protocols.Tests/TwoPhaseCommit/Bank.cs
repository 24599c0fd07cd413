using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Branch = Synod.Protocols.Commit.Branch;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

using Model = Model<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>;

/// <summary>The smallest bank: a coordinator, node 1, and participants from node 2 on, each with one account.</summary>
internal static class Bank
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

    public static bool Applied(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node, TransactionId id) =>
        node.Executions.Any(item => ((CommitCommand.Apply)item.Command).Transaction == id);

    public static bool IsAborted(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node, TransactionId id) =>
        Instance(node).Ledger.EndingOf(id) == Ending.Aborted;

    public static TwoPhase Instance(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node) =>
        (TwoPhase)node.Protocol;
}
