using System.Buffers.Binary;
using Synod.Core;

namespace Synod.Storage.Mvcc;

/// <summary>The first byte of every stored key. Values are part of the store's format.</summary>
internal enum KeyFamily : byte
{
    Format = 0,
    Meta = 1,
    Version = 3,
}

/// <summary>
/// Stored keys: family, user key, and for a version its inverted timestamp, so that one ordered store holds the versions of each
/// key next to each other with the newest first. The user key is escaped (00 becomes 00 FF) and ended with 00 01, which keeps its
/// order also where one key is a prefix of another: the end sorts below everything that may follow.
/// </summary>
internal static class StoreKeys
{
    public const int TimestampBytes = 8;
    private const byte Escape = 0x00;
    private const byte EscapedZero = 0xff;
    private const byte Terminator = 0x01;
    private const byte PastTerminator = 0x02;

    public static byte[] Version(Key key, Timestamp timestamp)
    {
        var stored = Encode(key.Span, Terminator, TimestampBytes);
        BinaryPrimitives.WriteUInt64BigEndian(stored.AsSpan(stored.Length - TimestampBytes), Inverted(timestamp));
        return stored;
    }

    /// <summary>Above every version of the key, and below those of the next.</summary>
    public static byte[] VersionsEnd(Key key) => Encode(key.Span, PastTerminator, 0);

    /// <summary>The version at <paramref name="timestamp"/> of the key whose versions begin with <paramref name="prefix"/>.</summary>
    public static byte[] AtTimestamp(ReadOnlySpan<byte> prefix, Timestamp timestamp)
    {
        var stored = new byte[prefix.Length + TimestampBytes];
        prefix.CopyTo(stored);
        BinaryPrimitives.WriteUInt64BigEndian(stored.AsSpan(prefix.Length), Inverted(timestamp));
        return stored;
    }

    /// <summary>Above every version that begins with <paramref name="prefix"/>, and below those of the next key.</summary>
    public static byte[] AfterVersions(ReadOnlySpan<byte> prefix)
    {
        var stored = prefix.ToArray();
        stored[^1] = PastTerminator;
        return stored;
    }

    /// <summary>All stored versions of the user keys of <paramref name="span"/>.</summary>
    public static KeySpan Versions(KeySpan span) => new(
        new Key(span.Start.IsEmpty ? [(byte)KeyFamily.Version] : Encode(span.Start.Span, Terminator, 0)),
        new Key(span.End.IsEmpty ? [(byte)(KeyFamily.Version + 1)] : Encode(span.End.Span, Terminator, 0)));

    public static KeySpan WithPrefix(byte[] prefix)
    {
        var end = prefix.AsSpan().ToArray();
        var last = end.Length - 1;
        while (end[last] == 0xff)
        {
            last--;
        }

        end[last]++;
        return new KeySpan(new Key(prefix), new Key(end.AsMemory(0, last + 1)));
    }

    /// <summary>Takes a stored version key apart; false if it is not one.</summary>
    public static bool TryVersion(ReadOnlySpan<byte> stored, out Key key, out Timestamp timestamp)
    {
        timestamp = default;
        if (!TryUserKey(stored, out key, out var used) || stored.Length != used + TimestampBytes)
        {
            return false;
        }

        timestamp = TimestampOf(stored);
        return true;
    }

    /// <summary>The timestamp of a well-formed version key.</summary>
    public static Timestamp TimestampOf(ReadOnlySpan<byte> stored) =>
        new((long)(~BinaryPrimitives.ReadUInt64BigEndian(stored[^TimestampBytes..]) ^ 1UL << 63));

    private static ulong Inverted(Timestamp timestamp) => ~((ulong)timestamp.Nanoseconds ^ 1UL << 63);

    private static byte[] Encode(ReadOnlySpan<byte> key, byte end, int extra)
    {
        var zeros = key.Count(Escape);
        var stored = new byte[1 + key.Length + zeros + 2 + extra];
        stored[0] = (byte)KeyFamily.Version;
        var at = 1;
        if (zeros == 0)
        {
            key.CopyTo(stored.AsSpan(at));
            at += key.Length;
        }
        else
        {
            foreach (var item in key)
            {
                stored[at++] = item;
                if (item == Escape)
                {
                    stored[at++] = EscapedZero;
                }
            }
        }

        stored[at] = Escape;
        stored[at + 1] = end;
        return stored;
    }

    private static bool TryUserKey(ReadOnlySpan<byte> stored, out Key key, out int used)
    {
        key = default;
        used = 0;
        if (stored.IsEmpty || stored[0] != (byte)KeyFamily.Version)
        {
            return false;
        }

        var user = new byte[stored.Length];
        var length = 0;
        for (var at = 1; at + 1 < stored.Length; at++)
        {
            if (stored[at] != Escape)
            {
                user[length++] = stored[at];
                continue;
            }

            at++;
            if (stored[at] == Terminator)
            {
                key = new Key(user.AsMemory(0, length));
                used = at + 1;
                return true;
            }

            if (stored[at] != EscapedZero)
            {
                return false;
            }

            user[length++] = Escape;
        }

        return false;
    }
}
