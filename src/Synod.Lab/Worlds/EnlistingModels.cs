using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Commit;

namespace Synod.Lab.Worlds;

/// <summary>
/// Bounded configurations in which a transaction is opened, joined and closed. The commands come in any order that keeps the order of each node:
/// to enlist before it is opened and after it is closed is part of them.
/// </summary>
internal static class EnlistingModels
{
    /// <summary>What was called enlisted is in a durable promise of its participant, or the transaction is committed nowhere.</summary>
    public const string EnlistedWritesApply = nameof(EnlistedWritesApply);

    public static readonly NodeId Coordinator = new(1);

    /// <summary>The id of the first transaction of the coordinator's first life.</summary>
    public static readonly TransactionId First = new(Coordinator, 1, 1);

    /// <summary>Node 1 opens and closes it; each of <paramref name="enlistments"/> is submitted at its participant.</summary>
    public static Model<TMessage, TRecord, CommitCommand, CommitResult> Of<TMessage, TRecord>(
        CommitRoom<TMessage, TRecord> room, int nodes, Budgets budgets, params ImmutableArray<Branch> enlistments)
        where TMessage : class
        where TRecord : class
    {
        var model = CommitModels.Of(room, nodes, Coordinator, NodeSet.Of(Coordinator), budgets) with
        {
            Submissions =
            [
                new(Coordinator, new CommitCommand.Open()),
                .. enlistments.Select(branch => new Submission<CommitCommand>(branch.Participant, new CommitCommand.Enlist(First, branch.Writes))),
                new(Coordinator, new CommitCommand.Commit(First)),
            ],
            SettledSubmissions = 1,
        };
        return model
            .Always(EnlistedWritesApply, world => !IsCommitted(world) || world.Nodes.All(node => IsWhole(node, room, enlistments)))
            .Sometimes("committed", world => IsCommitted(world) && world.Nodes.Any(node => node.Answers.Any(pair => pair.Value is CommitResult.Enlisted)))
            .Eventually("everybody ended", world => world.Nodes.All(node =>
                ((ICommitProtocol)node.Protocol) is { Ledger.InDoubt.Count: 0, Open.Count: 0, Enlisted.Count: 0 }));
    }

    /// <summary>What a participant is to write, or that it reads.</summary>
    public static Branch Branch(NodeId participant, params ReadOnlySpan<string> keys)
    {
        var writes = ImmutableArray.CreateBuilder<Write>();
        foreach (var key in keys)
        {
            writes.Add(new Write(Key.Of(key), Key.Of("1").Memory));
        }

        return new Branch(participant, writes.ToImmutable());
    }

    private static bool IsCommitted<TMessage, TRecord>(World<TMessage, TRecord, CommitCommand, CommitResult> world) =>
        world.Nodes.Any(node => node.Executions.Count > 0)
        || world[Coordinator].Answers.Any(pair => pair.Value is CommitResult.Committed);

    /// <summary>The n-th command of a node has the number n.</summary>
    private static bool IsWhole<TMessage, TRecord>(
        NodeView<TMessage, TRecord, CommitCommand, CommitResult> node, CommitRoom<TMessage, TRecord> room, ImmutableArray<Branch> enlistments)
        where TMessage : class
        where TRecord : class
    {
        Branch[] own = [.. enlistments.Where(branch => branch.Participant == node.Id)];
        var before = node.Id == Coordinator ? 2 : 1;
        return node.Answers.Where(pair => pair.Value is CommitResult.Enlisted).Select(pair => own[(int)pair.Key.Value - before]).All(branch =>
            branch.Writes.IsEmpty || node.Durable.Select(room.PromiseIn).Any(promise =>
                promise?.Transaction == First && promise.Writes.SequenceEqual(branch.Writes)));
    }
}
