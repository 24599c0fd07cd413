using System.Text;
using System.Text.Unicode;
using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// The binary forms of common elements, keys and values. Any other <see cref="IWire{T}"/> does as well, if it writes equal values in
/// equal bytes and different ones in different bytes. Values are written without a length: that is the state's part.
/// </summary>
public static class Wires
{
    /// <summary>Text as UTF-8. Lone surrogates have no UTF-8 and are not for it.</summary>
    public static IWire<string> Text { get; } = new TextWire();

    /// <summary>Bytes as they are.</summary>
    public static IWire<Key> Bytes { get; } = new BytesWire();

    public static IWire<long> Int64 { get; } = new Int64Wire();

    /// <summary>A Unicode scalar value: what a text is a sequence of.</summary>
    public static IWire<Rune> Rune { get; } = new RuneWire();

    private sealed class TextWire : IWire<string>
    {
        public void Write(CodecWriter writer, string value)
        {
            var span = writer.GetSpan(Encoding.UTF8.GetMaxByteCount(value.Length));
            writer.Advance(Encoding.UTF8.GetBytes(value, span));
        }

        public string? Read(ref CodecReader reader)
        {
            var bytes = reader.Rest().Span;
            return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;
        }
    }

    private sealed class BytesWire : IWire<Key>
    {
        public void Write(CodecWriter writer, Key value) => writer.Raw(value.Span);

        public Key Read(ref CodecReader reader) => new(reader.Rest().ToArray());
    }

    private sealed class Int64Wire : IWire<long>
    {
        public void Write(CodecWriter writer, long value) => writer.Signed(value);

        public long Read(ref CodecReader reader) => reader.Signed();
    }

    private sealed class RuneWire : IWire<Rune>
    {
        public void Write(CodecWriter writer, Rune value) => writer.Unsigned((ulong)value.Value);

        public Rune Read(ref CodecReader reader)
        {
            var value = reader.Unsigned();
            if (value <= 0x10FFFF && System.Text.Rune.TryCreate((int)value, out var rune))
            {
                return rune;
            }

            reader.Fail();
            return default;
        }
    }
}
