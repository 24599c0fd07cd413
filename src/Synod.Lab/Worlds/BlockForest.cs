namespace Synod.Lab.Worlds;

/// <summary>
/// A print of a tree of labelled blocks that is the same for trees of the same shape, views and labels, whatever the blocks' digests: a block's
/// print is made of its labels and of its children's prints (Aho, Hopcroft and Ullman 1974, §3.2). Labels and children are sets, so prints
/// of their members are added up.
/// </summary>
internal sealed class BlockForest
{
    private readonly List<Entry> _included = [];
    private int[] _slots = [];
    private int[] _order = [];
    private UInt128[] _labels = [];
    private UInt128[] _below = [];
    private BlockTable _blocks = null!;

    /// <summary>Begins another forest.</summary>
    public void Clear(BlockTable blocks)
    {
        foreach (var entry in _included)
        {
            if (entry.Block < _slots.Length)
            {
                _slots[entry.Block] = 0;
            }
        }

        _included.Clear();
        _blocks = blocks;
        if (_slots.Length < blocks.Count)
        {
            Array.Resize(ref _slots, 2 * blocks.Count);
        }
    }

    public bool Contains(int block) => _slots[block] > 0;

    /// <summary>Includes a block and so many of those before it.</summary>
    public void Include(int block, int before)
    {
        for (var at = block; at >= 0; at = _blocks.ParentOf(at))
        {
            if (_slots[at] == 0)
            {
                _included.Add(new(at, _blocks.ViewOf(at), -1, false));
                _slots[at] = _included.Count;
            }

            if (before-- <= 0)
            {
                return;
            }
        }
    }

    /// <summary>After the last block was included, puts each below the nearest ancestor that is included too.</summary>
    public void Arrange()
    {
        if (_order.Length < _included.Count)
        {
            (_order, _labels, _below) = (new int[2 * _included.Count], new UInt128[2 * _included.Count], new UInt128[2 * _included.Count]);
        }

        for (var slot = 0; slot < _included.Count; slot++)
        {
            var entry = _included[slot];
            var parent = _blocks.ParentOf(entry.Block);
            var isNext = parent >= 0 && Contains(parent);
            while (parent >= 0 && !Contains(parent))
            {
                parent = _blocks.ParentOf(parent);
            }

            _included[slot] = entry with { Parent = parent < 0 ? -1 : _slots[parent] - 1, IsNext = isNext };

            // Few blocks: by insertion, the highest views first.
            var at = slot;
            for (; at > 0 && _included[_order[at - 1]].View < entry.View; at--)
            {
                _order[at] = _order[at - 1];
            }

            _order[at] = slot;
        }
    }

    /// <summary>Takes all labels off.</summary>
    public void Begin()
    {
        Array.Clear(_labels, 0, _included.Count);
        Array.Clear(_below, 0, _included.Count);
    }

    /// <summary>Labels a block, if it is included.</summary>
    public void Label(int block, ulong what, ulong kind)
    {
        if (_slots[block] is var slot and > 0)
        {
            _labels[slot - 1] += Mix(what, kind);
        }
    }

    /// <summary>The print, with views told by how far they are from a round.</summary>
    public UInt128 Print(int round)
    {
        var roots = UInt128.Zero;
        for (var at = 0; at < _included.Count; at++)
        {
            var slot = _order[at];
            var entry = _included[slot];
            var view = entry.View <= 0 ? (ulong)(entry.View + 1) : (ulong)(entry.View - round + 1_000);
            var (labels, below) = (_labels[slot], _below[slot]);
            var print = Mix(
                Mix64((ulong)labels, (ulong)(labels >> 64)) + view,
                Mix64((ulong)below, (ulong)(below >> 64)) + (entry.IsNext ? 1u : 0u))
                + (Mix((ulong)(labels >> 64) ^ view, (ulong)below) << 1);
            if (entry.Parent < 0)
            {
                roots += print;
            }
            else
            {
                _below[entry.Parent] += print;
            }
        }

        return roots;
    }

    /// <summary>Two numbers made one of twice the size, so that no two pairs that differ are likely to come out equal.</summary>
    public static UInt128 Mix(ulong left, ulong right) => new(
        Mix64(left + 0x9E3779B97F4A7C15, right ^ 0xD6E8FEB86659FD93), Mix64(right + 0xA0761D6478BD642F, left ^ 0xE7037ED1A0B428DB));

    private static ulong Mix64(ulong left, ulong right)
    {
        var mixed = (left ^ (left >> 32)) * 0xD6E8FEB86659FD93;
        mixed = (mixed ^ (mixed >> 29)) + (right ^ (right >> 31)) * 0x9FB21C651E98DF25;
        mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93;
        mixed = (mixed ^ (mixed >> 28)) * 0xA0761D6478BD642F;
        return mixed ^ (mixed >> 32);
    }

    /// <summary>A block that is included.</summary>
    /// <param name="Block">Its number in the table.</param>
    /// <param name="View">Negative if it was never seen.</param>
    /// <param name="Parent">The position of the nearest ancestor that is included; negative for none.</param>
    /// <param name="IsNext">Whether that is its parent.</param>
    private readonly record struct Entry(int Block, long View, int Parent, bool IsNext);
}
