using Synod.Core;

namespace Synod.Crdt;

/// <summary>A value for each dot: what concurrent writes left, and nothing that a later write has seen.</summary>
public sealed class DotFun<T>(IWire<T> wire) : IDotStore<DotFun<T>>
    where T : notnull
{
    private readonly SortedList<Dot, T> _values = [];

    public bool IsEmpty => _values.Count == 0;

    /// <summary>The values in the order of their dots.</summary>
    public IReadOnlyList<T> Values => [.. _values.Values];

    /// <summary>Values by their dots.</summary>
    public IEnumerable<KeyValuePair<Dot, T>> Entries => _values;

    public DotFun<T> Empty() => new(wire);

    /// <summary>Puts a value under a fresh dot in the place of those under <paramref name="replaced"/>.</summary>
    public Change<DotFun<T>> Write(DotSource source, T value, params IEnumerable<Dot> replaced)
    {
        var dot = source.Next();
        var store = Empty();
        store._values.Add(dot, value);
        return new(store, CausalContext.Of(replaced.Append(dot)));
    }

    /// <summary>Puts a value in the place of all that are here.</summary>
    public Change<DotFun<T>> WriteAll(DotSource source, T value) => Write(source, value, _values.Keys);

    /// <summary>Removes the values that are here.</summary>
    public Change<DotFun<T>> Clear() => new(Empty(), CausalContext.Of(_values.Keys));

    public bool Join(CausalContext mine, DotFun<T> other, CausalContext theirs)
    {
        var changed = false;
        for (var index = _values.Count - 1; index >= 0; index--)
        {
            var dot = _values.GetKeyAtIndex(index);
            if (theirs.Contains(dot) && !other._values.ContainsKey(dot))
            {
                _values.RemoveAt(index);
                changed = true;
            }
        }

        foreach (var (dot, value) in other._values)
        {
            if (!mine.Contains(dot))
            {
                changed |= _values.TryAdd(dot, value);
            }
        }

        return changed;
    }

    public DotFun<T> Unseen(CausalContext known)
    {
        var store = Empty();
        foreach (var (dot, value) in _values)
        {
            if (!known.Contains(dot))
            {
                store._values.Add(dot, value);
            }
        }

        return store;
    }

    public void ListDots(List<Dot> dots, CausalContext? among = null) =>
        dots.AddRange(_values.Keys.Where(dot => among?.Contains(dot) != false));

    public IEnumerable<(Dot Dot, DotFun<T> Part)> Parts()
    {
        foreach (var (dot, value) in _values)
        {
            var part = Empty();
            part._values.Add(dot, value);
            yield return (dot, part);
        }
    }

    public void Write(CodecWriter writer, CausalContext context)
    {
        writer.Unsigned((ulong)_values.Count);
        foreach (var (dot, value) in _values)
        {
            writer.Dot(dot, context);
            writer.Value(value, wire);
        }
    }

    public DotFun<T>? Read(ref CodecReader reader, CausalContext context)
    {
        var store = Empty();
        for (var count = reader.Elements(); count > 0 && !reader.Failed; count--)
        {
            var dot = reader.Dot(context);
            var value = reader.Value(wire);
            if (store._values.Count > 0 && dot.CompareTo(store._values.GetKeyAtIndex(store._values.Count - 1)) <= 0)
            {
                reader.Fail();
            }

            if (!reader.Failed)
            {
                store._values.Add(dot, value!);
            }
        }

        return reader.Failed ? null : store;
    }

    public override string ToString() => $"[{string.Join(", ", _values.Values)}]";
}
