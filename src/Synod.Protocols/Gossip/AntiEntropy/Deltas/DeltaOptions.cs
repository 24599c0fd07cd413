using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>When others, and clients, hear of a change.</summary>
public enum DeltaDurability : byte
{
    /// <summary>When it is on this disk.</summary>
    Synchronous,

    /// <summary>
    /// At once: a crash may take back what was told, so each life begins as another origin and makes no use of numbers that its
    /// predecessor may have used (crdt.md §2). Nothing is ever dropped as seen by all.
    /// </summary>
    Asynchronous,
}

/// <summary>Times and limits; all in one class so that a deployment can say it once.</summary>
public sealed record DeltaOptions
{
    /// <summary>A replica tells one peer what it lacks after this long, up to twice that.</summary>
    public Duration Period { get; init; } = Duration.FromMilliseconds(50);

    public DeltaDurability Durability { get; init; }

    /// <summary>
    /// Each replica tells all what it has seen after this long, up to twice that, and drops what is kept for those who have not seen it.
    /// </summary>
    public Duration StabilityPeriod { get; init; } = Duration.FromSeconds(5);

    /// <summary>Deltas for one peer are joined up to about this size. A delta or state that is larger goes by itself.</summary>
    public int MostGroupBytes { get; init; } = 64 << 10;

    /// <summary>No message carries more of a state or delta: what is larger goes in parts of this size.</summary>
    public int MostMessageBytes { get; init; } = 256 << 10;

    /// <summary>Deltas beyond this size together are dropped, oldest first. Who has not got them is a laggard: it takes state.</summary>
    public int MostBufferedBytes { get; init; } = 4 << 20;

    /// <summary>Nothing larger is read.</summary>
    public int MostStateBytes { get; init; } = 64 << 20;

    /// <summary>Whether laggards are asked for a digest first, where the state has one. Otherwise they take the whole state.</summary>
    public bool UsesDigests { get; init; } = true;

    /// <summary>Whether this node's disk was put back from a backup, or may have lost a part of what it told.</summary>
    public bool IsRestored { get; init; }

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal DeltaMutation Mutation { get; init; }
}

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests and the hunts of the lab make a protocol with one of them, and
/// fail if it is not found.
/// </summary>
internal enum DeltaMutation
{
    None,

    /// <summary>Deltas leave before they are durable, and the next life goes on as the same origin.</summary>
    SendBeforeDurable,

    /// <summary>A change is answered before it is durable.</summary>
    AnswerBeforeDurable,

    /// <summary>A delta is acknowledged before it is durable.</summary>
    AckBeforeDurable,

    /// <summary>Asynchronous, and the next life goes on as the same origin.</summary>
    CrashKeepsOrigin,

    /// <summary>A restored disk goes on as the same origin.</summary>
    RestoredKeepsOrigin,

    /// <summary>Acknowledgements hold for a peer that has lost its state since.</summary>
    PeerIncarnationIgnored,

    /// <summary>Who lacks deltas that were dropped gets those that are left.</summary>
    GapIgnored,

    /// <summary>What was sent counts as received.</summary>
    AckAssumed,

    /// <summary>An acknowledgement to a former life is taken for one to this.</summary>
    AckToFormerLife,

    /// <summary>Fenced origins are listened to.</summary>
    FencedAccepted,

    /// <summary>Who is fenced takes a new name and keeps its state.</summary>
    FencedKeepsState,

    /// <summary>Who has not told what it has seen is not waited for.</summary>
    StabilityOfSome,

    /// <summary>Who may have lost changes of its own says what it has seen.</summary>
    AsynchronousTellsSeen,

    /// <summary>Parts of different states are put together.</summary>
    PartsMixed,

    /// <summary>A part is acknowledged as if it was all.</summary>
    PartAcknowledged,

    /// <summary>Who is silent after a part is not asked how far it is.</summary>
    LostPartNotRepeated,

    /// <summary>A peer is sent what came from it.</summary>
    BackPropagation,

    /// <summary>The whole of a received delta is passed on, also what was known.</summary>
    RedundantKept,
}
