namespace Synod.Simulation.Disks;

/// <summary>
/// A file's content as programs see it, and what was there before, where it changed since it was last synced. What was never written
/// is zeros, and those at the end take no memory.
/// </summary>
internal sealed class SimulatedContent(int length)
{
    public const int SectorBytes = 512;

    // Many files never grow beyond it.
    private const int BeginningBytes = 8 * SectorBytes;

    // Sectors written since the last sync, each once, whether a sector is among them, and what they held before, in the same order.
    private readonly List<int> _dirty = [];
    private bool[] _isDirty = new bool[Sectors(length)];
    private byte[] _before = [];

    // All that was synced, kept whole while a cut is not synced.
    private byte[]? _uncut;
    private int _syncedLength = length;
    private byte[] _bytes = [];

    public int Length { get; private set; } = length;

    /// <summary>Bytes that are there: the caller asks for none beyond <see cref="Length"/>.</summary>
    public void Read(int offset, Span<byte> into)
    {
        var stored = Math.Clamp(_bytes.Length - offset, 0, into.Length);
        _bytes.AsSpan(Math.Min(offset, _bytes.Length), stored).CopyTo(into);
        into[stored..].Clear();
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            return;
        }

        var end = checked((int)(offset + data.Length));
        if (end > Length)
        {
            Length = end;
            Array.Resize(ref _isDirty, Sectors(end));
        }

        for (var sector = (int)(offset / SectorBytes); sector < Sectors(end); sector++)
        {
            if (!_isDirty[sector])
            {
                _isDirty[sector] = true;
                KeepBefore(sector);
            }
        }

        Store(end);
        data.CopyTo(_bytes.AsSpan((int)offset));
    }

    public void Truncate(int length)
    {
        _uncut ??= Synced();
        Array.Resize(ref _bytes, Math.Min(_bytes.Length, length));
        _isDirty = _isDirty[..Sectors(length)];
        _dirty.RemoveAll(sector => sector >= _isDirty.Length);
        Length = length;
    }

    public void Sync()
    {
        foreach (var sector in _dirty)
        {
            _isDirty[sector] = false;
        }

        _dirty.Clear();
        _uncut = null;
        _syncedLength = Length;
    }

    /// <summary>Keeps any subset of the sectors that were not synced, and either length.</summary>
    public void Crash(Func<int, int> choose)
    {
        if (_dirty.Count == 0 && _uncut is null)
        {
            return;
        }

        var survivor = _uncut ?? Synced();
        if (_syncedLength != Length && choose(2) == 1)
        {
            Array.Resize(ref survivor, Length);
        }

        // All and nothing are what programs get wrong most often: draw them more often than chance would.
        var style = _dirty.Count == 0 ? 0 : choose(4);
        foreach (var sector in _dirty)
        {
            var keep = style switch
            {
                0 => false,
                1 => true,
                _ => choose(2) == 1,
            };
            var (start, count) = Place(sector, Math.Min(survivor.Length, Length));
            if (keep && count > 0)
            {
                Read(start, survivor.AsSpan(start, count));
            }
        }

        _bytes = survivor;
        Length = survivor.Length;
        _isDirty = new bool[Sectors(Length)];
        _dirty.Clear();
        Sync();
    }

    /// <summary>Flips a bit, as programs see it and as it was synced.</summary>
    public void FlipBit(long bit)
    {
        var at = (int)(bit / 8);
        var mask = (byte)(1 << (int)(bit % 8));
        Store(at + 1);
        _bytes[at] ^= mask;
        if (_uncut is not null)
        {
            _uncut[at] ^= mask;
        }
        else if (_isDirty[at / SectorBytes])
        {
            _before[_dirty.IndexOf(at / SectorBytes) * SectorBytes + at % SectorBytes] ^= mask;
        }
    }

    private static int Sectors(int length) => (length + SectorBytes - 1) / SectorBytes;

    private static (int Start, int Count) Place(int sector, int length)
    {
        var start = sector * SectorBytes;
        return (start, Math.Min(SectorBytes, length - start));
    }

    private void KeepBefore(int sector)
    {
        var at = _dirty.Count * SectorBytes;
        _dirty.Add(sector);
        if (_before.Length < at + SectorBytes)
        {
            Array.Resize(ref _before, 2 * (at + SectorBytes));
        }

        Read(sector * SectorBytes, _before.AsSpan(at, SectorBytes));
    }

    /// <summary>What was synced, as long as it was then.</summary>
    private byte[] Synced()
    {
        var synced = new byte[_syncedLength];
        Read(0, synced);
        for (var index = 0; index < _dirty.Count; index++)
        {
            var (start, count) = Place(_dirty[index], _syncedLength);
            if (count > 0)
            {
                _before.AsSpan(index * SectorBytes, count).CopyTo(synced.AsSpan(start));
            }
        }

        return synced;
    }

    private void Store(int end)
    {
        if (_bytes.Length < end)
        {
            Array.Resize(ref _bytes, end <= BeginningBytes ? Math.Min(BeginningBytes, Length) : Length);
        }
    }
}
