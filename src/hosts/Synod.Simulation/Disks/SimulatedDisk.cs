using Synod.Storage;

namespace Synod.Simulation.Disks;

/// <summary>What a program asked of the disk.</summary>
public enum DiskCallKind : byte
{
    List,
    Create,
    Open,
    Rename,
    Delete,
    SyncDirectory,
    Read,
    Write,
    Sync,
    Truncate,
}

/// <summary>One call; offset and length are 0 where they mean nothing.</summary>
public readonly record struct DiskCall(DiskCallKind Kind, string File, long Offset, int Length);

/// <summary>How a call goes wrong.</summary>
public enum DiskFault : byte
{
    /// <summary>An I/O error. A write may have reached some sectors; a sync made none durable.</summary>
    Error,

    /// <summary>No space left; nothing happened.</summary>
    Full,

    /// <summary>A read returns one flipped bit, and no error.</summary>
    BitFlip,
}

public sealed class SimulatedDisk(Func<int, int> choose) : IDisk
{
    /// <summary>Asked before every call; null lets it pass.</summary>
    public Func<DiskCall, DiskFault?>? Inject { get; set; }

    public long Calls(DiskCallKind kind) => throw new NotImplementedException();

    public long Faults(DiskCallKind kind) => throw new NotImplementedException();

    /// <summary>Loses what was not synced: any subset of sectors and names, as chosen. Open files become unusable.</summary>
    public void Crash() => _ = choose(1);

    /// <summary>Flips a bit of what is durable.</summary>
    public void FlipBit(string name, long bit) => throw new NotImplementedException();

    /// <summary>Loses everything.</summary>
    public void Wipe() => throw new NotImplementedException();

    public IReadOnlyList<string> List() => throw new NotImplementedException();

    public IDiskFile Create(string name, long length) => throw new NotImplementedException();

    public IDiskFile Open(string name) => throw new NotImplementedException();

    public void Rename(string from, string to) => throw new NotImplementedException();

    public void Delete(string name) => throw new NotImplementedException();

    public void SyncDirectory() => throw new NotImplementedException();
}
