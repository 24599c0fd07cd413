using Synod.Core;
using Synod.Storage;

namespace Synod.Simulation;

/// <summary>What a process is started with.</summary>
/// <param name="Boot">1 for the first start of the node.</param>
/// <param name="Incarnation">0 with the node's first disk; another number, drawn once, with each that replaces a lost one.</param>
/// <param name="Store">The node's applied state, as the last crash left it.</param>
public sealed record NodeStart(NodeId Self, long Boot, ulong Incarnation, IStore Store);

/// <summary>Latencies and sizes of a simulated machine.</summary>
public sealed record MachineConditions
{
    /// <summary>The time that a write and sync of the log takes at least.</summary>
    public Duration LeastSync { get; init; } = Duration.FromMicroseconds(100);

    /// <summary>The time that most writes and syncs take at most.</summary>
    public Duration MostSync { get; init; } = Duration.FromMilliseconds(1);

    /// <summary>Syncs that take up to <see cref="SlowSync"/>, in a million.</summary>
    public int SlowSyncPerMillion { get; init; } = 2_000;

    public Duration SlowSync { get; init; } = Duration.FromMilliseconds(200);

    /// <summary>The time that a flush of the store takes at most.</summary>
    public Duration MostFlush { get; init; } = Duration.FromMilliseconds(50);

    /// <summary>Log bytes after which a checkpoint begins.</summary>
    public long CheckpointBytes { get; init; } = 256 << 10;

    /// <summary>Steps after which the store flushes of itself, in a million: a store may be ahead of the last checkpoint.</summary>
    public int StoreFlushPerMillion { get; init; }
}

/// <summary>What a node's processes did, over all its boots.</summary>
public sealed class NodeCounts
{
    public long Steps { get; internal set; }

    public long Boots { get; internal set; }

    public long Crashes { get; internal set; }

    public long Records { get; internal set; }

    public long Syncs { get; internal set; }

    public long Checkpoints { get; internal set; }

    public long DiskFailures { get; internal set; }

    public long Pauses { get; internal set; }

    /// <summary>Frames whose checksum or codec refused them.</summary>
    public long Damaged { get; internal set; }

    /// <summary>Inputs that the protocol's guards refused, by reason.</summary>
    public long[] Refusals { get; } = new long[Enum.GetValues<Refusal>().Length];
}

/// <summary>Receives the answers of submitted commands.</summary>
public interface IAnswerReceiver<in TResult>
{
    void OnAnswer(NodeId node, long tag, TResult result);

    /// <summary>The process died with the command unanswered: what became of it is unknown.</summary>
    void OnLost(NodeId node, long tag);
}
