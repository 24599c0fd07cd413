using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Core;

namespace Synod.App.Protocols.Nodes;

/// <summary>
/// A node whose protocol does not answer a command that it agreed on: it executes it, on every replica, and the one that was asked
/// tells the client. What is executed is decided, so it needs nothing of this node's disk.
/// </summary>
internal abstract class ExecutingNode<TMessage, TRecord, TCommand, TResult>(
    ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : HostedProtocolNode<TMessage, TRecord, TCommand, TResult>(settings, self, dataFolder, folder, log)
{
    private readonly ConcurrentDictionary<(int Client, long Sequence), long> _tags = [];

    protected override void OnSubmitted(long tag, Operation operation) => _tags[(operation.Client, operation.Sequence)] = tag;

    /// <summary>Executes an agreed payload at its position and answers whoever asked for it here.</summary>
    protected void Execute(Slot position, ReadOnlyMemory<byte> payload)
    {
        Map.Apply(position, payload, once: true);
        if (MapCommand.Read(payload) is { } command && _tags.TryRemove((command.Client, command.Sequence), out var tag))
        {
            Finish(tag, new OperationOutcome { Kind = OperationOutcome.Types.Kind.Done, Position = position.Value });
        }
    }
}
