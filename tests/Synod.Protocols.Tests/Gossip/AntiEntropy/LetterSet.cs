using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

/// <summary>
/// The least convergent state that can go wrong: a set of letters in which an add wins over a removal that has not seen it, with its
/// dots told one by one. Commands are "+a", "-a" and "?".
/// </summary>
internal sealed class LetterSet(bool hasDigest) : IConvergentState
{
    private readonly SortedSet<Dot> _seen = [];
    private readonly SortedDictionary<Dot, char> _live = [];
    private Origin _self;

    public string Letters => string.Concat(_live.Values.Distinct().Order());

    public int Dots => _seen.Count;

    public void Become(Origin self) => _self = self;

    public ReadOnlyMemory<byte> Mutate(ReadOnlyMemory<byte> command, StepContext context, out ReadOnlyMemory<byte> answer)
    {
        var delta = new LetterSet(hasDigest);
        if (command.Span[0] != '?')
        {
            var letter = (char)command.Span[1];
            delta._seen.UnionWith(_live.Where(pair => pair.Value == letter).Select(pair => pair.Key));
            if (command.Span[0] == '+')
            {
                var fresh = new Dot(_self, 1 + _seen.Where(dot => dot.Origin == _self).Select(dot => dot.Number).DefaultIfEmpty().Max());
                delta._seen.Add(fresh);
                delta._live.Add(fresh, letter);
            }
        }

        Take(delta);
        answer = Key.Of(Letters).Memory;
        return delta._seen.Count == 0 ? default : delta.Save();
    }

    public ReadOnlyMemory<byte>? Join(ReadOnlyMemory<byte> delta)
    {
        var other = new LetterSet(hasDigest);
        if (!other.TryRead(delta))
        {
            return null;
        }

        var novel = new LetterSet(hasDigest);
        foreach (var dot in other._seen.Where(dot => !_seen.Contains(dot) || (_live.ContainsKey(dot) && !other._live.ContainsKey(dot))))
        {
            novel._seen.Add(dot);
            if (other._live.TryGetValue(dot, out var letter))
            {
                novel._live.Add(dot, letter);
            }
        }

        Take(novel);
        return novel._seen.Count == 0 ? ReadOnlyMemory<byte>.Empty : novel.Save();
    }

    public ReadOnlyMemory<byte> Merge(IReadOnlyList<ReadOnlyMemory<byte>> deltas)
    {
        var merged = new LetterSet(hasDigest);
        foreach (var delta in deltas)
        {
            merged.Join(delta);
        }

        return merged.Save();
    }

    public ReadOnlyMemory<byte> Save()
    {
        var writer = new CodecWriter();
        writer.Unsigned((ulong)_seen.Count);
        foreach (var dot in _seen)
        {
            OriginWire.Instance.Write(writer, dot.Origin);
            writer.Signed(dot.Number);
            writer.Byte(_live.TryGetValue(dot, out var letter) ? (byte)letter : (byte)0);
        }

        return writer.ToArray();
    }

    public void Load(ReadOnlyMemory<byte> state)
    {
        _seen.Clear();
        _live.Clear();
        Invariant.Check(state.IsEmpty || TryRead(state), "StatesLoad");
    }

    public ReadOnlyMemory<byte>? Digest()
    {
        if (!hasDigest)
        {
            return null;
        }

        var digest = new LetterSet(hasDigest);
        digest._seen.UnionWith(_seen);
        return digest.Save();
    }

    public ReadOnlyMemory<byte>? MissingTo(ReadOnlyMemory<byte> digest)
    {
        var theirs = new LetterSet(hasDigest);
        if (!theirs.TryRead(digest))
        {
            return null;
        }

        var missing = new LetterSet(hasDigest);
        missing._seen.UnionWith(_seen.Where(dot => !theirs._seen.Contains(dot) || !_live.ContainsKey(dot)));
        foreach (var dot in missing._seen.Where(_live.ContainsKey))
        {
            missing._live.Add(dot, _live[dot]);
        }

        return missing.Save();
    }

    public ReadOnlyMemory<byte> Compact(IReadOnlyList<ReadOnlyMemory<byte>> digests)
    {
        Compacted++;
        return default;
    }

    /// <summary>How often everybody had told what it has seen.</summary>
    public int Compacted { get; private set; }

    private void Take(LetterSet delta)
    {
        foreach (var dot in delta._seen)
        {
            if (delta._live.TryGetValue(dot, out var letter))
            {
                _live[dot] = letter;
            }
            else
            {
                _live.Remove(dot);
            }
        }

        _seen.UnionWith(delta._seen);
    }

    private bool TryRead(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        for (var count = reader.Count(); count > 0 && !reader.Failed; count--)
        {
            var dot = new Dot(OriginWire.Instance.Read(ref reader), reader.Signed());
            _seen.Add(dot);
            if (reader.Byte() is var letter && letter > 0)
            {
                _live[dot] = (char)letter;
            }
        }

        return reader.IsComplete;
    }

    private readonly record struct Dot(Origin Origin, long Number) : IComparable<Dot>
    {
        public int CompareTo(Dot other) => Origin != other.Origin ? Origin.CompareTo(other.Origin) : Number.CompareTo(other.Number);
    }
}
