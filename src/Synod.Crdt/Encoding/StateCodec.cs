using Synod.Core;

namespace Synod.Crdt;

/// <summary>What came of reading a state's bytes.</summary>
public enum Decoding
{
    Ok,

    /// <summary>More bytes than the reader allows.</summary>
    TooLarge,

    /// <summary>Written by a version of the format that this one does not know.</summary>
    UnknownVersion,

    /// <summary>The bytes of another type.</summary>
    OtherType,

    /// <summary>Cut short, too long, out of order, or against the type's own rules: no state is written like this.</summary>
    Malformed,
}

/// <summary>
/// States as bytes: a version of the format, the type's tag, and the state. Equal states have equal bytes, and bytes that no state
/// is written as are not read. Input may come from anyone; nothing is thrown.
/// </summary>
public static class StateCodec
{
    /// <summary>The version that is written; there is no other yet.</summary>
    public const byte Version = 1;

    /// <summary>The most bytes that are read unless the caller says otherwise.</summary>
    public const int DefaultMaxBytes = 64 << 20;

    public static byte[] Encode<T>(T state)
        where T : class, ILattice<T>
    {
        var writer = new CodecWriter();
        Write(writer, state);
        return writer.ToArray();
    }

    public static void Write<T>(CodecWriter writer, T state)
        where T : class, ILattice<T>
    {
        writer.Byte(Version);
        writer.Byte(state.Tag);
        state.Write(writer);
    }

    /// <summary>Reads a state like <paramref name="prototype"/>; it shares nothing with the bytes.</summary>
    public static Decoding Decode<T>(T prototype, ReadOnlyMemory<byte> bytes, out T? state, int maxBytes = DefaultMaxBytes)
        where T : class, ILattice<T>
    {
        state = null;
        if (bytes.Length > maxBytes)
        {
            return Decoding.TooLarge;
        }

        var reader = new CodecReader(bytes);
        var outcome = Read(prototype, ref reader, out var read);
        if (outcome != Decoding.Ok || !reader.IsComplete)
        {
            return outcome == Decoding.Ok ? Decoding.Malformed : outcome;
        }

        state = read;
        return Decoding.Ok;
    }

    /// <summary>Reads a state like <paramref name="prototype"/> from among other fields.</summary>
    public static Decoding Read<T>(T prototype, ref CodecReader reader, out T? state)
        where T : class, ILattice<T>
    {
        state = null;
        var version = reader.Byte();
        var tag = reader.Byte();
        if (reader.Failed)
        {
            return Decoding.Malformed;
        }

        if (version != Version || tag != prototype.Tag)
        {
            reader.Fail();
            return version != Version ? Decoding.UnknownVersion : Decoding.OtherType;
        }

        var read = prototype.Read(ref reader);
        if (read is null || reader.Failed)
        {
            reader.Fail();
            return Decoding.Malformed;
        }

        state = read;
        return Decoding.Ok;
    }
}

/// <summary>States among the messages, records and fields of protocols.</summary>
public sealed class StateWire<T>(T prototype) : IWire<T>
    where T : class, ILattice<T>
{
    public void Write(CodecWriter writer, T value) => StateCodec.Write(writer, value);

    public T? Read(ref CodecReader reader)
    {
        StateCodec.Read(prototype, ref reader, out var state);
        return state;
    }
}
