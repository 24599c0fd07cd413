using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// A state cut into pages, with a tree of digests above them (Castro and Liskov 2002, §5.3.1): whoever knows the root's digest can
/// check any part of the state by itself, and fetch only what differs.
/// </summary>
internal sealed class StateTree
{
    /// <summary>The level of the root, which binds the length of the state to the topmost digest.</summary>
    public const int RootLevel = -1;

    private readonly ReadOnlyMemory<byte> _state;
    private readonly int _pageSize;
    private readonly int _fanOut;
    private readonly List<ImmutableArray<Digest>> _levels = [];

    public StateTree(ReadOnlyMemory<byte> state, int pageSize, int fanOut)
    {
        (_state, _pageSize, _fanOut) = (state, pageSize, fanOut);
        var pages = PagesOf(state.Length, pageSize);
        var digests = ImmutableArray.CreateBuilder<Digest>(pages);
        for (var page = 0; page < pages; page++)
        {
            digests.Add(DigestOf(0, Page(page).Span));
        }

        _levels.Add(digests.MoveToImmutable());
        while (_levels[^1].Length > 1)
        {
            var level = _levels.Count;
            var nodes = (_levels[^1].Length + fanOut - 1) / fanOut;
            _levels.Add([.. Enumerable.Range(0, nodes).Select(index => DigestOf(level, Node(level, index).Span))]);
        }

        Root = DigestOf(RootLevel, Part(RootLevel, 0)!.Value.Span);
    }

    /// <summary>The digest that stands for the whole state.</summary>
    public Digest Root { get; }

    public ReadOnlyMemory<byte> State => _state;

    /// <summary>The digest of a part: bound to its level, so that a page never passes for a node.</summary>
    public static Digest DigestOf(int level, ReadOnlySpan<byte> content)
    {
        var writer = new CodecWriter(content.Length + 5);
        writer.Int(level);
        writer.Raw(content);
        return Digest.Of(writer.Span);
    }

    public static int PagesOf(int length, int pageSize) => Math.Max(1, (length + pageSize - 1) / pageSize);

    /// <summary>The level of the topmost node for so many pages; 0 if there is one page.</summary>
    public static int TopOf(int pages, int fanOut)
    {
        var top = 0;
        for (var width = pages; width > 1; width = (width + fanOut - 1) / fanOut)
        {
            top++;
        }

        return top;
    }

    /// <summary>The content of a part: a page on level 0, the digests of the children above. Null if there is no such part.</summary>
    public ReadOnlyMemory<byte>? Part(int level, int index)
    {
        if (level == RootLevel && index == 0)
        {
            var writer = new CodecWriter();
            writer.Int(_state.Length);
            _levels[^1][0].Write(writer);
            return writer.ToArray();
        }

        return level >= 0 && level < _levels.Count && index >= 0 && index < _levels[level].Length
            ? level == 0 ? Page(index) : Node(level, index)
            : default(ReadOnlyMemory<byte>?);
    }

    /// <summary>Whether the part at a place has a digest.</summary>
    public bool Has(int level, int index, Digest digest) =>
        level >= 0 && level < _levels.Count && index < _levels[level].Length && _levels[level][index] == digest;

    /// <summary>The pages below a node: the first, and how many at most.</summary>
    public static (int First, int Count) PagesBelow(int level, int index, int fanOut)
    {
        var width = 1;
        for (var at = 0; at < level; at++)
        {
            width = checked(width * fanOut);
        }

        return (index * width, width);
    }

    public ReadOnlyMemory<byte> Page(int index) =>
        _state.Slice(index * _pageSize, Math.Min(_pageSize, _state.Length - index * _pageSize));

    private ReadOnlyMemory<byte> Node(int level, int index)
    {
        var writer = new CodecWriter();
        var below = _levels[level - 1];
        for (var child = index * _fanOut; child < Math.Min((index + 1) * _fanOut, below.Length); child++)
        {
            below[child].Write(writer);
        }

        return writer.ToArray();
    }
}
