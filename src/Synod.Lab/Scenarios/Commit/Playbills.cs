using System.Globalization;
using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

internal sealed class TwoPhaseCommitBill(TwoPhaseCommitOptions? options = null) : Playbill<TwoPhaseCommit.Message, TwoPhaseCommit.Record>
{
    public override IWire<TwoPhaseCommit.Message> Messages { get; } = new TwoPhaseCommit.MessageWire();

    public override IWire<TwoPhaseCommit.Record> Records { get; } = new TwoPhaseCommit.RecordWire();

    public override Protocol<TwoPhaseCommit.Message, TwoPhaseCommit.Record, CommitCommand, CommitResult> Create(NodeId self) =>
        new TwoPhaseCommit(self, options ?? TwoPhaseCommitOptions.Default);

    public override TransactionId? Prepares(TwoPhaseCommit.Record record) => (record as TwoPhaseCommit.Record.Prepared)?.Promise.Transaction;

    public override (TransactionId Transaction, bool Commit)? Ends(TwoPhaseCommit.Record record) => record switch
    {
        TwoPhaseCommit.Record.Committed committed => (committed.Transaction, true),
        TwoPhaseCommit.Record.CommittedAlone alone => (alone.Promise.Transaction, true),
        TwoPhaseCommit.Record.Aborted aborted => (aborted.Transaction, false),
        TwoPhaseCommit.Record.Decided decided => (decided.Transaction, true),
        _ => null,
    };

    public override (string Text, TransactionId Transaction) Told(TwoPhaseCommit.Message message) => (message switch
    {
        TwoPhaseCommit.Message.Vote vote => $"Vote {vote.Choice}",
        TwoPhaseCommit.Message.Decide decide => decide.Commit ? "Commit" : "Abort",
        TwoPhaseCommit.Message.Outcome outcome => outcome.Ending == Ending.Unknown ? "don't know" : $"it {outcome.Ending.ToString().ToLowerInvariant()}",
        _ => message.GetType().Name,
    }, message.Transaction);

    public override string Told(TimerId timer) => (TwoPhaseCommit.Timer)timer.Kind switch
    {
        TwoPhaseCommit.Timer.Vote => "votes late",
        TwoPhaseCommit.Timer.Inquire => "no word yet",
        _ => "once more",
    };
}

internal sealed class ThreePhaseCommitBill(ThreePhaseCommitOptions? options = null)
    : Playbill<ThreePhaseCommit.Message, ThreePhaseCommit.Record>
{
    public override IWire<ThreePhaseCommit.Message> Messages { get; } = new ThreePhaseCommit.MessageWire();

    public override IWire<ThreePhaseCommit.Record> Records { get; } = new ThreePhaseCommit.RecordWire();

    public override Protocol<ThreePhaseCommit.Message, ThreePhaseCommit.Record, CommitCommand, CommitResult> Create(NodeId self) =>
        new ThreePhaseCommit(self, options ?? ThreePhaseCommitOptions.Default);

    public override TransactionId? Prepares(ThreePhaseCommit.Record record) =>
        (record as ThreePhaseCommit.Record.Prepared)?.Promise.Transaction;

    public override (TransactionId Transaction, bool Commit)? Ends(ThreePhaseCommit.Record record) => record switch
    {
        ThreePhaseCommit.Record.Ended ended => (ended.Transaction, ended.Commit),
        ThreePhaseCommit.Record.Decided decided => (decided.Transaction, true),
        _ => null,
    };

    public override (string Text, TransactionId Transaction) Told(ThreePhaseCommit.Message message) => (message switch
    {
        ThreePhaseCommit.Message.Vote vote => $"Vote {vote.Choice}",
        ThreePhaseCommit.Message.Decide decide => decide.Commit ? "DoCommit" : "Abort",
        ThreePhaseCommit.Message.StateRep report => $"I am {report.Standing}",
        _ => message.GetType().Name,
    }, message.Transaction);

    public override string? Told(ThreePhaseCommit.Record record) => record is ThreePhaseCommit.Record.PreCommitted ? "PreCommitted" : null;

    public override string Told(TimerId timer) => (ThreePhaseCommit.Timer)timer.Kind switch
    {
        ThreePhaseCommit.Timer.Vote => "votes late",
        ThreePhaseCommit.Timer.Inquire => "no word yet",
        _ => "once more",
    };
}

internal sealed class PaxosCommitBill(PaxosCommitOptions options) : Playbill<PaxosCommit.Message, PaxosCommit.Record>
{
    public override IWire<PaxosCommit.Message> Messages { get; } = new PaxosCommit.MessageWire();

    public override IWire<PaxosCommit.Record> Records { get; } = new PaxosCommit.RecordWire();

    public override Protocol<PaxosCommit.Message, PaxosCommit.Record, CommitCommand, CommitResult> Create(NodeId self) =>
        new PaxosCommit(self, options);

    public override TransactionId? Prepares(PaxosCommit.Record record) => (record as PaxosCommit.Record.Prepared)?.Promise.Transaction;

    public override (TransactionId Transaction, bool Commit)? Ends(PaxosCommit.Record record) =>
        record is PaxosCommit.Record.Ended ended ? (ended.Transaction, ended.Commit) : null;

    public override (string Text, TransactionId Transaction) Told(PaxosCommit.Message message) => (message switch
    {
        PaxosCommit.Message.Phase1a m => $"1a {Said(m.Ballot)}",
        PaxosCommit.Message.Phase1b m => $"1b {Said(m.Ballot)}",
        PaxosCommit.Message.Phase2a m => $"2a {Said(m.Ballot)}",
        PaxosCommit.Message.Phase2b m => $"2b {Said(m.Ballot)}",
        PaxosCommit.Message.Decide m => m.Commit ? "Commit" : "Abort",
        _ => message.GetType().Name,
    }, message.Transaction);

    public override string? Told(PaxosCommit.Record record) => record is PaxosCommit.Record.Accepted accepted
        ? accepted.Voted == accepted.Promised ? $"accepts {Said(accepted.Voted)}" : $"promises {Said(accepted.Promised)}"
        : null;

    public override string Told(TimerId timer) =>
        (PaxosCommit.Timer)timer.Kind == PaxosCommit.Timer.Ballot ? "ballot fails" : "no word yet";

    /// <summary>Ballot 0, or who leads a higher one and the how manyth it is.</summary>
    private static string Said(Ballot ballot) => ballot == Ballot.None
        ? "b0"
        : string.Create(CultureInfo.InvariantCulture, $"b{ballot.Round >> 24}.{ballot.Node.Value}");
}
