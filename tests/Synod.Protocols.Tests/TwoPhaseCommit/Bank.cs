using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Commit;
using Branch = Synod.Protocols.Commit.Branch;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

using Model = Model<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>;
using World = World<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>;

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

    public static Model Model(int participants, Budgets budgets, TwoPhaseCommitMutation mutation = TwoPhaseCommitMutation.None)
    {
        NodeId[] nodes = [.. Enumerable.Range(1, participants + 1).Select(number => new NodeId(number))];
        return new Model
        {
            Nodes = nodes,
            Make = node => new TwoPhase(node, TwoPhaseCommitOptions.Default, mutation),
            Messages = new TwoPhase.MessageWire(),
            Records = new TwoPhase.RecordWire(),
            Commands = new CommitCommandWire(),
            Results = new CommitResultWire(),
            NameTimer = timer => ((TwoPhase.Timer)timer.Kind).ToString(),
            Submissions = [new(Coordinator, Transfer(nodes.AsSpan(1)))],
            Budgets = budgets,
        }
        .Always(Ledger.Agreement, Agreement)
        .Always(TwoPhase.CommitValidity, Validity)
        .Always("AnswerTold", AnswerTold);
    }

    /// <summary>
    /// Over all time: what any node ever applied or told the client as committed is aborted nowhere, and the client's aborts are
    /// applied nowhere. With what each node ever did among the evidence this covers stability through crashes.
    /// </summary>
    public static bool Agreement(World world)
    {
        if (!Ledger.Agree(world.Nodes.Select(Instance)))
        {
            return false;
        }

        foreach (var node in world.Nodes)
        {
            foreach (var executed in node.Executions)
            {
                var apply = (CommitCommand.Apply)executed.Command;
                if (world.Nodes.Any(other => IsAborted(other, apply.Transaction)))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Whoever applied a transaction, every writer has a durable promise, and all apply parts of the same one.</summary>
    public static bool Validity(World world)
    {
        foreach (var apply in world.Nodes.SelectMany(node => node.Executions).Select(item => (CommitCommand.Apply)item.Command))
        {
            foreach (var node in world.Nodes.Where(node => node.Id != Coordinator))
            {
                var promise = node.Durable.OfType<TwoPhase.Record.Prepared>().FirstOrDefault(item => item.Promise.Transaction == apply.Transaction);
                if (promise is null || !promise.Promise.Writes[0].Value.Span.SequenceEqual(apply.Writes[0].Value.Span))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>What the client was told is what happens: a commit is aborted nowhere, an abort applied nowhere.</summary>
    public static bool AnswerTold(World world)
    {
        foreach (var answer in world[Coordinator].Answers.Select(pair => pair.Value))
        {
            if (answer is CommitResult.Committed committed && world.Nodes.Any(node => IsAborted(node, committed.Transaction)))
            {
                return false;
            }

            if (answer is CommitResult.Aborted aborted && world.Nodes.Any(node => Applied(node, aborted.Transaction)))
            {
                return false;
            }
        }

        return true;
    }

    public static bool Applied(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node, TransactionId id) =>
        node.Executions.Any(item => ((CommitCommand.Apply)item.Command).Transaction == id);

    public static bool IsAborted(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node, TransactionId id) =>
        Instance(node).Ledger.EndingOf(id) == Ending.Aborted;

    public static TwoPhase Instance(NodeView<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult> node) =>
        (TwoPhase)node.Protocol;
}
