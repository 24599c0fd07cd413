using System.Text;

namespace Synod.Core;

/// <summary>A key of the ordered key space: bytes, compared as unsigned numbers from the left; a prefix comes first.</summary>
public readonly struct Key(ReadOnlyMemory<byte> bytes) : IEquatable<Key>, IComparable<Key>
{
    /// <summary>The longest key that is accepted, in bytes.</summary>
    public const int MaxLength = 4096;

    /// <summary>The lowest key, and "no bound" where it ends a span.</summary>
    public static Key Empty => default;

    public ReadOnlyMemory<byte> Memory => bytes;

    public ReadOnlySpan<byte> Span => bytes.Span;

    public bool IsEmpty => bytes.IsEmpty;

    public static Key Of(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>The least key above this one: itself with a zero byte appended.</summary>
    public Key Successor()
    {
        var next = new byte[bytes.Length + 1];
        bytes.Span.CopyTo(next);
        return new Key(next);
    }

    public int CompareTo(Key other) => Span.SequenceCompareTo(other.Span);

    public bool Equals(Key other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is Key other && Equals(other);

    /// <summary>For lookups in hash tables only: never a value, never an order.</summary>
    public override int GetHashCode()
    {
        // FNV-1a: the same in every process, so that a simulation and its replay agree even on probe orders.
        var hash = 2166136261u;
        foreach (var item in Span)
        {
            hash = (hash ^ item) * 16777619u;
        }

        return (int)hash;
    }

    public static bool operator ==(Key left, Key right) => left.Equals(right);

    public static bool operator !=(Key left, Key right) => !left.Equals(right);

    public static bool operator <(Key left, Key right) => left.CompareTo(right) < 0;

    public static bool operator >(Key left, Key right) => left.CompareTo(right) > 0;

    public static bool operator <=(Key left, Key right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Key left, Key right) => left.CompareTo(right) >= 0;

    /// <summary>Printable text as it is, other bytes as \xNN.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var item in Span)
        {
            _ = item is >= 0x20 and < 0x7f and not (byte)'\\' ? text.Append((char)item) : text.Append($"\\x{item:x2}");
        }

        return text.ToString();
    }
}

/// <summary>The keys from <paramref name="Start"/> up to but without <paramref name="End"/>; an empty end means no bound.</summary>
public readonly record struct KeySpan(Key Start, Key End)
{
    /// <summary>The whole key space.</summary>
    public static KeySpan All => default;

    /// <summary>The span that holds just <paramref name="key"/>.</summary>
    public static KeySpan Only(Key key) => new(key, key.Successor());

    /// <summary>Whether no key is inside.</summary>
    public bool IsEmpty => !End.IsEmpty && Start >= End;

    public bool Contains(Key key) => key >= Start && (End.IsEmpty || key < End);

    public bool Contains(KeySpan other) =>
        other.Start >= Start && (End.IsEmpty || (!other.End.IsEmpty && other.End <= End));

    public bool Overlaps(KeySpan other) =>
        !IsEmpty && !other.IsEmpty && (other.End.IsEmpty || Start < other.End) && (End.IsEmpty || other.Start < End);

    /// <summary>The keys in both; meaningful only if they overlap.</summary>
    public KeySpan Intersect(KeySpan other) => new(
        Start > other.Start ? Start : other.Start,
        End.IsEmpty ? other.End : other.End.IsEmpty || End < other.End ? End : other.End);

    public override string ToString() => $"[{Start}, {(End.IsEmpty ? "∞" : End.ToString())})";
}
