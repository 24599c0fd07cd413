using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Times and limits of a replica. Only liveness and memory depend on them, never safety.</summary>
public sealed record MultiPaxosOptions
{
    /// <summary>How often an active leader is heard.</summary>
    public Duration HeartbeatInterval { get; init; } = Duration.FromMilliseconds(100);

    /// <summary>The least time without a leader before a follower stands for election; drawn anew up to twice that.</summary>
    public Duration ElectionTimeout { get; init; } = Duration.FromMilliseconds(1_000);

    /// <summary>How long a lease vote binds. It is sent with each request, so replicas need not agree on it.</summary>
    public Duration LeaseDuration { get; init; } = Duration.FromMilliseconds(2_000);

    /// <summary>Whether leaders ask for leases and nodes with an untrusted clock stay out of elections.</summary>
    public bool LeasesEnabled { get; init; } = true;

    /// <summary>Whether a follower first asks if an election would succeed (paxos.md §3.3).</summary>
    public bool PreVoteEnabled { get; init; } = true;

    /// <summary>Slots proposed and not yet chosen; above it, proposals are answered Unavailable.</summary>
    public int MaxInFlight { get; init; } = 1_024;

    /// <summary>Executed slots kept in memory for replicas that lag; older ones need a snapshot.</summary>
    public int RetainedSlots { get; init; } = 4_096;

    /// <summary>Bytes of values kept in memory for replicas that lag.</summary>
    public int RetainedBytes { get; init; } = 8 << 20;

    /// <summary>Entries of one Promise or Entries message at most.</summary>
    public int ChunkEntries { get; init; } = 256;

    /// <summary>Bytes of values in one Promise or Entries message; exceeded only by a single larger value.</summary>
    public int ChunkBytes { get; init; } = 1 << 20;

    /// <summary>Heartbeats without any work after which a group falls silent; 0 for never.</summary>
    public int IdleHeartbeats { get; init; } = 10;

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal MultiPaxosMutation Mutation { get; init; }
}
