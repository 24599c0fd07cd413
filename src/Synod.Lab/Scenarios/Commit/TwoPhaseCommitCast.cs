using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>Two-phase commit on a stage: a coordinator, the participants, and a ledger for each transaction.</summary>
public sealed class TwoPhaseCommitCast
{
    private readonly SortedDictionary<TransactionId, CommitLedger> _ledgers = [];

    /// <param name="names">The coordinator's name, and those of the participants.</param>
    public TwoPhaseCommitCast(ulong seed, TwoPhaseCommitOptions options, Duration spread, bool tellsTransactions, params string[] names)
    {
        Nodes = [.. names.Select((_, index) => new NodeId(index + 1))];
        Stage = new(
            new()
            {
                Processes = [.. Nodes.Zip(names)],
                Create = start => new TwoPhaseCommit(start.Self, options),
                Messages = new TwoPhaseCommit.MessageWire(),
                Records = new TwoPhaseCommit.RecordWire(),
                Words = new Words(tellsTransactions),
                Spread = spread,
            },
            seed);
        Stage.Recorded = OnRecorded;
        Options = options;
        Spread = spread;
    }

    public TwoPhaseCommitOptions Options { get; }

    public Duration Spread { get; }

    public ImmutableArray<NodeId> Nodes { get; }

    public Stage<TwoPhaseCommit.Message, TwoPhaseCommit.Record, TwoPhaseCommit.Command, TwoPhaseCommit.Result> Stage { get; }

    /// <summary>The first transaction that the first node begins.</summary>
    public TransactionId First => new(Nodes[0], 1, 1);

    /// <summary>How long a participant may wait by its own time-outs: one inquiry, its answer, and the records on the way.</summary>
    public Duration Patience => Options.Inquire + (Duration.FromMilliseconds(10) + Spread) * 2 + Duration.FromMilliseconds(2);

    public CommitLedger Ledger(TransactionId id) => _ledgers.TryGetValue(id, out var ledger) ? ledger : _ledgers[id] = new();

    public static TwoPhaseCommit.Command.Begin Begin(params IEnumerable<(NodeId Participant, string Key, string Value)> writes) =>
        new([.. writes.Select(item => new Branch(item.Participant, [new Write(Key.Of(item.Key), Key.Of(item.Value).Memory)]))]);

    /// <summary>What the client of a command was told: committed, aborted, or nothing.</summary>
    public bool? Told(long tag) => Stage.Answers.Where(answer => answer.Tag == tag).Select(answer => answer.Result switch
    {
        TwoPhaseCommit.Result.Committed => true,
        TwoPhaseCommit.Result.Aborted => (bool?)false,
        _ => null,
    }).FirstOrDefault();

    /// <summary>What the ledger finds, and what the room's own invariant over all nodes says.</summary>
    public void Judge(Report report, TransactionId id, long tag)
    {
        Ledger(id).Judge(report, Stage.NameOf, [.. Nodes.Skip(1)], Told(tag), Patience, Stage.Now);
        report.Safety(
            $"TwoPhaseCommit.{TwoPhaseCommit.Agreement}",
            TwoPhaseCommit.Agree(Nodes.Select(node => Stage[node]).OfType<TwoPhaseCommit>()),
            $"over all transactions and all processes that are up");
    }

    private void OnRecorded(NodeId node, TwoPhaseCommit.Record record)
    {
        switch (record)
        {
            case TwoPhaseCommit.Record.Prepared prepared:
                Ledger(prepared.Transaction).Prepare(node, Stage.Now);
                break;
            case TwoPhaseCommit.Record.Committed committed:
                Ledger(committed.Transaction).End(node, true, Stage.Now);
                break;
            case TwoPhaseCommit.Record.Aborted aborted:
                Ledger(aborted.Transaction).End(node, false, Stage.Now);
                break;
            case TwoPhaseCommit.Record.Decided decided:
                Ledger(decided.Transaction).End(node, true, Stage.Now);
                break;
            default:
                break;
        }
    }

    private sealed class Words(bool tellsTransactions)
        : Vocabulary<TwoPhaseCommit.Message, TwoPhaseCommit.Record, TwoPhaseCommit.Command, TwoPhaseCommit.Result>
    {
        public override Word? Message(TwoPhaseCommit.Message message) => Of(message.Transaction, message switch
        {
            TwoPhaseCommit.Message.Vote vote => $"Vote {vote.Choice}",
            TwoPhaseCommit.Message.Decide decide => decide.Commit ? "Commit" : "Abort",
            TwoPhaseCommit.Message.Outcome outcome => outcome.Ending == Ending.Unknown ? "don't know" : $"it {outcome.Ending.ToString().ToLowerInvariant()}",
            _ => message.GetType().Name,
        });

        public override Word? Record(TwoPhaseCommit.Record record) => record switch
        {
            TwoPhaseCommit.Record.Prepared prepared => Of(prepared.Transaction, "Prepared"),
            TwoPhaseCommit.Record.Committed committed => Of(committed.Transaction, "Committed", true),
            TwoPhaseCommit.Record.Aborted aborted => Of(aborted.Transaction, "Aborted", true),
            TwoPhaseCommit.Record.Decided decided => Of(decided.Transaction, "Commit", true),
            _ => null,
        };

        public override Word? Timer(TimerId timer) => (TwoPhaseCommit.Timer)timer.Kind switch
        {
            TwoPhaseCommit.Timer.Vote => "votes late",
            TwoPhaseCommit.Timer.Inquire => "no word yet",
            _ => "once more",
        };

        public override Word? Command(TwoPhaseCommit.Command command) => command is TwoPhaseCommit.Command.Begin begin
            ? string.Join(" ", begin.Branches.SelectMany(branch => branch.Writes))
            : command.GetType().Name;

        public override Word? Result(TwoPhaseCommit.Result result) => result.GetType().Name.ToLowerInvariant();

        private Word? Of(TransactionId id, string text, bool isDecision = false) =>
            new Word(tellsTransactions ? $"{text} t{id.Counter}" : text, isDecision);
    }
}
