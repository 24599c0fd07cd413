using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>Numbers for blocks, with what is to be known of their place in the tree.</summary>
internal sealed class BlockTable
{
    private readonly Dictionary<Digest, int> _numbers = [];
    private readonly List<(Digest Digest, long View, int Parent)> _blocks = [];

    public int Count => _blocks.Count;

    public Digest this[int number] => _blocks[number].Digest;

    /// <summary>Negative if the block itself was never seen.</summary>
    public long ViewOf(int number) => _blocks[number].View;

    /// <summary>Negative if there is none, or it is not known.</summary>
    public int ParentOf(int number) => _blocks[number].Parent;

    public void Clear()
    {
        _numbers.Clear();
        _blocks.Clear();
    }

    public int NumberOf(Digest digest)
    {
        if (!_numbers.TryGetValue(digest, out var number))
        {
            number = _blocks.Count;
            _numbers.Add(digest, number);
            _blocks.Add((digest, -1, -1));
        }

        return number;
    }

    public void Add(Block block)
    {
        var number = NumberOf(block.Digest);
        if (_blocks[number].View < 0)
        {
            _blocks[number] = (block.Digest, block.View, block.View > 0 ? NumberOf(block.Justify.Block) : -1);
        }
    }
}
