using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// The blocks whose ancestors are all here, down to a root that a quorum proved: the committed chain, and above its tip what may still be
/// committed. A block whose parent is missing does not enter, so that nobody votes for, builds on or executes what it cannot trace to the root.
/// </summary>
public sealed class BlockTree
{
    private readonly SortedDictionary<Digest, Block> _chain = new() { [Genesis.Block.Digest] = Genesis.Block };
    private readonly SortedDictionary<Digest, Block> _open = [];
    private long _rootHeight;

    /// <summary>The lowest block that is here; at first the one without a parent.</summary>
    public Block Root { get; private set; } = Genesis.Block;

    /// <summary>The tip of the committed chain.</summary>
    public Block Committed { get; private set; } = Genesis.Block;

    /// <summary>How many blocks are committed, the first one, which needs no commit, left out.</summary>
    public long Height => _rootHeight + _chain.Count - 1;

    /// <summary>The blocks that are not committed and may still be.</summary>
    public IReadOnlyCollection<Block> Open => _open.Values;

    public bool Contains(Digest digest) => Find(digest) is not null;

    public Block? Find(Digest digest) => _open.GetValueOrDefault(digest) ?? _chain.GetValueOrDefault(digest);

    /// <summary>The parent of a block that is here; the root's is gone.</summary>
    public Block? Parent(Block block) => Find(block.Justify.Block);

    /// <summary>Whether <paramref name="certified"/> certifies the block or one of its ancestors.</summary>
    public bool Extends(Block block, QuorumCertificate certified) => Extends(block, certified.View, certified.Block);

    /// <summary>Whether the block of a view with this digest is <paramref name="block"/> or one of its ancestors.</summary>
    public bool Extends(Block block, long view, Digest ancestor)
    {
        var at = block;
        while (at.View > view && Parent(at) is { } parent)
        {
            at = parent;
        }

        return at.Digest == ancestor;
    }

    /// <summary>Adds a block whose parent is here.</summary>
    public void Add(Block block)
    {
        Invariant.Check(Parent(block) is { } parent && parent.View < block.View, HotStuff.Ancestry, $"{block} has no parent");
        _open[block.Digest] = block;
    }

    /// <summary>The blocks above the committed tip up to <paramref name="tip"/>, oldest first; null if that is not an ancestor.</summary>
    public List<Block>? PathTo(Block tip)
    {
        var path = new List<Block>();
        var at = tip;
        while (at.View > Committed.View && Parent(at) is { } parent)
        {
            path.Add(at);
            at = parent;
        }

        path.Reverse();
        return at.Equals(Committed) ? path : null;
    }

    /// <summary>Makes a descendant the committed tip and drops every block that is neither its ancestor nor its descendant.</summary>
    /// <returns>The blocks that are committed now, oldest first.</returns>
    public IReadOnlyList<Block> Commit(Block tip)
    {
        var path = PathTo(tip);
        Invariant.Check(path is not null, HotStuff.Safety, $"{tip} does not extend {Committed}");
        foreach (var block in path)
        {
            _open.Remove(block.Digest);
            _chain.Add(block.Digest, block);
        }

        Committed = tip;
        foreach (var orphan in _open.Values.Where(block => PathTo(block) is null).ToList())
        {
            _open.Remove(orphan.Digest);
        }

        return path;
    }

    /// <summary>
    /// Makes a committed block of a known height the root, and drops what does not descend from it. If it was not here, or not yet
    /// committed here, it is the committed tip from now on.
    /// </summary>
    public void Rebase(Block root, long height)
    {
        if (_chain.ContainsKey(root.Digest))
        {
            for (var below = Parent(root); below is not null;)
            {
                _chain.Remove(below.Digest);
                below = Parent(below);
            }
        }
        else
        {
            foreach (var block in _open.Values.Where(block => block.Equals(root) || !Extends(block, root.View, root.Digest)).ToList())
            {
                _open.Remove(block.Digest);
            }

            _chain.Clear();
            _chain.Add(root.Digest, root);
            Committed = root;
        }

        (Root, _rootHeight) = (root, height);
    }

    /// <summary>The blocks above the root, each after its parent.</summary>
    public IEnumerable<Block> AboveRoot() =>
        _chain.Values.Concat(_open.Values).Where(block => block.View > Root.View).OrderBy(block => block.View);

    /// <summary>For explorers: drops open blocks without open children that nobody will act on any more, and then those before them.</summary>
    internal void Forget(Func<Digest, bool> isOver)
    {
        foreach (var block in _open.Values.Where(block => isOver(block.Digest)).OrderByDescending(block => block.View).ToList())
        {
            if (!_open.Values.Any(child => child.Justify.Block == block.Digest))
            {
                _open.Remove(block.Digest);
            }
        }
    }

    public void State(StateVisitor visitor)
    {
        var (committed, root) = (Committed.Digest, Root.Digest);
        visitor.Visit("root", ref root, DigestWire.Instance);
        visitor.Visit("height", ref _rootHeight);
        visitor.Visit("committed", ref committed, DigestWire.Instance);
        visitor.Visit("chain", _chain, VisitDigest, VisitBlock);
        visitor.Visit("open", _open, VisitDigest, VisitBlock);
        (Committed, Root) = visitor.IsReading ? (_chain[committed], _chain[root]) : (Committed, Root);
    }

    private static void VisitDigest(StateVisitor visitor, ref Digest digest) => visitor.Visit("", ref digest, DigestWire.Instance);

    private static void VisitBlock(StateVisitor visitor, ref Block block) => visitor.Visit("", ref block, HotStuff.BlockWire.Instance);
}
