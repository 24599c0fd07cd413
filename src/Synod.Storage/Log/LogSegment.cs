using System.Buffers.Binary;
using System.Globalization;
using Synod.Core;

namespace Synod.Storage;

/// <summary>
/// The first page of a segment file. It is synced before the file gets its name, so a file of that name always has one; and it says
/// where the segment before ended, so what lies behind that end (a tail cut by an earlier recovery) is never looked at again.
/// </summary>
/// <param name="Number">Segments are numbered from 1 without gaps.</param>
/// <param name="PreviousEnd">The offset where segment <paramref name="Number"/> - 1 ends; 0 if there is none.</param>
/// <param name="FirstSequence">The number of the first batch here.</param>
/// <param name="Oldest">The oldest segment needed when this one was begun.</param>
internal sealed record LogSegment(long Number, long PreviousEnd, long FirstSequence, long Oldest, LogIdentity Identity)
{
    /// <summary>What a disk writes whole or not at all.</summary>
    public const int SectorBytes = 512;

    /// <summary>Where the first batch begins.</summary>
    public const int HeaderBytes = 4096;

    /// <summary>The next segment's file, while it is made; also a dropped segment's file, kept for its allocated blocks.</summary>
    public const string SpareName = "spare";

    /// <summary>A spare that another thread is making.</summary>
    public const string DraftName = "spare-draft";

    /// <summary>The format that this program writes.</summary>
    public const uint Version = 1;

    private const string Prefix = "segment-";
    private const ulong Magic = 0x474f4c444f4e5953; // "SYNODLOG"

    // Every format keeps this preamble, so that any program can say what it found: magic, version, length of the rest, checksum
    // of the rest.
    private const int PreambleBytes = 24;

    public static string NameOf(long number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:d16}");

    /// <summary>The number in a file's name, or 0 if it is no segment's name.</summary>
    public static long NumberOf(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && NameOf(number) == name
            ? number
            : 0;

    public byte[] Encode()
    {
        var body = new CodecWriter();
        body.Fixed64((ulong)Number);
        body.Fixed64((ulong)PreviousEnd);
        body.Fixed64((ulong)FirstSequence);
        body.Fixed64((ulong)Oldest);
        WriteIdentity(body, Identity);
        Invariant.Check(body.Length <= HeaderBytes - PreambleBytes, "A segment header fits its page", $"{Identity}");

        var page = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(page, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(12), (uint)body.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(16), Checksum.Of(body.Span, Seed(Version)));
        body.Span.CopyTo(page.AsSpan(PreambleBytes));
        return page;
    }

    /// <exception cref="LogRefused">The segment has a format that this program does not know.</exception>
    /// <exception cref="LogDamaged">The header is not what was written.</exception>
    public static LogSegment Decode(string file, ReadOnlyMemory<byte> page)
    {
        var preamble = page.Span;
        if (preamble.Length < PreambleBytes || BinaryPrimitives.ReadUInt64LittleEndian(preamble) != Magic)
        {
            throw new LogDamaged(file, 0, $"The log segment '{file}' does not begin like one.");
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(preamble[8..]);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(preamble[12..]);
        var checksum = BinaryPrimitives.ReadUInt64LittleEndian(preamble[16..]);
        if (length > page.Length - PreambleBytes
            || Checksum.Of(preamble.Slice(PreambleBytes, (int)length), Seed(version)) != checksum)
        {
            throw new LogDamaged(file, 0, $"The header of the log segment '{file}' fails its checksum.");
        }

        if (version != Version)
        {
            throw new LogRefused(
                $"The log segment '{file}' has format {version}, and this program knows only format {Version}.",
                "The data folder was written by another version of Synod; nothing in it was changed.",
                "Start the version that wrote it, or follow its notes on upgrading.");
        }

        var reader = new CodecReader(page.Slice(PreambleBytes, (int)length));
        var segment = new LogSegment(
            (long)reader.Fixed64(), (long)reader.Fixed64(), (long)reader.Fixed64(), (long)reader.Fixed64(), ReadIdentity(ref reader));
        return reader.IsComplete
            ? segment
            : throw new LogDamaged(file, 0, $"The header of the log segment '{file}' is malformed.");
    }

    /// <summary>Mixed into every batch's checksum.</summary>
    public static ulong SeedOf(LogIdentity identity)
    {
        var writer = new CodecWriter();
        WriteIdentity(writer, identity);
        return Checksum.Of(writer.Span);
    }

    public static void WriteIdentity(CodecWriter writer, LogIdentity identity)
    {
        writer.String(identity.Cluster);
        writer.Node(identity.Node);
        writer.Fixed64(identity.Store);
    }

    public static LogIdentity ReadIdentity(ref CodecReader reader) => new(reader.String(), reader.Node(), reader.Fixed64());

    // The version takes part in the checksum: a flipped bit in it is damage, not a foreign format.
    private static ulong Seed(uint version) => Magic ^ version;
}
