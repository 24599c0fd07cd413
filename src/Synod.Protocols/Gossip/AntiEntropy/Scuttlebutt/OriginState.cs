using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// What a replica holds of one origin: the current entry of each key, in the order of versions. Only the newest of each key is kept, so
/// a prefix has holes where later updates took the place of earlier ones; whoever holds it through a version misses nothing up to there.
/// </summary>
internal sealed class OriginState
{
    // In the order of versions. Updates come in that order, so additions are at the end.
    private readonly SortedList<long, Entry> _entries = [];
    private readonly SortedDictionary<Key, long> _versions = [];

    // What was held before a reset and not yet confirmed or overruled by it: for readers here, never for others.
    private readonly SortedDictionary<Key, Entry> _unconfirmed = [];
    private long _floor;
    private long _max;
    private int _tombstones;

    public long Floor => _floor;

    public long Max => _max;

    public int Tombstones => _tombstones;

    /// <summary>Whether a reset here has come to its end, so that it may be passed on.</summary>
    public bool IsWhole => _max >= _floor;

    public IEnumerable<Entry> Current => _entries.Values;

    /// <summary>The entry of <paramref name="key"/>, a tombstone too; null if there is none.</summary>
    public Entry? Find(Key key) => _versions.TryGetValue(key, out var version) ? _entries[version] : _unconfirmed.GetValueOrDefault(key);

    /// <summary>All entries that a reader sees, in the order of keys.</summary>
    public IEnumerable<Entry> Visible() =>
        _entries.Values.Concat(_unconfirmed.Values).Where(entry => !entry.IsDeleted).OrderBy(entry => entry.Key);

    public Progress Progress(Origin origin) => new(origin, _floor, _max);

    /// <summary>The place of the first entry above <paramref name="version"/>.</summary>
    public int After(long version)
    {
        var (low, high) = (0, _entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _entries.Keys[middle] > version ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>The entry at a place, or null behind the last.</summary>
    public Entry? At(int place) => place < _entries.Count ? _entries.Values[place] : null;

    public void Add(Entry entry)
    {
        if (_versions.TryGetValue(entry.Key, out var older))
        {
            Remove(older);
        }

        _unconfirmed.Remove(entry.Key);
        _entries.Add(entry.Version, entry);
        _versions[entry.Key] = entry.Version;
        _tombstones += entry.IsDeleted ? 1 : 0;
        _max = Math.Max(_max, entry.Version);
    }

    /// <summary>Takes a run that fits: see <see cref="Scuttlebutt"/> for what fits.</summary>
    public void Apply(OriginDelta delta, bool keepsOld)
    {
        if (delta.Sender.Floor > Math.Max(_floor, _max))
        {
            BeginReset(delta.Sender.Floor, keepsOld);
        }

        foreach (var entry in delta.Entries)
        {
            if (entry.Version > _max)
            {
                Add(entry);
            }
        }

        _max = Math.Max(_max, delta.Through);

        // During a reset, one whose floor is lower may send tombstones that are dropped here.
        Forget(Math.Max(_floor, delta.Sender.Floor));
        if (IsWhole)
        {
            _unconfirmed.Clear();
        }
    }

    /// <summary>Drops tombstones up to <paramref name="floor"/>, and says so from now on.</summary>
    public void Forget(long floor)
    {
        Drop(floor);
        _floor = Math.Max(_floor, floor);
    }

    /// <summary>Drops tombstones up to <paramref name="floor"/>.</summary>
    public void Drop(long floor)
    {
        foreach (var version in _entries.Values.TakeWhile(entry => entry.Version <= floor).Where(entry => entry.IsDeleted).Select(entry => entry.Version).ToList())
        {
            Remove(version);
        }
    }

    /// <summary>The version of the n-th tombstone from the oldest.</summary>
    public long TombstoneVersion(int index) => _entries.Values.Where(entry => entry.IsDeleted).ElementAt(index).Version;

    /// <summary>The newest tombstone up to <paramref name="version"/>; 0 if there is none.</summary>
    public long NewestTombstone(long version) =>
        _entries.Values.TakeWhile(entry => entry.Version <= version).LastOrDefault(entry => entry.IsDeleted)?.Version ?? 0;

    public void State(StateVisitor visitor)
    {
        List<Entry> current = [.. _entries.Values];
        List<Entry> unconfirmed = [.. _unconfirmed.Values];
        visitor.Visit("floor", ref _floor);
        visitor.Visit("max", ref _max);
        visitor.Visit("entries", current, VisitEntry);
        visitor.Visit("unconfirmed", unconfirmed, VisitEntry);
        if (visitor.IsReading)
        {
            var max = _max;
            _entries.Clear();
            _versions.Clear();
            _unconfirmed.Clear();
            _tombstones = 0;
            current.ForEach(Add);
            unconfirmed.ForEach(entry => _unconfirmed.Add(entry.Key, entry));
            _max = max;
        }
    }

    private static void VisitEntry(StateVisitor visitor, ref Entry entry) => visitor.Visit("", ref entry, ScuttlebuttFields.Entries);

    private void BeginReset(long floor, bool keepsOld)
    {
        if (!keepsOld)
        {
            foreach (var entry in _entries.Values)
            {
                _unconfirmed[entry.Key] = entry;
            }

            _entries.Clear();
            _versions.Clear();
            _tombstones = 0;
        }

        (_floor, _max) = (floor, 0);
    }

    private void Remove(long version)
    {
        var entry = _entries[version];
        _tombstones -= entry.IsDeleted ? 1 : 0;
        _entries.Remove(version);
        _versions.Remove(entry.Key);
    }
}
