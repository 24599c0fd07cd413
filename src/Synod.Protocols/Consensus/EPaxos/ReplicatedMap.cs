using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>A map from keys to bytes with reads, writes, compare-and-set and counters, each on one key.</summary>
public sealed class ReplicatedMap : IInterferingState
{
    private const byte GetKind = (byte)'?';
    private const byte PutKind = (byte)'=';
    private const byte CompareAndSetKind = (byte)'~';
    private const byte AddKind = (byte)'+';

    private readonly SortedDictionary<Key, ReadOnlyMemory<byte>> _values = [];

    /// <summary>What the map holds, in the order of keys.</summary>
    public IReadOnlyDictionary<Key, ReadOnlyMemory<byte>> Values => _values;

    /// <summary>Reads a key: the result is its value, empty if there is none.</summary>
    public static ReadOnlyMemory<byte> Get(Key key) => Write(GetKind, key, default, default);

    /// <summary>Sets a key: the result is empty.</summary>
    public static ReadOnlyMemory<byte> Put(Key key, ReadOnlyMemory<byte> value) => Write(PutKind, key, value, default);

    /// <summary>Sets a key if it holds <paramref name="expected"/>: the result is one byte, 1 if it did.</summary>
    public static ReadOnlyMemory<byte> CompareAndSet(Key key, ReadOnlyMemory<byte> expected, ReadOnlyMemory<byte> value) =>
        Write(CompareAndSetKind, key, value, expected);

    /// <summary>Adds to the number in a key, which is 0 where none can be read: the result is the sum, as <see cref="Number"/> reads it.</summary>
    public static ReadOnlyMemory<byte> Add(Key key, long number) => Write(AddKind, key, Bytes(number), default);

    /// <summary>A number as a value.</summary>
    public static ReadOnlyMemory<byte> Bytes(long number)
    {
        var writer = new CodecWriter(16);
        writer.Signed(number);
        return writer.ToArray();
    }

    /// <summary>The number in a value, 0 if there is none.</summary>
    public static long Number(ReadOnlyMemory<byte> value)
    {
        var reader = new CodecReader(value);
        var number = reader.Signed();
        return reader.IsComplete ? number : 0;
    }

    public bool TryTouch(ReadOnlyMemory<byte> operation, List<KeyAccess> touched)
    {
        if (!TryRead(operation, out var kind, out var key, out _, out _))
        {
            return false;
        }

        touched.Add(new KeyAccess(key, kind != GetKind));
        return true;
    }

    public ReadOnlyMemory<byte> Execute(ReadOnlyMemory<byte> operation)
    {
        Invariant.Check(TryRead(operation, out var kind, out var key, out var value, out var expected), "OperationIsSound");
        var held = _values.GetValueOrDefault(key);
        switch (kind)
        {
            case GetKind:
                return held;
            case PutKind:
                Set(key, value);
                return default;
            case CompareAndSetKind:
                var found = held.Span.SequenceEqual(expected.Span);
                if (found)
                {
                    Set(key, value);
                }

                return new byte[] { found ? (byte)1 : (byte)0 };
            default:
                var sum = Bytes(unchecked(Number(held) + Number(value)));
                Set(key, sum);
                return sum;
        }
    }

    public void Save(CodecWriter writer)
    {
        writer.Unsigned((ulong)_values.Count);
        foreach (var (key, value) in _values)
        {
            writer.Bytes(key.Span);
            writer.Bytes(value.Span);
        }
    }

    public void Load(ReadOnlyMemory<byte> state)
    {
        _values.Clear();
        var reader = new CodecReader(state);
        for (var count = reader.Count(); count > 0; count--)
        {
            var key = new Key(reader.Bytes());
            _values[key] = reader.Bytes();
        }

        Invariant.Check(reader.IsComplete, "StateIsSound");
    }

    private void Set(Key key, ReadOnlyMemory<byte> value)
    {
        if (value.IsEmpty)
        {
            _values.Remove(key);
        }
        else
        {
            _values[key] = value;
        }
    }

    private static ReadOnlyMemory<byte> Write(byte kind, Key key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> expected)
    {
        var writer = new CodecWriter(16);
        writer.Byte(kind);
        writer.Bytes(key.Span);
        if (kind == CompareAndSetKind)
        {
            writer.Bytes(expected.Span);
        }

        writer.Raw(value.Span);
        return writer.ToArray();
    }

    private static bool TryRead(
        ReadOnlyMemory<byte> operation, out byte kind, out Key key, out ReadOnlyMemory<byte> value, out ReadOnlyMemory<byte> expected)
    {
        var reader = new CodecReader(operation);
        kind = reader.Byte();
        key = new Key(reader.Bytes());
        expected = kind == CompareAndSetKind ? reader.Bytes() : default;
        value = reader.Rest();
        return reader.IsComplete && key.Span.Length <= Key.MaxLength
            && (kind is PutKind or CompareAndSetKind or AddKind || (kind == GetKind && value.IsEmpty));
    }
}
