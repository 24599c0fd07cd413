using Synod.Core;
using Synod.Storage;

namespace Synod.Simulation.Disks;

/// <summary>
/// A disk in memory that forgets as a real one may: a crash keeps any subset of the sectors that were not synced, and any subset of the
/// names that were changed since the directory was synced (as far as one change does not build on another). Faults are injected
/// by call, and calls and faults are counted by kind, so that a test can demand that each kind was hit.
/// </summary>
/// <param name="choose">The simulator's randomness: a number from 0 up to but without its argument.</param>
public sealed class SimulatedDisk(Func<int, int> choose) : IDisk
{
    private static readonly int Kinds = Enum.GetValues<DiskCallKind>().Length;

    private readonly long[] _calls = new long[Kinds];
    private readonly long[] _faults = new long[Kinds];
    private readonly List<NameChange> _unsynced = [];
    private SortedDictionary<string, SimulatedContent> _names = new(StringComparer.Ordinal);
    private SortedDictionary<string, SimulatedContent> _syncedNames = new(StringComparer.Ordinal);
    private int _life;

    /// <summary>Asked before every call; null lets it pass.</summary>
    public Func<DiskCall, DiskFault?>? Inject { get; set; }

    /// <summary>The size of all files beyond which the disk is full, in bytes.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    public long Calls(DiskCallKind kind) => _calls[(int)kind];

    public long Faults(DiskCallKind kind) => _faults[(int)kind];

    /// <summary>Loses what was not synced. Files that were open become unusable.</summary>
    public void Crash()
    {
        _life++;
        var lost = new SortedSet<string>(StringComparer.Ordinal);
        var survivors = new SortedDictionary<string, SimulatedContent>(_syncedNames, StringComparer.Ordinal);
        foreach (var change in _unsynced)
        {
            // A change of a name whose earlier change was lost cannot have happened either.
            if (lost.Contains(change.From) || lost.Contains(change.To) || choose(2) == 0)
            {
                lost.Add(change.From);
                lost.Add(change.To);
                continue;
            }

            change.Apply(survivors);
        }

        _names = survivors;
        foreach (var content in _names.Values)
        {
            content.Crash(choose);
        }

        SyncNames();
    }

    /// <summary>Flips a bit of what is durable.</summary>
    /// <param name="bit">Counted from the start of the file, the lowest bit of a byte first.</param>
    public void FlipBit(string name, long bit) => Find(name).FlipBit(bit);

    /// <summary>Loses everything.</summary>
    public void Wipe()
    {
        _life++;
        _names.Clear();
        SyncNames();
    }

    public IReadOnlyList<string> List()
    {
        Enter(DiskCallKind.List, "", 0, 0);
        return [.. _names.Keys];
    }

    public IDiskFile Create(string name, long length)
    {
        Enter(DiskCallKind.Create, name, 0, 0);
        if (_names.ContainsKey(name))
        {
            throw new StorageFailure($"The file '{name}' is there already.");
        }

        if (length > Capacity - _names.Values.Sum(file => (long)file.Length))
        {
            throw Full(DiskCallKind.Create, name);
        }

        var content = new SimulatedContent(checked((int)length));
        Change(new NameChange(name, name, content));
        return new Handle(this, name, content, _life);
    }

    public IDiskFile Open(string name)
    {
        Enter(DiskCallKind.Open, name, 0, 0);
        return new Handle(this, name, Find(name), _life);
    }

    public void Rename(string from, string to)
    {
        Enter(DiskCallKind.Rename, from, 0, 0);
        var content = Find(from);
        if (_names.ContainsKey(to))
        {
            throw new StorageFailure($"The file '{to}' is there already.");
        }

        Change(new NameChange(from, to, content));
    }

    public void Delete(string name)
    {
        Enter(DiskCallKind.Delete, name, 0, 0);
        _ = Find(name);
        Change(new NameChange(name, name, null));
    }

    public void SyncDirectory()
    {
        Enter(DiskCallKind.SyncDirectory, "", 0, 0);
        SyncNames();
    }

    private static StorageFailure Failed(DiskCallKind kind, string file) => new($"Simulated I/O error: {kind} of '{file}'.");

    private static StorageFailure Full(DiskCallKind kind, string file) =>
        new($"The disk is full: {kind} of '{file}'. Free space, then start the node again.");

    private SimulatedContent Find(string name) =>
        _names.TryGetValue(name, out var content) ? content : throw new StorageFailure($"There is no file '{name}'.");

    private void Change(NameChange change)
    {
        change.Apply(_names);
        _unsynced.Add(change);
    }

    private void SyncNames()
    {
        _syncedNames = new SortedDictionary<string, SimulatedContent>(_names, StringComparer.Ordinal);
        _unsynced.Clear();
    }

    /// <summary>Counts the call, and fails it if a fault is due; returns true if a read is to lie.</summary>
    private bool Enter(DiskCallKind kind, string file, long offset, int length)
    {
        _calls[(int)kind]++;
        if (Inject?.Invoke(new DiskCall(kind, file, offset, length)) is not { } fault)
        {
            return false;
        }

        _faults[(int)kind]++;
        return fault switch
        {
            DiskFault.BitFlip when kind == DiskCallKind.Read => true,
            DiskFault.Full => throw Full(kind, file),
            _ => throw Failed(kind, file),
        };
    }

    /// <summary>A creation or renaming of <paramref name="Content"/> to <paramref name="To"/>; a deletion if it is null.</summary>
    private readonly record struct NameChange(string From, string To, SimulatedContent? Content)
    {
        public void Apply(SortedDictionary<string, SimulatedContent> names)
        {
            names.Remove(From);
            if (Content is not null)
            {
                names[To] = Content;
            }
        }
    }

    private sealed class Handle(SimulatedDisk disk, string name, SimulatedContent content, int life) : IDiskFile
    {
        public long Length
        {
            get
            {
                CheckLife();
                return content.Length;
            }
        }

        public int Read(long offset, Span<byte> into)
        {
            CheckLife();
            var lies = disk.Enter(DiskCallKind.Read, name, offset, into.Length);
            var count = (int)Math.Clamp(content.Length - offset, 0, into.Length);
            content.Read((int)Math.Min(offset, content.Length), into[..count]);
            if (lies && count > 0)
            {
                into[disk.Choose(count)] ^= (byte)(1 << disk.Choose(8));
            }

            return count;
        }

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            CheckLife();
            try
            {
                _ = disk.Enter(DiskCallKind.Write, name, offset, data.Length);
            }
            catch (StorageFailure)
            {
                content.Write(offset, data[..disk.Choose(data.Length + 1)]);
                throw;
            }

            content.Write(offset, data);
        }

        public void Sync()
        {
            CheckLife();
            _ = disk.Enter(DiskCallKind.Sync, name, 0, 0);
            content.Sync();
        }

        public void Truncate(long length)
        {
            CheckLife();
            _ = disk.Enter(DiskCallKind.Truncate, name, length, 0);
            content.Truncate((int)length);
        }

        public void Dispose()
        {
        }

        private void CheckLife() => Invariant.Check(life == disk._life, "No file handle outlives a crash");
    }

    private int Choose(int count) => choose(count);
}
