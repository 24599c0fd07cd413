using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Times and limits. Replicas of a group must agree on those of the first part, which say what is valid; on the others only
/// liveness and speed depend.
/// </summary>
public sealed record PbftOptions
{
    /// <summary>A checkpoint is taken after every so many slots (K).</summary>
    public int CheckpointPeriod { get; init; } = 128;

    /// <summary>How far agreement may be ahead of the last stable checkpoint (L).</summary>
    public int Window => CheckpointPeriod * 2;

    /// <summary>Requests in one batch at most.</summary>
    public int MaxBatch { get; init; } = 256;

    /// <summary>Bytes of one operation at most.</summary>
    public int MaxOperation { get; init; } = 64 << 10;

    /// <summary>Whether the normal case is authenticated by codes instead of signatures (§3.2 and §4.2 in pbft.md).</summary>
    public bool UsesCodes { get; init; }

    /// <summary>
    /// Digests pre-prepared in one slot that a replica remembers, and tells with codes: those of the highest views. What was forgotten
    /// is vouched for by fewer, so that a new view may have to wait, but never chooses otherwise.
    /// </summary>
    public int MaxPrePrepared { get; init; } = 16;

    /// <summary>Bytes of one page of the state's tree.</summary>
    public int PageSize { get; init; } = 4096;

    /// <summary>Children of one node of the state's tree.</summary>
    public int FanOut { get; init; } = 16;

    /// <summary>
    /// Whether reads may be asked of all replicas at once. Every request then needs 2f+1 equal replies, or reads would not be
    /// linearizable (Berger, Reiser and Bessani 2021).
    /// </summary>
    public bool ReadsDirectly { get; init; } = true;

    /// <summary>Slots in agreement at once; what comes meanwhile waits and goes into one batch, so that batches grow with load.</summary>
    public int Pipeline { get; init; } = 8;

    /// <summary>How long a replica waits for its oldest request before it wants another primary; doubled with each view that fails.</summary>
    public Duration RequestTimeout { get; init; } = Duration.FromMilliseconds(1_000);

    /// <summary>How often a replica with something open says where it is.</summary>
    public Duration StatusInterval { get; init; } = Duration.FromMilliseconds(150);

    /// <summary>How long a client waits for replies before it asks all replicas.</summary>
    public Duration RetryInterval { get; init; } = Duration.FromMilliseconds(400);

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal PbftMutation Mutation { get; init; }
}
