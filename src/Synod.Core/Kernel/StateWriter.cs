namespace Synod.Core;

/// <summary>Writes a state as bytes: equal states, equal bytes.</summary>
public sealed class StateWriter(CodecWriter writer) : StateVisitor
{
    public override bool IsReading => false;

    public override void Visit(string name, ref bool value) => writer.Bool(value);

    public override void Visit(string name, ref int value) => writer.Int(value);

    public override void Visit(string name, ref long value) => writer.Signed(value);

    public override void Visit(string name, ref string value) => writer.String(value);

    public override void Visit(string name, ref NodeId value) => writer.Node(value);

    public override void Visit(string name, ref NodeSet value) => writer.Nodes(value);

    public override void Visit(string name, ref ReadOnlyMemory<byte> value) => writer.Bytes(value.Span);

    public override void Visit<T>(string name, ref T value, IWire<T> wire) => wire.Write(writer, value);

    public override void Visit<T>(string name, List<T> list, Element<T> element)
    {
        writer.Unsigned((ulong)list.Count);
        foreach (var item in list)
        {
            var copy = item;
            element(this, ref copy);
        }
    }

    public override void Visit<TKey, TValue>(
        string name, IDictionary<TKey, TValue> map, Element<TKey> key, Element<TValue> value)
    {
        writer.Unsigned((ulong)map.Count);
        foreach (var pair in Ordered(map))
        {
            var (k, v) = (pair.Key, pair.Value);
            key(this, ref k);
            value(this, ref v);
        }
    }

    private IEnumerable<KeyValuePair<TKey, TValue>> Ordered<TKey, TValue>(IDictionary<TKey, TValue> map)
        where TKey : notnull, IComparable<TKey>
    {
        // Under a renaming the order must follow the new names, or equal states would get different bytes.
        if (writer.Renaming is { } rename && map is IDictionary<NodeId, TValue>)
        {
            return map.OrderBy(pair => rename((NodeId)(object)pair.Key));
        }

        return map is SortedDictionary<TKey, TValue> or SortedList<TKey, TValue> ? map : map.OrderBy(pair => pair.Key);
    }
}
