using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>A protocol of atomic commit on a stage, and a witness for each transaction. What differs between protocols is told by a playbill.</summary>
internal sealed class CommitCast<TMessage, TRecord>
    where TMessage : class
    where TRecord : class
{
    private readonly Playbill<TMessage, TRecord> _bill;
    private readonly SortedDictionary<TransactionId, CommitWitness> _witnesses = [];

    /// <param name="bill">Which protocol.</param>
    /// <param name="names">The processes; node 1 begins.</param>
    public CommitCast(
        Playbill<TMessage, TRecord> bill,
        ulong seed,
        IReadOnlyList<string> names,
        Duration spread = default,
        bool tellsTransactions = false,
        Func<NodeId, NodeId, Duration>? delay = null,
        Duration? sync = null)
    {
        _bill = bill;
        Nodes = [.. names.Select((_, index) => new NodeId(index + 1))];
        var plain = new StageOptions<TMessage, TRecord, CommitCommand, CommitResult>
        {
            Processes = [.. Nodes.Zip(names)],
            Create = start => bill.Create(start.Self),
            Messages = bill.Messages,
            Records = bill.Records,
            Words = new CommitWords<TMessage, TRecord>(bill, names, tellsTransactions),
            Spread = spread,
        };
        Stage = new(plain with { Delay = delay ?? plain.Delay, Sync = sync ?? plain.Sync }, seed) { Recorded = OnRecorded };
    }

    public ImmutableArray<NodeId> Nodes { get; }

    public Stage<TMessage, TRecord, CommitCommand, CommitResult> Stage { get; }

    /// <summary>The first transaction that the first node begins.</summary>
    public TransactionId First => new(Nodes[0], 1, 1);

    public CommitWitness Witness(TransactionId id) => _witnesses.TryGetValue(id, out var witness) ? witness : _witnesses[id] = new();

    public static CommitCommand.Begin Begin(params IEnumerable<(NodeId Participant, string Key, string Value)> writes) =>
        new([.. writes.Select(item => new Branch(item.Participant, [new Write(Key.Of(item.Key), Key.Of(item.Value).Memory)]))]);

    /// <summary>Asks node 1 to commit x=1 on each of <paramref name="participants"/>.</summary>
    public void BeginOn(IEnumerable<NodeId> participants, long tag = 1) =>
        Stage.Submit(Nodes[0], Begin(participants.Select(node => (node, "x", "1"))), tag);

    /// <summary>Tells the failure detectors of some that others have crashed.</summary>
    public void Suspect(IEnumerable<NodeId> who, params ReadOnlySpan<NodeId> crashed)
    {
        foreach (var node in who)
        {
            foreach (var other in crashed)
            {
                if (other != node)
                {
                    Stage.Submit(node, new CommitCommand.Suspect(other), tag: -1);
                }
            }
        }
    }

    /// <summary>What the client of a command was told: committed, aborted, or nothing.</summary>
    public bool? Told(long tag) => Stage.Answers.Where(answer => answer.Tag == tag).Select(answer => answer.Result switch
    {
        CommitResult.Committed => true,
        CommitResult.Aborted => (bool?)false,
        _ => null,
    }).FirstOrDefault();

    /// <summary>What the witness saw, and what the contract's own invariant over all nodes says.</summary>
    public void Judge(
        Report report, TransactionId id, long tag, IReadOnlyList<NodeId> participants, Duration patience, string suffix = "")
    {
        Witness(id).Judge(report, Stage.NameOf, participants, Told(tag), patience, Stage.Now, suffix);
        report.Safety(
            $"Ledger.{Ledger.Agreement}{suffix}",
            Ledger.Agree(Nodes.Select(node => Stage[node]).OfType<ICommitProtocol>()),
            $"over all transactions and all processes that are up");
    }

    private void OnRecorded(NodeId node, TRecord record)
    {
        if (_bill.Prepares(record) is { } prepared)
        {
            Witness(prepared).Prepare(node, Stage.Now);
        }
        else if (_bill.Ends(record) is { } ended)
        {
            Witness(ended.Transaction).End(node, ended.Commit, Stage.Now);
        }
    }
}

/// <summary>What a stage has to know of a protocol of atomic commit.</summary>
internal abstract class Playbill<TMessage, TRecord>
    where TMessage : class
    where TRecord : class
{
    public abstract IWire<TMessage> Messages { get; }

    public abstract IWire<TRecord> Records { get; }

    public abstract Protocol<TMessage, TRecord, CommitCommand, CommitResult> Create(NodeId self);

    /// <summary>The transaction that a record promises to end as told.</summary>
    public abstract TransactionId? Prepares(TRecord record);

    /// <summary>The transaction that a record ends, and how.</summary>
    public abstract (TransactionId Transaction, bool Commit)? Ends(TRecord record);

    /// <summary>What a message is called, and which transaction it is about.</summary>
    public abstract (string Text, TransactionId Transaction) Told(TMessage message);

    /// <summary>What a record is called beside promises and endings; null for nothing.</summary>
    public virtual string? Told(TRecord record) => null;

    public abstract string Told(TimerId timer);
}

/// <summary>How the three protocols of atomic commit are told: they share commands and answers.</summary>
internal sealed class CommitWords<TMessage, TRecord>(Playbill<TMessage, TRecord> bill, IReadOnlyList<string> names, bool tellsTransactions)
    : Vocabulary<TMessage, TRecord, CommitCommand, CommitResult>
    where TMessage : class
    where TRecord : class
{
    public override Word? Message(TMessage message)
    {
        var (text, id) = bill.Told(message);
        return Of(id, text);
    }

    public override Word? Record(TRecord record) =>
        bill.Prepares(record) is { } prepared ? Of(prepared, "Prepared")
        : bill.Ends(record) is { } ended ? Of(ended.Transaction, ended.Commit ? "Committed" : "Aborted", true)
        : bill.Told(record);

    public override Word? Timer(TimerId timer) => bill.Told(timer);

    public override Word? Command(CommitCommand command) => command switch
    {
        CommitCommand.Begin begin => string.Join(" ", begin.Branches.SelectMany(branch => branch.Writes).Distinct()),
        CommitCommand.Suspect suspect => $"{names[suspect.Node.Value - 1]} seems dead",
        _ => command.GetType().Name.ToLowerInvariant(),
    };

    public override Word? Result(CommitResult result) => result.GetType().Name.ToLowerInvariant();

    private Word Of(TransactionId id, string text, bool isDecision = false) =>
        new(tellsTransactions ? string.Create(CultureInfo.InvariantCulture, $"{text} t{id.Counter}") : text, isDecision);
}
