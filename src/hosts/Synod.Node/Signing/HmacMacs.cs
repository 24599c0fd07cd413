using System.Buffers.Binary;
using System.Security.Cryptography;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Node;

/// <summary>HMAC-SHA-256, cut to 128 bits, with a key for each pair of nodes. The sender is part of what is authenticated.</summary>
public sealed class HmacMacs : IMacs
{
    /// <summary>The fewest bytes of a key.</summary>
    public const int LeastKeySize = 16;

    private readonly NodeId _self;
    private readonly SortedDictionary<NodeId, byte[]> _keys = [];

    /// <param name="self">This node.</param>
    /// <param name="keys">The key shared with each other node.</param>
    /// <exception cref="ArgumentException">A key is too short.</exception>
    public HmacMacs(NodeId self, IReadOnlyDictionary<NodeId, byte[]> keys)
    {
        _self = self;
        foreach (var (node, key) in keys)
        {
            if (key.Length < LeastKeySize)
            {
                throw new ArgumentException($"The key shared with {node} has fewer than {LeastKeySize} bytes.", nameof(keys));
            }

            _keys.Add(node, key);
        }
    }

    /// <exception cref="ArgumentException">No key is shared with <paramref name="receiver"/>.</exception>
    public Mac Authenticate(NodeId receiver, ReadOnlySpan<byte> statement) =>
        _keys.TryGetValue(receiver, out var key)
            ? Code(key, _self, statement)
            : throw new ArgumentException($"No key is shared with {receiver}.", nameof(receiver));

    public bool Check(NodeId sender, ReadOnlySpan<byte> statement, Mac mac)
    {
        if (!_keys.TryGetValue(sender, out var key))
        {
            return false;
        }

        Span<byte> claimed = stackalloc byte[16];
        Span<byte> expected = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(claimed, mac.Value);
        BinaryPrimitives.WriteUInt128LittleEndian(expected, Code(key, sender, statement).Value);
        return CryptographicOperations.FixedTimeEquals(claimed, expected);
    }

    private static Mac Code(byte[] key, NodeId sender, ReadOnlySpan<byte> statement)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var authenticated = new byte[sizeof(int) + statement.Length];
        BinaryPrimitives.WriteInt32LittleEndian(authenticated, sender.Value);
        statement.CopyTo(authenticated.AsSpan(sizeof(int)));
        HMACSHA256.HashData(key, authenticated, hash);
        return new Mac(BinaryPrimitives.ReadUInt128LittleEndian(hash));
    }
}
