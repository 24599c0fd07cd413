using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Worlds;

/// <summary>What a host needs of one protocol of atomic commit; commands and results are the same for all.</summary>
/// <param name="Name">As its folder has it.</param>
/// <param name="Make">A node before its recovery.</param>
/// <param name="Messages">The binary form of messages.</param>
/// <param name="Records">The binary form of records.</param>
/// <param name="PromiseIn">The promise that a record makes durable, if it is one of those.</param>
/// <param name="NameTimer">A timer's name in traces.</param>
public sealed record CommitRoom<TMessage, TRecord>(
    string Name,
    Func<NodeId, Protocol<TMessage, TRecord, CommitCommand, CommitResult>> Make,
    IWire<TMessage> Messages,
    IWire<TRecord> Records,
    Func<TRecord, Promise?> PromiseIn,
    Func<TimerId, string> NameTimer)
    where TMessage : class
    where TRecord : class;

/// <summary>The rooms of atomic commit, with short time-outs.</summary>
public static class CommitRooms
{
    private static readonly Duration Short = Duration.FromMilliseconds(150);
    private static readonly Duration Long = Duration.FromMilliseconds(400);

    public static CommitRoom<TwoPhaseCommit.Message, TwoPhaseCommit.Record> TwoPhase() => TwoPhase(TwoPhaseCommitMutation.None);

    public static CommitRoom<ThreePhaseCommit.Message, ThreePhaseCommit.Record> ThreePhase() =>
        ThreePhase(ThreePhaseCommitMutation.None);

    /// <param name="acceptors">Nodes 1 to this are acceptors: 1, 3 or 5.</param>
    public static CommitRoom<PaxosCommit.Message, PaxosCommit.Record> Paxos(int acceptors) =>
        Paxos(Acceptors(acceptors), PaxosCommitMutation.None);

    internal static CommitRoom<TwoPhaseCommit.Message, TwoPhaseCommit.Record> TwoPhase(
        TwoPhaseCommitMutation mutation, EnlistmentMutation enlisting = EnlistmentMutation.None) => new(
        nameof(TwoPhaseCommit),
        node => new TwoPhaseCommit(node, new TwoPhaseCommitOptions(Long, Short, Short), mutation, enlisting: enlisting),
        new TwoPhaseCommit.MessageWire(),
        new TwoPhaseCommit.RecordWire(),
        record => (record as TwoPhaseCommit.Record.Prepared)?.Promise ?? (record as TwoPhaseCommit.Record.CommittedAlone)?.Promise,
        timer => ((TwoPhaseCommit.Timer)timer.Kind).ToString());

    internal static CommitRoom<ThreePhaseCommit.Message, ThreePhaseCommit.Record> ThreePhase(
        ThreePhaseCommitMutation mutation, EnlistmentMutation enlisting = EnlistmentMutation.None) => new(
        nameof(ThreePhaseCommit),
        node => new ThreePhaseCommit(node, new ThreePhaseCommitOptions(Long, Short, Short), mutation, enlisting: enlisting),
        new ThreePhaseCommit.MessageWire(),
        new ThreePhaseCommit.RecordWire(),
        record => (record as ThreePhaseCommit.Record.Prepared)?.Promise,
        timer => ((ThreePhaseCommit.Timer)timer.Kind).ToString());

    internal static CommitRoom<PaxosCommit.Message, PaxosCommit.Record> Paxos(
        PaxosCommitOptions options, PaxosCommitMutation mutation, EnlistmentMutation enlisting = EnlistmentMutation.None) => new(
        nameof(PaxosCommit),
        node => new PaxosCommit(node, options, mutation, enlisting: enlisting),
        new PaxosCommit.MessageWire(),
        new PaxosCommit.RecordWire(),
        record => (record as PaxosCommit.Record.Prepared)?.Promise,
        timer => ((PaxosCommit.Timer)timer.Kind).ToString());

    /// <summary>Nodes 1 to <paramref name="count"/> are acceptors.</summary>
    public static PaxosCommitOptions Acceptors(int count) =>
        new([.. Enumerable.Range(1, count).Select(number => new NodeId(number))]) { Vote = Long, Inquire = Short };
}
