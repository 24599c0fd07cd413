namespace Synod.Core;

/// <summary>Puts a state back from the bytes of a <see cref="StateWriter"/>. The bytes are our own: a mismatch is a bug.</summary>
public sealed class StateReader(ReadOnlyMemory<byte> source) : StateVisitor
{
    private CodecReader _reader = new(source);

    public override bool IsReading => true;

    /// <exception cref="InvariantViolation">The bytes do not match the visit.</exception>
    public void Complete() => Invariant.Check(_reader.IsComplete, "StateRoundTrip");

    public override void Visit(string name, ref bool value) => value = _reader.Bool();

    public override void Visit(string name, ref int value) => value = _reader.Int();

    public override void Visit(string name, ref long value) => value = _reader.Signed();

    public override void Visit(string name, ref string value) => value = _reader.String();

    public override void Visit(string name, ref NodeId value) => value = _reader.Node();

    public override void Visit(string name, ref NodeSet value) => value = _reader.Nodes();

    public override void Visit(string name, ref ReadOnlyMemory<byte> value) => value = _reader.Bytes();

    public override void Visit<T>(string name, ref T value, IWire<T> wire)
    {
        var read = wire.Read(ref _reader);
        Invariant.Check(read is not null, "StateRoundTrip");
        value = read;
    }

    public override void Visit<T>(string name, List<T> list, Element<T> element)
    {
        list.Clear();
        for (var count = _reader.Count(); count > 0; count--)
        {
            T item = default!;
            element(this, ref item);
            list.Add(item);
        }
    }

    public override void Visit<TKey, TValue>(
        string name, IDictionary<TKey, TValue> map, Element<TKey> key, Element<TValue> value)
    {
        map.Clear();
        for (var count = _reader.Count(); count > 0; count--)
        {
            TKey k = default!;
            TValue v = default!;
            key(this, ref k);
            value(this, ref v);
            map.Add(k, v);
        }
    }
}
