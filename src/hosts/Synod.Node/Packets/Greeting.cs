using System.Buffers.Binary;
using System.Security.Cryptography;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// The first bytes on a sealed stream from each end: kind and version (1), sender (4), session (8), nonce (16), and a proof (16) that the
/// sender has a cluster key. The answer's proof covers both greetings, so that it cannot be an old one.
/// </summary>
internal readonly record struct Greeting(NodeId Sender, ulong Session)
{
    /// <summary>No TLS record and no frame begins with it: one port serves all three.</summary>
    public const byte KindAndVersion = 0xb2;

    /// <summary>Sent alone, in place of an answer: no key of this node made the proof.</summary>
    public const byte NoKey = 0xb0;

    public const int Length = SignedLength + ProofLength;
    public const int NonceLength = 16;

    private const int NonceAt = 13;
    private const int SignedLength = NonceAt + NonceLength;
    private const int ProofLength = 16;

    /// <summary>Makes a greeting, or the answer to <paramref name="heard"/>.</summary>
    public byte[] ToBytes(ClusterKeys keys, int key, string cluster, ReadOnlySpan<byte> heard)
    {
        var bytes = new byte[Length];
        bytes[0] = KindAndVersion;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), Sender.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(5), Session);
        RandomNumberGenerator.Fill(bytes.AsSpan(NonceAt, NonceLength));
        keys.Sign(key, cluster, [.. heard, .. bytes.AsSpan(0, SignedLength)], bytes.AsSpan(SignedLength));
        return bytes;
    }

    /// <summary>Reads what anyone may have sent; <paramref name="key"/> is the one that proved it.</summary>
    public static PacketFault TryRead(
        ReadOnlySpan<byte> bytes, ClusterKeys keys, string cluster, ReadOnlySpan<byte> said, out Greeting greeting, out int key)
    {
        greeting = new(
            new NodeId(BinaryPrimitives.ReadInt32LittleEndian(bytes[1..])), BinaryPrimitives.ReadUInt64LittleEndian(bytes[5..]));
        key = -1;
        if (bytes[0] != KindAndVersion || greeting.Sender.Value <= 0)
        {
            return PacketFault.Malformed;
        }

        key = keys.FindSigner(cluster, [.. said, .. bytes[..SignedLength]], bytes[SignedLength..Length]);
        return key < 0 ? PacketFault.Forged : PacketFault.None;
    }

    /// <summary>What both ends have drawn, the dialler's part first.</summary>
    public static byte[] Salt(ReadOnlySpan<byte> dialler, ReadOnlySpan<byte> acceptor) =>
        [.. dialler.Slice(NonceAt, NonceLength), .. acceptor.Slice(NonceAt, NonceLength)];
}
