using System.Security.Cryptography;
using System.Text;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// The secrets that the nodes of a cluster share. The first one seals what a node sends; every one opens what it receives, so that a
/// key is replaced without a stop: add the new one everywhere, then put it first everywhere, then take the old one out.
/// </summary>
public sealed class ClusterKeys
{
    /// <summary>The length of a key in bytes.</summary>
    public const int KeyLength = 32;

    private const int MostKeys = 4;

    private readonly byte[][] _keys;

    /// <param name="keys">Each is <see cref="KeyLength"/> random bytes as base64, as <c>synod cert create</c> draws them.</param>
    /// <exception cref="ConfigurationRefused">There is none, there are too many, or one is no such key.</exception>
    public ClusterKeys(params IReadOnlyList<string> keys)
    {
        if (keys.Count is 0 or > MostKeys)
        {
            throw new ConfigurationRefused($"A node has 1 to {MostKeys} cluster keys, not {keys.Count}.");
        }

        _keys = [.. keys.Select(Read)];
    }

    internal int Count => _keys.Length;

    /// <summary>A new random key.</summary>
    public static string Draw() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyLength));

    /// <summary>
    /// What <paramref name="sender"/> seals packets with from one start to the next. A key of its own for each start: two packets
    /// never share a key and a number, whatever a node forgot between its starts.
    /// </summary>
    internal AesGcm ForPackets(int key, string cluster, NodeId sender, ulong session) =>
        Derive(key, $"synod packets {cluster} {sender.Value} {session}", default);

    /// <summary>What one end of a stream seals with; both ends have added to <paramref name="salt"/>, so it was never used before.</summary>
    internal AesGcm ForStream(int key, string cluster, NodeId sender, ReadOnlySpan<byte> salt) =>
        Derive(key, $"synod stream {cluster} {sender.Value}", salt);

    /// <summary>Proves that the sender of <paramref name="greeting"/> has the key.</summary>
    internal void Sign(int key, string cluster, ReadOnlySpan<byte> greeting, Span<byte> proof)
    {
        Span<byte> derived = stackalloc byte[KeyLength];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _keys[key], derived, default, Encoding.UTF8.GetBytes($"synod greeting {cluster}"));
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        _ = HMACSHA256.HashData(derived, greeting, mac);
        mac[..proof.Length].CopyTo(proof);
    }

    /// <summary>The key that <paramref name="proof"/> was made with, or -1.</summary>
    internal int FindSigner(string cluster, ReadOnlySpan<byte> greeting, ReadOnlySpan<byte> proof)
    {
        Span<byte> expected = stackalloc byte[proof.Length];
        for (var key = 0; key < _keys.Length; key++)
        {
            Sign(key, cluster, greeting, expected);
            if (CryptographicOperations.FixedTimeEquals(expected, proof))
            {
                return key;
            }
        }

        return -1;
    }

    private AesGcm Derive(int key, string purpose, ReadOnlySpan<byte> salt)
    {
        Span<byte> derived = stackalloc byte[KeyLength];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _keys[key], derived, salt, Encoding.UTF8.GetBytes(purpose));
        return new AesGcm(derived, Packet.TagLength);
    }

    private static byte[] Read(string text)
    {
        var key = new byte[KeyLength];
        return Convert.TryFromBase64String(text.Trim(), key, out var length) && length == KeyLength
            ? key
            : throw new ConfigurationRefused(
                $"A cluster key is {KeyLength} random bytes as base64, and one that was given is not. Draw one with 'openssl rand -base64 {KeyLength}'.");
    }
}
