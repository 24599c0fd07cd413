using Synod.Core;
using Synod.Lab.Histories;
using Synod.Simulation;

namespace Synod.Lab.Stages;

/// <summary>What stands on a stage.</summary>
public sealed record StageOptions<TMessage, TRecord, TCommand, TResult>
    where TMessage : class
    where TRecord : class
{
    /// <summary>The processes from left to right, and what they are called.</summary>
    public required IReadOnlyList<(NodeId Node, string Name)> Processes { get; init; }

    /// <summary>Makes the protocol of a process that starts.</summary>
    public required Func<NodeStart, Protocol<TMessage, TRecord, TCommand, TResult>> Create { get; init; }

    public required IWire<TMessage> Messages { get; init; }

    public required IWire<TRecord> Records { get; init; }

    public required Vocabulary<TMessage, TRecord, TCommand, TResult> Words { get; init; }

    /// <summary>How long a message takes from one process to another.</summary>
    public Func<NodeId, NodeId, Duration> Delay { get; init; } = static (_, _) => Duration.FromMilliseconds(10);

    /// <summary>How much longer it may take, drawn for each message in whole milliseconds. On one link no message overtakes another.</summary>
    public Duration Spread { get; init; } = Duration.Zero;

    /// <summary>How long it takes to make records durable.</summary>
    public Duration Sync { get; init; } = Duration.FromMilliseconds(1);
}
