using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Times and limits of a replica. Only liveness, memory and speed depend on them, never safety.</summary>
public sealed record EPaxosOptions
{
    /// <summary>After this long what got no answer is said again, to all, and peers hear how far this replica is.</summary>
    public Duration BeatInterval { get; init; } = Duration.FromMilliseconds(50);

    /// <summary>The least time that an instance may take before this replica recovers it; drawn anew up to twice that.</summary>
    public Duration RecoveryTimeout { get; init; } = Duration.FromMilliseconds(500);

    /// <summary>Whether a coordinator asks only as many replicas as it needs, the ones that answered best, before it asks all.</summary>
    public bool IsThrifty { get; init; }

    /// <summary>
    /// Own instances not yet executed here; further commands wait, and then share an instance. With this every set of instances that must
    /// be executed together is finite, whatever stream of conflicts comes (epaxos.md §6, livelock).
    /// </summary>
    public int Pipeline { get; init; } = 64;

    /// <summary>Commands of one instance at most.</summary>
    public int BatchCommands { get; init; } = 64;

    /// <summary>Commands that may wait; above it, they are answered Overloaded.</summary>
    public int MaxWaiting { get; init; } = 16_384;

    /// <summary>Decided instances sent for one Fetch at most.</summary>
    public int FetchInstances { get; init; } = 64;

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal EPaxosMutation Mutation { get; init; }
}
