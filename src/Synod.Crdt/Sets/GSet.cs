using Synod.Core;

namespace Synod.Crdt;

/// <summary>A set that only grows.</summary>
public sealed class GSet<T>(IWire<T> wire) : ILattice<GSet<T>>
    where T : notnull, IEquatable<T>
{
    private readonly HashSet<T> _elements = [];

    public byte Tag => Tags.GSet;

    public bool IsBottom => _elements.Count == 0;

    public int Count => _elements.Count;

    /// <summary>The elements, in no particular order.</summary>
    public IReadOnlyCollection<T> Elements => _elements;

    public bool Contains(T element) => _elements.Contains(element);

    /// <summary>Adds an element; the delta is empty if it was there.</summary>
    public GSet<T> Add(T element)
    {
        var delta = Bottom();
        if (_elements.Add(element))
        {
            delta._elements.Add(element);
        }

        return delta;
    }

    public GSet<T> Bottom() => new(wire);

    public bool Join(GSet<T> other)
    {
        var before = _elements.Count;
        _elements.UnionWith(other._elements);
        return _elements.Count > before;
    }

    public bool LessOrEqual(GSet<T> other) => _elements.IsSubsetOf(other._elements);

    public GSet<T> Minus(GSet<T> known)
    {
        var rest = Bottom();
        rest._elements.UnionWith(_elements.Where(element => !known.Contains(element)));
        return rest;
    }

    public IEnumerable<GSet<T>> Decompose() => _elements.Select(element => new GSet<T>(wire).Add(element));

    public void Write(CodecWriter writer)
    {
        writer.Unsigned((ulong)_elements.Count);
        var front = new FrontCoding();
        foreach (var (bytes, _) in Canonical.Sorted(_elements, static element => element, wire))
        {
            front.Write(writer, bytes.Span);
        }
    }

    public GSet<T>? Read(ref CodecReader reader)
    {
        var set = Bottom();
        var scratch = new CodecWriter();
        var front = new FrontCoding();
        var last = default(byte[]?);
        for (var count = reader.Elements(); count > 0 && !reader.Failed; count--)
        {
            var bytes = front.Read(ref reader);
            var element = Canonical.Read(bytes, wire, scratch, out var isValid);
            if (reader.Failed || !isValid || (last is not null && last.AsSpan().SequenceCompareTo(bytes) >= 0))
            {
                reader.Fail();
                break;
            }

            set._elements.Add(element!);
            last = bytes;
        }

        return reader.Failed ? null : set;
    }

    public override string ToString() =>
        $"{{{string.Join(", ", Canonical.Sorted(_elements, static element => element, wire).Select(item => item.Item))}}}";
}
