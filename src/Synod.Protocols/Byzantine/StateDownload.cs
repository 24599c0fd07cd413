using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// A state being fetched part by part, from one source at a time: what one says needs nobody else's word, since each part is held against
/// the digest that the part above gave it (Castro and Liskov 2002, §5.3.2). Parts that one's own state has in the same place are not asked for.
/// </summary>
internal sealed class StateDownload
{
    /// <summary>The longest state that is fetched, in bytes.</summary>
    private const int MaxState = 1 << 30;

    private readonly StateTree _own;
    private readonly int _pageSize;
    private readonly int _fanOut;
    private readonly SortedDictionary<(int Level, int Index), Digest> _wanted = [];
    private byte[] _state = [];
    private NodeId _source;
    private int _turn;

    /// <param name="root">The certified digest.</param>
    /// <param name="own">This replica's own state.</param>
    /// <param name="pageSize">Bytes of a page.</param>
    /// <param name="fanOut">Children of a node.</param>
    public StateDownload(Digest root, StateTree own, int pageSize, int fanOut)
        : this(own, pageSize, fanOut) => _wanted.Add((StateTree.RootLevel, 0), root);

    private StateDownload(StateTree own, int pageSize, int fanOut) => (_own, _pageSize, _fanOut) = (own, pageSize, fanOut);

    /// <summary>The parts that are known to be missing.</summary>
    public IReadOnlyCollection<(int Level, int Index)> Wanted => _wanted.Keys;

    public bool IsComplete => _wanted.Count == 0;

    /// <summary>The state; whole when the download is complete.</summary>
    public ReadOnlyMemory<byte> State => _state;

    /// <summary>Who is asked now.</summary>
    public NodeId Source => _source;

    /// <summary>Turns to the next source.</summary>
    public void Turn(IReadOnlyList<NodeId> sources) => _source = sources[_turn++ % sources.Count];

    /// <summary>Takes a part in, and adds to <paramref name="missing"/> what it shows to be missing; null unless it is refused.</summary>
    /// <param name="level">Of the part in the tree.</param>
    /// <param name="index">Of the part on its level.</param>
    /// <param name="content">What a peer says it is.</param>
    /// <param name="isBelieved">The mistake of taking that on trust.</param>
    /// <param name="missing">Parts to ask for.</param>
    public Refusal? Take(int level, int index, ReadOnlyMemory<byte> content, bool isBelieved, List<(int Level, int Index)> missing)
    {
        if (!_wanted.TryGetValue((level, index), out var digest))
        {
            return Refusal.Unexpected;
        }

        if ((StateTree.DigestOf(level, content.Span) != digest && !isBelieved) || !Fits(level, index, content.Length))
        {
            return Refusal.Forged;
        }

        _wanted.Remove((level, index));
        switch (level)
        {
            case StateTree.RootLevel:
                return MeetRoot(content, missing);
            case 0:
                content.CopyTo(_state.AsMemory(index * _pageSize));
                return null;
            default:
                MeetNode(level, index, content, missing);
                return null;
        }
    }

    /// <summary>A download, or none, as a part of a state.</summary>
    public static StateDownload? Visit(StateVisitor visitor, StateDownload? download, Func<ReadOnlyMemory<byte>, StateTree> treeOf, int pageSize, int fanOut)
    {
        var exists = download is not null;
        visitor.Visit("fetching", ref exists);
        if (!exists)
        {
            return null;
        }

        var own = visitor.IsReading ? default : download!._own.State;
        visitor.Visit("own", ref own);
        download = visitor.IsReading ? new StateDownload(treeOf(own), pageSize, fanOut) : download!;
        download.Visit(visitor);
        return download;
    }

    private void Visit(StateVisitor visitor)
    {
        ReadOnlyMemory<byte> state = _state;
        visitor.Visit("state", ref state);
        visitor.Visit("source", ref _source);
        visitor.Visit("turn", ref _turn);
        visitor.Visit(
            "wanted",
            _wanted,
            static (v, ref part) =>
            {
                v.Visit("", ref part.Level);
                v.Visit("", ref part.Index);
            },
            static (v, ref digest) => v.Visit("", ref digest, DigestWire.Instance));
        _state = visitor.IsReading ? state.ToArray() : _state;
    }

    /// <summary>A root that is none was certified by a quorum, so that more replicas are faulty than may be; nothing comes of it.</summary>
    private Refusal? MeetRoot(ReadOnlyMemory<byte> content, List<(int Level, int Index)> missing)
    {
        var reader = new CodecReader(content);
        var length = reader.Int();
        var top = Digest.Read(ref reader);
        if (!reader.IsComplete || length is < 0 or > MaxState)
        {
            return Refusal.Malformed;
        }

        _state = new byte[length];
        Want(StateTree.TopOf(StateTree.PagesOf(length, _pageSize), _fanOut), 0, top, missing);
        return null;
    }

    private void MeetNode(int level, int index, ReadOnlyMemory<byte> content, List<(int Level, int Index)> missing)
    {
        var reader = new CodecReader(content);
        for (var child = 0; reader.Remaining > 0 && child < _fanOut; child++)
        {
            Want(level - 1, index * _fanOut + child, Digest.Read(ref reader), missing);
        }
    }

    /// <summary>A part is missing unless this replica's own state has the same one in the same place.</summary>
    private void Want(int level, int index, Digest digest, List<(int Level, int Index)> missing)
    {
        if (!_own.Has(level, index, digest))
        {
            _wanted.Add((level, index), digest);
            missing.Add((level, index));
            return;
        }

        var (first, count) = StateTree.PagesBelow(level, index, _fanOut);
        var from = first * _pageSize;
        var own = _own.State;
        var length = Math.Min(Math.Min(own.Length, _state.Length) - from, count * _pageSize);
        own.Slice(from, length).CopyTo(_state.AsMemory(from));
    }

    /// <summary>Whether content has the length that its place asks for. Proven content has; only a mutant comes to see other.</summary>
    private bool Fits(int level, int index, int length) =>
        level != 0 || length == Math.Min(_pageSize, _state.Length - index * _pageSize);
}
