using System.Collections.Immutable;

namespace Synod.Simulation.Disks;

/// <summary>What a node asked of its store.</summary>
public enum StoreCall : byte
{
    Get,
    Seek,
    Next,
    Write,
    Snapshot,
    Flush,
}

/// <summary>A kind of call of the store, by whether the process is being started or runs.</summary>
public readonly record struct StoreCallSite(bool Starting, StoreCall Call)
{
    private static readonly ImmutableArray<StoreCallSite> s_all =
    [
        .. Enum.GetValues<StoreCall>().Where(call => call is not (StoreCall.Snapshot or StoreCall.Flush)).Select(call => new StoreCallSite(true, call)),
        .. Enum.GetValues<StoreCall>().Select(call => new StoreCallSite(false, call)),
    ];

    /// <summary>All of them. A start neither flushes nor sends snapshots.</summary>
    public static ImmutableArray<StoreCallSite> All => s_all;

    public override string ToString() => $"store {(Starting ? "starting" : "running")} {Call}".ToLowerInvariant();
}
