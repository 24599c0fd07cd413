using Synod.Core;

namespace Synod.Node;

/// <summary>How a node's loop runs. Lengths are in bytes.</summary>
public sealed record NodeHostOptions
{
    public required NodeId Self { get; init; }

    /// <summary>A checkpoint begins when the log is longer than this, and twice as long as the last checkpoint left it.</summary>
    public long CheckpointBytes { get; init; } = 256L << 20;

    /// <summary>Inputs that one turn takes before it hands its outputs over.</summary>
    public int MaxInputsPerTurn { get; init; } = 256;

    /// <summary>A frame that grows to this length leaves before the turn ends.</summary>
    public int FrameBytes { get; init; } = 256 << 10;

    /// <summary>The longest frame; a single message beyond it is dropped and counted.</summary>
    public int MaxFrameBytes { get; init; } = 80 << 20;

    /// <summary>Received messages that wait for the loop; beyond it peers are made to wait.</summary>
    public int MaxInboxBytes { get; init; } = 64 << 20;

    /// <summary>Records on their way to the disk; beyond it the loop waits for the disk.</summary>
    public long MaxUnsyncedBytes { get; init; } = 128L << 20;

    /// <summary>Where the node's random choices start.</summary>
    public ulong Seed { get; init; } = (ulong)Random.Shared.NextInt64();
}

/// <summary>A protocol and the binary forms of what it says and keeps. The forms are used by several threads: they have no state.</summary>
public sealed record HostedProtocol<TMessage, TRecord, TCommand, TResult>(
    Protocol<TMessage, TRecord, TCommand, TResult> Protocol, IWire<TMessage> Messages, IWire<TRecord> Records)
{
    /// <summary>Takes what the protocol executes, between steps; for protocols whose state machine is outside.</summary>
    public Action<Slot, TCommand>? Executed { get; init; }
}
