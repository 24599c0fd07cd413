using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Fetching the state of a stable checkpoint, part by part, each held against the digest that the part above gave it (pbft.md §3;
/// Castro and Liskov 2002, §5.3.2).
/// </summary>
public sealed partial class Pbft
{
    /// <summary>The longest state that is fetched, in bytes.</summary>
    private const int MaxState = 1 << 30;

    private Fetch? _fetch;

    private void BeginFetch()
    {
        _fetch = new Fetch { Own = TreeOf(SaveState()) };
        _fetch.Wanted.Add((StateTree.RootLevel, 0), _stable.State);
        Ask();
    }

    /// <summary>
    /// Asks the next of those who signed the checkpoint for every part that is known to be missing. One of them at a time: what one
    /// says needs nobody else's word, since digests prove it.
    /// </summary>
    private void Ask()
    {
        var sources = _stable.Endorsements;
        do
        {
            _fetch!.Source = sources[_fetch.Turn++ % sources.Length].Signer;
        }
        while (_fetch.Source == _self);
        foreach (var (level, index) in _fetch.Wanted.Keys)
        {
            _out.Send(_fetch.Source, new Message.FetchState(Stable, level, index));
        }
    }

    private void On(NodeId from, Message.FetchState m)
    {
        if (_saved.TryGetValue(m.Slot, out var tree) && tree.Part(m.Level, m.Index) is { } part)
        {
            _out.Send(from, new Message.StateChunk(m.Slot, m.Level, m.Index, part));
        }
        else if (Stable > m.Slot)
        {
            _out.Send(from, new Message.StableCheckpoint(_stable));
        }
        else
        {
            _out.Refuse(Refusal.Unknown);
        }
    }

    private void On(NodeId from, Message.StateChunk m)
    {
        if (_fetch is null || m.Slot != Stable || !_fetch.Wanted.TryGetValue((m.Level, m.Index), out var digest))
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        var isProven = StateTree.DigestOf(m.Level, m.Content.Span) == digest || Mutated(PbftMutation.BelieveChunks);
        if (!isProven || !Fits(m.Level, m.Index, m.Content.Length))
        {
            _out.Refuse(Refusal.Forged);
            if (from == _fetch.Source)
            {
                Ask();
            }

            return;
        }

        _fetch.Wanted.Remove((m.Level, m.Index));
        if (m.Level == StateTree.RootLevel)
        {
            MeetRoot(m.Content);
        }
        else if (m.Level == 0)
        {
            m.Content.CopyTo(_fetch.State.AsMemory(m.Index * _options.PageSize));
        }
        else
        {
            MeetNode(m.Level, m.Index, m.Content);
        }

        if (_fetch is not null && _fetch.Wanted.Count == 0)
        {
            EndFetch();
        }
    }

    private void MeetRoot(ReadOnlyMemory<byte> content)
    {
        var reader = new CodecReader(content);
        var length = reader.Int();
        var top = Digest.Read(ref reader);
        if (!reader.IsComplete || length is < 0 or > MaxState)
        {
            // Certified by a quorum, so none of ours made it: f+1 replicas are faulty, and nothing can be done here.
            _out.Refuse(Refusal.Malformed);
            return;
        }

        _fetch!.State = new byte[length];
        Want(StateTree.TopOf(StateTree.PagesOf(length, _options.PageSize), _options.FanOut), 0, top);
    }

    private void MeetNode(int level, int index, ReadOnlyMemory<byte> content)
    {
        var reader = new CodecReader(content);
        for (var child = 0; reader.Remaining > 0 && child < _options.FanOut; child++)
        {
            Want(level - 1, index * _options.FanOut + child, Digest.Read(ref reader));
        }
    }

    /// <summary>Asks for a part unless this replica's own state has the same one in the same place.</summary>
    private void Want(int level, int index, Digest digest)
    {
        if (!_fetch!.Own.Has(level, index, digest))
        {
            _fetch.Wanted.Add((level, index), digest);
            _out.Send(_fetch.Source, new Message.FetchState(Stable, level, index));
            return;
        }

        var (first, count) = StateTree.PagesBelow(level, index, _options.FanOut);
        var from = first * _options.PageSize;
        var own = _fetch.Own.State;
        var length = Math.Min(Math.Min(own.Length, _fetch.State.Length) - from, count * _options.PageSize);
        own.Slice(from, length).CopyTo(_fetch.State.AsMemory(from));
    }

    private void EndFetch()
    {
        var tree = TreeOf(_fetch!.State);
        if (tree.Root != _stable.State && !Mutated(PbftMutation.BelieveChunks))
        {
            _out.Refuse(Refusal.Malformed);
            BeginFetch();
            return;
        }

        _fetch = null;
        LoadState(tree.State);
        _executed = Stable;
        _saved[Stable] = tree;
        _out.Persist(new Record.Saved(Stable, tree.State));
        ExecuteReady();
        Propose();
        GuardOldest();
        ArmStatus();
    }

    private StateTree TreeOf(ReadOnlyMemory<byte> state) => new(state, _options.PageSize, _options.FanOut);

    /// <summary>Whether content has the length that its place asks for. Proven content has; only a mutant comes to see other.</summary>
    private bool Fits(int level, int index, int length) =>
        level != 0 || length == Math.Min(_options.PageSize, _fetch!.State.Length - index * _options.PageSize);

    /// <summary>A state being fetched: what is at hand, and which parts of which digest are missing.</summary>
    private sealed class Fetch
    {
        /// <summary>This replica's own state, from which equal parts are taken.</summary>
        public required StateTree Own { get; init; }

        public byte[] State { get; set; } = [];

        public SortedDictionary<(int Level, int Index), Digest> Wanted { get; } = [];

        /// <summary>Who is asked now, and how many were before.</summary>
        public NodeId Source { get; set; }

        public int Turn { get; set; }

        public void Visit(StateVisitor visitor)
        {
            ReadOnlyMemory<byte> state = State;
            var (source, turn) = (Source, Turn);
            visitor.Visit("state", ref state);
            visitor.Visit("source", ref source);
            visitor.Visit("turn", ref turn);
            visitor.Visit(
                "wanted",
                Wanted,
                static (v, ref part) =>
                {
                    v.Visit("", ref part.Level);
                    v.Visit("", ref part.Index);
                },
                static (v, ref digest) => v.Visit("", ref digest, DigestWire.Instance));
            if (visitor.IsReading)
            {
                (State, Source, Turn) = (state.ToArray(), source, turn);
            }
        }
    }
}
