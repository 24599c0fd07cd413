using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Commit;

namespace Synod.Lab.Worlds;

/// <summary>Bounded configurations of any protocol of atomic commit, and what must hold in all of them.</summary>
internal static class CommitModels
{
    /// <summary>One transaction over <paramref name="members"/>, begun at <paramref name="coordinator"/>.</summary>
    public static Model<TMessage, TRecord, CommitCommand, CommitResult> Of<TMessage, TRecord>(
        CommitRoom<TMessage, TRecord> room, int nodes, NodeId coordinator, NodeSet members, Budgets budgets)
        where TMessage : class
        where TRecord : class => Judged(new Model<TMessage, TRecord, CommitCommand, CommitResult>
        {
            Nodes = Nodes(nodes),
            Make = room.Make,
            Messages = room.Messages,
            Records = room.Records,
            Commands = new CommitCommandWire(),
            Results = new CommitResultWire(),
            NameTimer = room.NameTimer,
            Submissions = [new(coordinator, Begin(members))],
            Budgets = budgets,
        },
        room,
        coordinator);

    /// <summary>The same, with processes that may die for good in the midst of any step, heard or not.</summary>
    public static Model<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> Mortal<TMessage, TRecord>(
        CommitRoom<TMessage, TRecord> room, int nodes, NodeId coordinator, NodeSet members, NodeSet mortals, bool heard, Budgets budgets)
        where TMessage : class
        where TRecord : class => Judged(new Model<Envelope<TMessage>, TRecord, CommitCommand, CommitResult>
        {
            Nodes = Nodes(nodes),
            Make = node => new Mortal<TMessage, TRecord>(
                node, room.Make(node), NodeSet.Of([.. Nodes(nodes)]), mortals.Contains(node), heard),
            Messages = new EnvelopeWire<TMessage>(room.Messages),
            Records = room.Records,
            Commands = new CommitCommandWire(),
            Results = new CommitResultWire(),
            NameTimer = room.NameTimer,
            Submissions = [new(coordinator, Begin(members))],
            ChoiceLimit = 130,
            Budgets = budgets,
        },
        room,
        coordinator);

    /// <summary>Nobody who lives is left in doubt.</summary>
    public static bool NobodyIsBlocked<TMessage, TRecord>(World<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> world)
        where TMessage : class => world.Nodes.All(node =>
            ((Mortal<TMessage, TRecord>)node.Protocol).IsDead || ((ICommitProtocol)node.Protocol).Ledger.InDoubt.Count == 0);

    public static CommitCommand.Begin Begin(NodeSet members, string value = "1", string key = "x") =>
        new([.. members.Select(node => new Branch(node, [new Write(Key.Of(key), Key.Of(value).Memory)]))]);

    /// <summary>
    /// Over all time: what any node ever applied or told the client as committed is aborted nowhere, what it told as aborted is
    /// applied nowhere, and whoever applied a transaction, every writer has a durable promise of the same one.
    /// </summary>
    private static Model<TMessage, TRecord, CommitCommand, CommitResult> Judged<TMessage, TRecord, TInner>(
        Model<TMessage, TRecord, CommitCommand, CommitResult> model, CommitRoom<TInner, TRecord> room, NodeId coordinator)
        where TInner : class
        where TRecord : class => model
        .Always(Ledger.Agreement, world => Ledger.Agree(world.Nodes.Select(node => (ICommitProtocol)node.Protocol))
            && Applies(world).All(apply => world.Nodes.All(node => !IsAborted(node, apply.Transaction))))
        .Always("CommitValidity", world => Applies(world).All(apply => Promises(world, room, apply)))
        .Always("AnswerTold", world => world[coordinator].Answers.Select(pair => pair.Value).All(answer => answer switch
        {
            CommitResult.Committed committed => world.Nodes.All(node => !IsAborted(node, committed.Transaction)),
            CommitResult.Aborted aborted => Applies(world).All(apply => apply.Transaction != aborted.Transaction),
            _ => true,
        }));

    private static bool Promises<TMessage, TRecord, TInner>(
        World<TMessage, TRecord, CommitCommand, CommitResult> world, CommitRoom<TInner, TRecord> room, CommitCommand.Apply apply)
        where TInner : class
        where TRecord : class
    {
        var promises = world.Nodes
            .Select(node => node.Durable.Select(room.PromiseIn).FirstOrDefault(item => item?.Transaction == apply.Transaction))
            .OfType<Promise>().ToArray();
        return promises.Length > 0 && promises.Length == Math.Max(1, promises[0].Members.Count)
            && promises.All(promise => promise.Writes.IsEmpty || promise.Writes[0].Value.Span.SequenceEqual(apply.Writes[0].Value.Span));
    }

    private static IEnumerable<CommitCommand.Apply> Applies<TMessage, TRecord>(
        World<TMessage, TRecord, CommitCommand, CommitResult> world) =>
        world.Nodes.SelectMany(node => node.Executions).Select(item => (CommitCommand.Apply)item.Command).Where(apply => !apply.Writes.IsEmpty);

    private static bool IsAborted<TMessage, TRecord>(
        NodeView<TMessage, TRecord, CommitCommand, CommitResult> node, TransactionId id) =>
        ((ICommitProtocol)node.Protocol).Ledger.EndingOf(id) == Ending.Aborted;

    private static ImmutableArray<NodeId> Nodes(int count) => [.. Enumerable.Range(1, count).Select(number => new NodeId(number))];
}
