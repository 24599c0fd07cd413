using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Commit;

namespace Synod.App.Protocols.Nodes;

using CommitResult = Synod.Protocols.Commit.CommitResult;
using Write = Synod.Protocols.Commit.Write;

/// <summary>
/// A resource of a protocol of atomic commit, and the coordinator of what its clients ask here: an operation writes the same at every
/// node, at all or at none.
/// </summary>
internal abstract class CommitNode<TMessage, TRecord>(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : HostedProtocolNode<TMessage, TRecord, CommitCommand, CommitResult>(settings, self, dataFolder, folder, log)
{
    private long _led;

    protected sealed override (long Decisions, long Fast) Led => (_led, 0);

    protected sealed override HostedProtocol<TMessage, TRecord, CommitCommand, CommitResult> Make(ClientMap map) => MakeHosted() with
    {
        Executed = (position, command) =>
        {
            if (command is CommitCommand.Apply apply)
            {
                map.Apply(position, apply.Writes[0].Value, once: false);
                _led += apply.Transaction.Coordinator == Self ? 1 : 0;
            }
        },
    };

    protected abstract HostedProtocol<TMessage, TRecord, CommitCommand, CommitResult> MakeHosted();

    protected sealed override CommitCommand? CommandOf(Operation operation) => MapCommand.Read(operation.Payload.Memory) is { } command
        ? new CommitCommand.Begin([.. Settings.Members.Select(node => new Branch(node, [new Write(command.Key, operation.Payload.Memory)]))])
        : null;

    protected sealed override OperationOutcome OutcomeOf(CommitResult result) => new()
    {
        Kind = result switch
        {
            CommitResult.Committed => OperationOutcome.Types.Kind.Done,
            CommitResult.Aborted => OperationOutcome.Types.Kind.Aborted,
            _ => OperationOutcome.Types.Kind.Refused,
        },
    };
}

internal sealed class TwoPhaseCommitNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : CommitNode<TwoPhaseCommit.Message, TwoPhaseCommit.Record>(settings, self, dataFolder, folder, log)
{
    protected override HostedProtocol<TwoPhaseCommit.Message, TwoPhaseCommit.Record, CommitCommand, CommitResult> MakeHosted() => new(
        new TwoPhaseCommit(Self, TwoPhaseCommitOptions.Default), new TwoPhaseCommit.MessageWire(), new TwoPhaseCommit.RecordWire());
}

/// <summary>Three-phase commit, which waits for whoever does not answer: on a real network nobody can be sure that a node has crashed.</summary>
internal sealed class ThreePhaseCommitNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : CommitNode<ThreePhaseCommit.Message, ThreePhaseCommit.Record>(settings, self, dataFolder, folder, log)
{
    protected override HostedProtocol<ThreePhaseCommit.Message, ThreePhaseCommit.Record, CommitCommand, CommitResult> MakeHosted() => new(
        new ThreePhaseCommit(Self, ThreePhaseCommitOptions.Default), new ThreePhaseCommit.MessageWire(), new ThreePhaseCommit.RecordWire());
}

/// <summary>Paxos Commit whose acceptors are the first nodes: as many as an odd number up to five allows.</summary>
internal sealed class PaxosCommitNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : CommitNode<PaxosCommit.Message, PaxosCommit.Record>(settings, self, dataFolder, folder, log)
{
    protected override HostedProtocol<PaxosCommit.Message, PaxosCommit.Record, CommitCommand, CommitResult> MakeHosted() => new(
        new PaxosCommit(Self, new PaxosCommitOptions([.. Settings.Members.Take(Math.Min(5, (Settings.Members.Count - 1) / 2 * 2 + 1))])),
        new PaxosCommit.MessageWire(),
        new PaxosCommit.RecordWire());
}
