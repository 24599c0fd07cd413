using Synod.Core;
using Synod.Protocols.Snapshots;

namespace Synod.App.Protocols.Snapshots;

/// <summary>What clients may ask a <see cref="Nodes.SnapshotNode"/>, in binary form.</summary>
internal static class SnapshotOperation
{
    private const byte Act = 1;
    private const byte Begin = 2;
    private const byte Restore = 3;

    private static readonly ChandyLamport.CutWire s_cuts = new();

    /// <summary>Take a snapshot of all.</summary>
    public static byte[] Snapshot { get; } = [Begin];

    /// <summary>A command of the application.</summary>
    public static byte[] Of(ReadOnlySpan<byte> command) => [Act, .. command];

    /// <summary>Put all back to a cut.</summary>
    public static byte[] BackTo(Cut cut) => [Restore, .. Write(cut)];

    public static byte[] Write(Cut cut)
    {
        var writer = new CodecWriter();
        s_cuts.Write(writer, cut);
        return writer.ToArray();
    }

    /// <summary>Null if the bytes are no cut.</summary>
    public static Cut? ReadCut(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        var cut = s_cuts.Read(ref reader);
        return reader.IsComplete ? cut : null;
    }

    /// <summary>Null if the bytes are no operation.</summary>
    public static ChandyLamport.Command? Read(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty
        ? null
        : bytes.Span[0] switch
        {
            Act => new ChandyLamport.Command.Act(bytes[1..]),
            Begin when bytes.Length == 1 => new ChandyLamport.Command.Begin(),
            Restore when ReadCut(bytes[1..]) is { } cut => new ChandyLamport.Command.Restore(cut),
            _ => null,
        };
}
