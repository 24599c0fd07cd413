using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Simulation.Disks;

/// <summary>What the log is about when it calls the disk.</summary>
public enum LogWork : byte
{
    /// <summary>A process starts: what is there is checked and read, and a new segment begun.</summary>
    Opening,

    /// <summary>Records are written.</summary>
    Appending,

    /// <summary>The sync that lets outputs go.</summary>
    Syncing,

    /// <summary>A segment begins while the process runs, whatever called for it.</summary>
    Rolling,

    /// <summary>A checkpoint lets older segments go.</summary>
    Dropping,
}

/// <summary>
/// A place in the log's code that calls the disk, told apart by what the log is about, what it asks, and whether it asks it of a
/// segment's header. Every one of them may fail, and a run's counts say which did.
/// </summary>
public readonly record struct LogCallSite(LogWork Work, DiskCallKind Call, bool OfHeader = false)
{
    private static readonly ImmutableArray<LogCallSite> s_all =
    [
        new(LogWork.Opening, DiskCallKind.List),
        new(LogWork.Opening, DiskCallKind.Open),
        new(LogWork.Opening, DiskCallKind.Read, OfHeader: true),
        new(LogWork.Opening, DiskCallKind.Read),
        new(LogWork.Opening, DiskCallKind.Delete),
        new(LogWork.Opening, DiskCallKind.Create),
        new(LogWork.Opening, DiskCallKind.Write, OfHeader: true),
        new(LogWork.Opening, DiskCallKind.Sync, OfHeader: true),
        new(LogWork.Opening, DiskCallKind.Rename),
        new(LogWork.Opening, DiskCallKind.SyncDirectory),
        new(LogWork.Opening, DiskCallKind.Truncate),
        new(LogWork.Appending, DiskCallKind.Write),
        new(LogWork.Syncing, DiskCallKind.Sync),
        new(LogWork.Rolling, DiskCallKind.Create),
        new(LogWork.Rolling, DiskCallKind.Open),
        new(LogWork.Rolling, DiskCallKind.Delete),
        new(LogWork.Rolling, DiskCallKind.Write, OfHeader: true),
        new(LogWork.Rolling, DiskCallKind.Sync, OfHeader: true),
        new(LogWork.Rolling, DiskCallKind.Rename),
        new(LogWork.Rolling, DiskCallKind.SyncDirectory),
        new(LogWork.Dropping, DiskCallKind.Write),
        new(LogWork.Dropping, DiskCallKind.Sync),
        new(LogWork.Dropping, DiskCallKind.Rename),
        new(LogWork.Dropping, DiskCallKind.Delete),
    ];

    /// <summary>All of them: a call from anywhere else breaks an invariant of the simulator, so that the list stays true.</summary>
    public static ImmutableArray<LogCallSite> All => s_all;

    /// <summary>The place in <see cref="All"/> of the site that <paramref name="call"/> comes from.</summary>
    /// <param name="syncsHeader">Whether a header is what was written last.</param>
    internal static int IndexOf(LogWork work, in DiskCall call, bool syncsHeader)
    {
        var ofHeader = call.Kind switch
        {
            DiskCallKind.Read or DiskCallKind.Write => call.Offset == 0,
            DiskCallKind.Sync => syncsHeader,
            _ => false,
        };
        var rolls = ofHeader
            || call.Kind is DiskCallKind.Create or DiskCallKind.Open or DiskCallKind.SyncDirectory
            || (work != LogWork.Dropping && call.Kind is (DiskCallKind.Rename or DiskCallKind.Delete));
        var site = new LogCallSite(work != LogWork.Opening && rolls ? LogWork.Rolling : work, call.Kind, ofHeader);
        var index = s_all.IndexOf(site);
        Invariant.Check(index >= 0, "EveryCallOfTheDiskIsListed", $"{site} of '{call.File}'");
        return index;
    }

    public override string ToString() =>
        $"log {Work} {Call}{(OfHeader ? " of header" : "")}".ToLowerInvariant();
}
