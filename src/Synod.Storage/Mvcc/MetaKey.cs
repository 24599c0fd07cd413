using System.Buffers.Binary;
using Synod.Core;

namespace Synod.Storage.Mvcc;

/// <summary>Keys of a group's own data beside the versions: its applied slot, sessions, transactions and so on.</summary>
public static class MetaKey
{
    /// <summary>The bytes before the suffix.</summary>
    public const int PrefixBytes = 10;

    /// <param name="group">The group that owns the datum.</param>
    /// <param name="kind">What it is: the caller's list.</param>
    /// <param name="suffix">Which one of the kind; ordered as it is.</param>
    public static byte[] Of(ulong group, byte kind, ReadOnlySpan<byte> suffix = default)
    {
        var key = new byte[PrefixBytes + suffix.Length];
        key[0] = (byte)KeyFamily.Meta;
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1), group);
        key[9] = kind;
        suffix.CopyTo(key.AsSpan(PrefixBytes));
        return key;
    }

    /// <summary>All keys of one kind of one group, as stored.</summary>
    public static KeySpan Kind(ulong group, byte kind) => StoreKeys.WithPrefix(Of(group, kind));

    /// <summary>All keys of one group, as stored.</summary>
    public static KeySpan Group(ulong group) => StoreKeys.WithPrefix(Of(group, 0)[..^1]);

    /// <summary>All keys of all groups, as stored.</summary>
    public static KeySpan All => StoreKeys.WithPrefix([(byte)KeyFamily.Meta]);

    /// <summary>The group of a stored key.</summary>
    public static ulong GroupOf(ReadOnlySpan<byte> stored) => BinaryPrimitives.ReadUInt64BigEndian(stored[1..]);

    /// <summary>The kind of a stored key.</summary>
    public static byte KindOf(ReadOnlySpan<byte> stored) => stored[9];

    /// <summary>The suffix of a stored key.</summary>
    public static ReadOnlySpan<byte> SuffixOf(ReadOnlySpan<byte> stored) => stored[PrefixBytes..];
}
