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

    /// <summary>A read returns one flipped bit, and no error. Elsewhere it is an error.</summary>
    BitFlip,
}
