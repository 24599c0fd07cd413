using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// The version of a rumor: who started it, and its number there (gossip.md §1). A number alone would let two writers give one version to
/// different contents, which then never converge.
/// </summary>
/// <param name="Counter">1 for the origin's first in this incarnation.</param>
/// <param name="Incarnation">
/// Which life of the origin's durable state it is of: a node whose disk was lost counts from 1 again, and what others know of the numbers
/// that it gave out before must not be taken for these.
/// </param>
public readonly record struct RumorId(NodeId Origin, long Counter, long Incarnation = 0) : IComparable<RumorId>
{
    public int CompareTo(RumorId other) =>
        Origin != other.Origin ? Origin.CompareTo(other.Origin)
        : Incarnation != other.Incarnation ? Incarnation.CompareTo(other.Incarnation)
        : Counter.CompareTo(other.Counter);

    public override string ToString() => Incarnation == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{Origin}.{Counter}")
        : string.Create(CultureInfo.InvariantCulture, $"{Origin}/{Incarnation:x}.{Counter}");

    /// <summary>The binary form.</summary>
    public sealed class Wire : IWire<RumorId>
    {
        public static Wire Instance { get; } = new();

        public void Write(CodecWriter writer, RumorId value)
        {
            writer.Node(value.Origin);
            writer.Unsigned((ulong)value.Incarnation);
            writer.Unsigned((ulong)value.Counter);
        }

        public RumorId Read(ref CodecReader reader)
        {
            var origin = reader.Node();
            var incarnation = reader.Unsigned();
            var counter = reader.Unsigned();
            if (counter is 0 or > long.MaxValue || incarnation > long.MaxValue)
            {
                reader.Fail();
                return default;
            }

            return new RumorId(origin, (long)counter, (long)incarnation);
        }
    }
}

/// <summary>Something that everybody is to know. One id has one body, for ever.</summary>
public sealed record Rumor(RumorId Id, ReadOnlyMemory<byte> Body)
{
    public override string ToString() => $"{Id}:{(Body.Length <= 16 ? new Key(Body) : $"{Body.Length} bytes")}";

    /// <summary>The same, with bytes of its own instead of a slice of a frame.</summary>
    internal Rumor Kept() => this with { Body = Body.ToArray() };

    /// <summary>The binary form.</summary>
    public sealed class Wire : IWire<Rumor>
    {
        public static Wire Instance { get; } = new();

        public void Write(CodecWriter writer, Rumor value)
        {
            RumorId.Wire.Instance.Write(writer, value.Id);
            writer.Bytes(value.Body.Span);
        }

        public Rumor Read(ref CodecReader reader) => new(RumorId.Wire.Instance.Read(ref reader), reader.Bytes());
    }
}

/// <summary>What a node takes from others at most, so that nobody can fill its memory.</summary>
public sealed record RumorLimits
{
    /// <summary>Bytes of one body.</summary>
    public int MostBodyBytes { get; init; } = 1_024;

    /// <summary>Separate ranges of an origin's numbers that a node remembers; a rumor that would open another waits for anti-entropy.</summary>
    public int MostRanges { get; init; } = 256;

    /// <summary>Origins that a node remembers rumors of.</summary>
    public int MostOrigins { get; init; } = 65_536;

    /// <summary>Origins that left the view and whose rumors may still be under way.</summary>
    public int MostFormer { get; init; } = 1_024;
}
