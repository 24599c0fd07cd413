using Synod.Core;

namespace Synod.App.Protocols;

/// <summary>What is agreed on: one client's next write. The number makes it effective once, however often it is agreed on.</summary>
internal readonly record struct MapCommand(int Client, long Sequence, Key Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>Bytes of a value at most.</summary>
    public const int MaxValue = 1 << 16;

    /// <summary>Bytes of a command at most: a run's keys are short.</summary>
    public const int MaxLength = MaxValue + 256;

    public byte[] ToBytes()
    {
        var writer = new CodecWriter();
        writer.Int(Client);
        writer.Signed(Sequence);
        writer.Bytes(Key.Span);
        writer.Bytes(Value.Span);
        return writer.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote; null for anything else.</summary>
    public static MapCommand? Read(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        var command = new MapCommand(reader.Int(), reader.Signed(), new Key(reader.Bytes()), reader.Bytes());
        return reader.IsComplete ? command : null;
    }
}
