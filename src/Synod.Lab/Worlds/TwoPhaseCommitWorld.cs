using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Commit;
using Branch = Synod.Protocols.Commit.Branch;
using TwoPhase = Synod.Protocols.Commit.TwoPhaseCommit;

namespace Synod.Lab.Worlds;

using Model = Model<TwoPhase.Message, TwoPhase.Record, TwoPhase.Command, TwoPhase.Result>;
using World = World<TwoPhase.Message, TwoPhase.Record, TwoPhase.Command, TwoPhase.Result>;

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

    public static TwoPhase.Command.Begin Transfer(params ReadOnlySpan<NodeId> participants)
    {
        var branches = ImmutableArray.CreateBuilder<Branch>();
        foreach (var participant in participants)
        {
            branches.Add(Branch(participant));
        }

        return new TwoPhase.Command.Begin(branches.ToImmutable());
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
            Commands = new CommandWire(),
            Results = new ResultWire(),
            NameTimer = timer => ((TwoPhase.Timer)timer.Kind).ToString(),
            Submissions = [new(Coordinator, Transfer(nodes.AsSpan(1)))],
            Budgets = budgets,
        }
        .Always(TwoPhase.Agreement, Agreement)
        .Always(TwoPhase.CommitValidity, Validity)
        .Always("AnswerTold", AnswerTold);
    }

    /// <summary>
    /// The configuration in which <paramref name="shown"/> shows, over a protocol with <paramref name="mutation"/>: the same one, or none
    /// for the proof that the configuration itself is sound.
    /// </summary>
    public static Model Showing(TwoPhaseCommitMutation shown, TwoPhaseCommitMutation mutation)
    {
        var crashes = shown is TwoPhaseCommitMutation.VoteBeforeDurable or TwoPhaseCommitMutation.DecideBeforeDurable
            or TwoPhaseCommitMutation.AckBeforeDurable or TwoPhaseCommitMutation.TombstoneBeforeDurable
            or TwoPhaseCommitMutation.ReuseIds or TwoPhaseCommitMutation.RecoverWithoutLocks ? 1 : 0;
        var model = Model(2, new Budgets { Crashes = crashes, Timers = 1, MaxStates = 50_000 }, mutation);
        return shown switch
        {
            TwoPhaseCommitMutation.MindChange => model with
            {
                Submissions = [.. model.Submissions, new(A, new TwoPhase.Command.Veto(First))],
            },
            TwoPhaseCommitMutation.ReuseIds => model with
            {
                Submissions =
                [
                    .. model.Submissions,
                    new(Coordinator, new TwoPhase.Command.Begin([Branch(A, "2", "y"), Branch(B, "2", "y")])),
                ],
            },
            _ => model,
        };
    }

    /// <summary>
    /// Over all time: what any node ever applied or told the client as committed is aborted nowhere, and the client's aborts are
    /// applied nowhere. With what each node ever did among the evidence this covers stability through crashes.
    /// </summary>
    public static bool Agreement(World world)
    {
        if (!TwoPhase.Agree(world.Nodes.Select(Instance)))
        {
            return false;
        }

        foreach (var node in world.Nodes)
        {
            foreach (var executed in node.Executions)
            {
                var apply = (TwoPhase.Command.Apply)executed.Command;
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
        foreach (var apply in world.Nodes.SelectMany(node => node.Executions).Select(item => (TwoPhase.Command.Apply)item.Command))
        {
            foreach (var node in world.Nodes.Where(node => node.Id != Coordinator))
            {
                var promise = node.Durable.OfType<TwoPhase.Record.Prepared>().FirstOrDefault(item => item.Transaction == apply.Transaction);
                if (promise is null || !promise.Writes[0].Value.Span.SequenceEqual(apply.Writes[0].Value.Span))
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
            if (answer is TwoPhase.Result.Committed committed && world.Nodes.Any(node => IsAborted(node, committed.Transaction)))
            {
                return false;
            }

            if (answer is TwoPhase.Result.Aborted aborted && world.Nodes.Any(node => Applied(node, aborted.Transaction)))
            {
                return false;
            }
        }

        return true;
    }

    public static bool Applied(NodeView<TwoPhase.Message, TwoPhase.Record, TwoPhase.Command, TwoPhase.Result> node, TransactionId id) =>
        node.Executions.Any(item => ((TwoPhase.Command.Apply)item.Command).Transaction == id);

    public static bool IsAborted(NodeView<TwoPhase.Message, TwoPhase.Record, TwoPhase.Command, TwoPhase.Result> node, TransactionId id) =>
        Instance(node).EndingOf(id) == Ending.Aborted;

    public static TwoPhase Instance(NodeView<TwoPhase.Message, TwoPhase.Record, TwoPhase.Command, TwoPhase.Result> node) =>
        (TwoPhase)node.Protocol;

    /// <summary>Only what is handed up is written.</summary>
    private sealed class CommandWire : IWire<TwoPhase.Command>
    {
        public void Write(CodecWriter writer, TwoPhase.Command value)
        {
            var apply = (TwoPhase.Command.Apply)value;
            TwoPhase.Fields.Write(writer, apply.Transaction);
            TwoPhase.Fields.Write(writer, apply.Writes);
        }

        public TwoPhase.Command Read(ref CodecReader reader) =>
            new TwoPhase.Command.Apply(TwoPhase.Fields.ReadTransaction(ref reader), TwoPhase.Fields.ReadWrites(ref reader));
    }

    private sealed class ResultWire : IWire<TwoPhase.Result>
    {
        public void Write(CodecWriter writer, TwoPhase.Result value)
        {
            var (kind, id) = value switch
            {
                TwoPhase.Result.Committed committed => (1, committed.Transaction),
                TwoPhase.Result.Aborted aborted => (2, aborted.Transaction),
                TwoPhase.Result.Vetoed vetoed => (3, vetoed.Transaction),
                TwoPhase.Result.TooLate late => (4, late.Transaction),
                _ => (5, default),
            };
            writer.Byte((byte)kind);
            TwoPhase.Fields.Write(writer, id);
        }

        public TwoPhase.Result? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var id = TwoPhase.Fields.ReadTransaction(ref reader);
            return kind switch
            {
                1 => new TwoPhase.Result.Committed(id),
                2 => new TwoPhase.Result.Aborted(id),
                3 => new TwoPhase.Result.Vetoed(id),
                4 => new TwoPhase.Result.TooLate(id),
                _ => new TwoPhase.Result.Malformed(),
            };
        }
    }
}
