using Synod.Core;
using Synod.Simulation.Disks;
using Synod.Storage;

namespace Synod.Simulation;

/// <summary>A node's simulated disk and the log on it: the real log's code, opened anew by each boot.</summary>
public sealed class NodeLog
{
    private readonly SeededRandom _random;
    private readonly LogOptions _options;
    private readonly long[] _faults = new long[LogCallSite.All.Length];
    private readonly ulong? _rejoinsAs;
    private DurableLog? _log;
    private LogWork _work;
    private bool _headerWritten;
    private int? _failing;
    private bool _flipped;

    /// <param name="lost">The log that was on the disk in whose place this one is: the operator starts the node to rejoin.</param>
    internal NodeLog(SeededRandom random, long segmentBytes, NodeLog? lost = null)
    {
        _random = random;
        if (lost is not null)
        {
            _faults = lost._faults;
            _rejoinsAs = random.Next();
        }

        _options = new LogOptions(segmentBytes);
        Disk = new SimulatedDisk(random.Below) { Inject = Inject };
    }

    public SimulatedDisk Disk { get; }

    /// <summary>Which incarnation of its node the log is of, since it was opened.</summary>
    internal ulong Incarnation { get; private set; }

    internal long BytesSinceCheckpoint => _log!.BytesSinceCheckpoint;

    /// <summary>The next call from a site fails: the one given, or one drawn now.</summary>
    public void FailSoon(LogCallSite? site = null) =>
        _failing = site is { } given ? LogCallSite.All.IndexOf(given) : _random.Below(LogCallSite.All.Length);

    /// <summary>How many calls from <see cref="LogCallSite.All"/>'s site of that index failed.</summary>
    public long Faults(int site) => _faults[site];

    /// <summary>The disk is well again.</summary>
    public void Heal() => _failing = null;

    /// <summary>Opens the log and reads its records.</summary>
    /// <returns>Null if a flipped bit was read: the log refused it, as it must, and the next try will read what is there.</returns>
    /// <exception cref="StorageFailure">A call failed.</exception>
    /// <exception cref="InvariantViolation">The log refused what a crash left, although nothing was damaged.</exception>
    internal List<ReadOnlyMemory<byte>>? Open(NodeId self)
    {
        _flipped = false;
        _work = LogWork.Opening;
        try
        {
            var identity = LogIdentity.ForStart(
                DurableLog.ReadIdentity(Disk), "simulation", self, _rejoinsAs ?? (ulong)self.Value, _rejoinsAs is not null);
            _log = DurableLog.Open(Disk, identity, _options);
            Incarnation = identity.Incarnation;
            return [.. _log.Records()];
        }
        catch (StorageRefusal refusal)
        {
            Invariant.Check(_flipped, "CrashesDamageNothing", $"{refusal.Message}");
            return null;
        }
    }

    internal void Append(LogBatch batch) => During(LogWork.Appending).Append(batch);

    internal void Sync() => During(LogWork.Syncing).Sync();

    internal long StartSegment() => During(LogWork.Rolling).StartSegment();

    internal void DropBefore(long segment) => During(LogWork.Dropping).DropBefore(segment);

    /// <summary>Takes what was not synced, or a part of it.</summary>
    internal void Crash()
    {
        _log = null;
        Disk.Crash();
    }

    private DurableLog During(LogWork work)
    {
        _work = work;
        return _log!;
    }

    private DiskFault? Inject(DiskCall call)
    {
        var site = LogCallSite.IndexOf(_work, call, _headerWritten);
        _headerWritten = call.Kind == DiskCallKind.Write ? call.Offset == 0 : _headerWritten;
        if (_failing != site)
        {
            return null;
        }

        _failing = null;
        _faults[site]++;
        if (call.Kind == DiskCallKind.Read && _random.Below(2) == 0)
        {
            _flipped = true;
            return DiskFault.BitFlip;
        }

        return _random.Below(4) == 0 && call.Kind is DiskCallKind.Create or DiskCallKind.Write ? DiskFault.Full : DiskFault.Error;
    }
}
