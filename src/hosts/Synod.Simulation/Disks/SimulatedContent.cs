namespace Synod.Simulation.Disks;

/// <summary>A file's content: as programs see it, and as it was when last synced.</summary>
internal sealed class SimulatedContent(int length)
{
    public const int SectorBytes = 512;

    // Sectors written since the last sync, each once, and whether a sector is among them.
    private readonly List<int> _dirty = [];
    private bool[] _isDirty = new bool[Sectors(length)];
    private byte[] _synced = new byte[length];

    public byte[] Now { get; private set; } = new byte[length];

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            return;
        }

        var end = checked((int)(offset + data.Length));
        if (end > Now.Length)
        {
            Resize(end);
        }

        data.CopyTo(Now.AsSpan((int)offset));
        for (var sector = (int)(offset / SectorBytes); sector < Sectors(end); sector++)
        {
            if (!_isDirty[sector])
            {
                _isDirty[sector] = true;
                _dirty.Add(sector);
            }
        }
    }

    public void Truncate(int length)
    {
        Now = Now[..length];
        _isDirty = _isDirty[..Sectors(length)];
        _dirty.RemoveAll(sector => sector >= _isDirty.Length);
    }

    public void Sync()
    {
        if (_synced.Length != Now.Length)
        {
            _synced = Now.AsSpan().ToArray();
        }

        foreach (var sector in _dirty)
        {
            var (start, count) = Place(sector, Now.Length);
            Now.AsSpan(start, count).CopyTo(_synced.AsSpan(start));
        }

        Clean();
    }

    /// <summary>Keeps any subset of the sectors that were not synced, and either length.</summary>
    public void Crash(Func<int, int> choose)
    {
        var survivor = _synced.AsSpan().ToArray();
        if (_synced.Length != Now.Length && choose(2) == 1)
        {
            Array.Resize(ref survivor, Now.Length);
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
            var (start, count) = Place(sector, Math.Min(survivor.Length, Now.Length));
            if (keep && count > 0)
            {
                Now.AsSpan(start, count).CopyTo(survivor.AsSpan(start));
            }
        }

        Now = survivor;
        _synced = survivor.AsSpan().ToArray();
        _isDirty = new bool[Sectors(survivor.Length)];
        _dirty.Clear();
    }

    public void FlipBit(long bit)
    {
        var mask = (byte)(1 << (int)(bit % 8));
        Now[bit / 8] ^= mask;
        _synced[bit / 8] ^= mask;
    }

    private static int Sectors(int length) => (length + SectorBytes - 1) / SectorBytes;

    private static (int Start, int Count) Place(int sector, int length)
    {
        var start = sector * SectorBytes;
        return (start, Math.Min(SectorBytes, length - start));
    }

    private void Resize(int length)
    {
        var grown = Now;
        Array.Resize(ref grown, length);
        Now = grown;
        Array.Resize(ref _isDirty, Sectors(length));
    }

    private void Clean()
    {
        foreach (var sector in _dirty)
        {
            _isDirty[sector] = false;
        }

        _dirty.Clear();
    }
}
