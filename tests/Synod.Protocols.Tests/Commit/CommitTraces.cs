using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>Scripts of traces for any protocol of atomic commit: node 1 coordinates, the words are the same.</summary>
internal static class CommitTraces
{
    public static Stage<TMessage, TRecord, CommitCommand, CommitResult> Stage<TMessage, TRecord>(
        CommitRoom<TMessage, TRecord> room, int nodes)
        where TMessage : class
        where TRecord : class =>
        new Stage<TMessage, TRecord, CommitCommand, CommitResult>(
            room.Make, room.NameTimer, [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))]).Begin();

    /// <summary>What was begun, up to where the coordinator has heard all votes.</summary>
    public static void Vote<TMessage, TRecord>(
        this Stage<TMessage, TRecord, CommitCommand, CommitResult> stage, NodeId coordinator, params NodeId[] participants)
        where TMessage : class
        where TRecord : class
    {
        stage.Sync(coordinator);
        foreach (var node in participants)
        {
            stage.Deliver(coordinator, node);
            stage.Sync(node);
            stage.Deliver(node, coordinator);
        }
    }

    public static string Play<TMessage, TRecord, TTimer>(CommitRoom<TMessage, TRecord> room, int nodes, string script)
        where TMessage : class
        where TRecord : class
        where TTimer : struct, Enum
    {
        var stage = Stage(room, nodes);
        return GoldenTraces.Play<TMessage, TRecord, CommitCommand, CommitResult, TTimer>(
            stage,
            script,
            words =>
            {
                switch (words[0])
                {
                    case "begin":
                        stage.Submit(
                            GoldenTraces.Node("n1"), CommitModels.Begin(NodeSet.Of([.. words[1..].Select(GoldenTraces.Node)])));
                        return true;
                    case "open":
                        stage.Submit(GoldenTraces.Node(words[1]), new CommitCommand.Open());
                        return true;
                    case "enlist":
                        stage.Submit(
                            GoldenTraces.Node(words[1]),
                            new CommitCommand.Enlist(EnlistingModels.First, EnlistingModels.Branch(GoldenTraces.Node(words[1]), words[2..]).Writes));
                        return true;
                    case "commit":
                        stage.Submit(GoldenTraces.Node(words[1]), new CommitCommand.Commit(EnlistingModels.First));
                        return true;
                    case "suspect":
                        stage.Submit(GoldenTraces.Node(words[1]), new CommitCommand.Suspect(GoldenTraces.Node(words[2])));
                        return true;
                    case "delay":
                        stage.Delay(GoldenTraces.Node(words[1]), GoldenTraces.Node(words[2]));
                        return true;
                    default:
                        return false;
                }
            });
    }
}
