namespace Synod.Core;

/// <summary>
/// Walks a protocol's fields by reference. A writer turns them into bytes (clone, fingerprint, equality, snapshot), a reader
/// puts them back, a printer makes a trace line; the protocol says once what its state is.
/// </summary>
public abstract class StateVisitor
{
    /// <summary>Whether fields are being set from outside, so that derived ones must be rebuilt after the visit.</summary>
    public abstract bool IsReading { get; }

    public abstract void Visit(string name, ref bool value);

    public abstract void Visit(string name, ref int value);

    public abstract void Visit(string name, ref long value);

    public abstract void Visit(string name, ref string value);

    public abstract void Visit(string name, ref NodeId value);

    public abstract void Visit(string name, ref NodeSet value);

    public abstract void Visit(string name, ref ReadOnlyMemory<byte> value);

    /// <summary>A value with a binary form of its own.</summary>
    public abstract void Visit<T>(string name, ref T value, IWire<T> wire);

    /// <summary>A list in its own order.</summary>
    public abstract void Visit<T>(string name, List<T> list, Element<T> element);

    /// <summary>A map in the order of its keys, whatever order it keeps inside.</summary>
    public abstract void Visit<TKey, TValue>(
        string name, IDictionary<TKey, TValue> map, Element<TKey> key, Element<TValue> value)
        where TKey : notnull, IComparable<TKey>;

    public void Visit(string name, ref Ballot value)
    {
        var (round, node) = value;
        Visit(name, ref round);
        Visit(".", ref node);
        value = new Ballot(round, node);
    }

    public void Visit(string name, ref Slot value)
    {
        var number = value.Value;
        Visit(name, ref number);
        value = new Slot(number);
    }

    public void Visit(string name, ref Timestamp value)
    {
        var number = value.Nanoseconds;
        Visit(name, ref number);
        value = new Timestamp(number);
    }

    public void Visit(string name, ref Instant value)
    {
        var number = value.Nanoseconds;
        Visit(name, ref number);
        value = new Instant(number);
    }

    /// <summary>An enum, by its number.</summary>
    public void VisitEnum<T>(string name, ref T value)
        where T : struct, Enum
    {
        var number = Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture);
        Visit(name, ref number);
        value = (T)Enum.ToObject(typeof(T), number);
    }

    /// <summary>Visits one element of a collection.</summary>
    public delegate void Element<T>(StateVisitor visitor, ref T value);
}
