using System.Buffers.Binary;
using System.Security.Cryptography;
using Synod.Core;

namespace Synod.Node;

/// <summary>Why a datagram or a stream was not taken in. Each is counted.</summary>
public enum PacketFault : byte
{
    None,

    /// <summary>Not of this protocol or version, too short, or its contents do not parse.</summary>
    Malformed,

    /// <summary>Longer than a packet may be.</summary>
    Oversize,

    /// <summary>No cluster key of this node opens it: it comes from another cluster, from a node with another key, or from nobody.</summary>
    Forged,

    /// <summary>It was taken in before, is too old to tell, or is of an earlier start of its sender.</summary>
    Replayed,

    /// <summary>Our own packet came back.</summary>
    Reflected,

    /// <summary>More than this node steps: it was left out.</summary>
    Overload,
}

/// <summary>
/// A datagram: kind and version (1 byte), sender (4), session (8) and number (4), little-endian; the sealed message; its tag (16). What is
/// before the message is authenticated with it. Sender, session and number are never used for two packets, and make up key and nonce.
/// </summary>
internal static class Packet
{
    public const int MaxLength = 1400;
    public const int HeaderLength = 17;
    public const int TagLength = 16;
    public const int MaxMessageLength = MaxLength - HeaderLength - TagLength;

    private const byte KindAndVersion = 0xb1;

    public static void WriteHeader(Span<byte> packet, NodeId sender, ulong session, uint number)
    {
        packet[0] = KindAndVersion;
        BinaryPrimitives.WriteInt32LittleEndian(packet[1..], sender.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[5..], session);
        BinaryPrimitives.WriteUInt32LittleEndian(packet[13..], number);
    }

    /// <summary>Reads what anyone may have sent.</summary>
    public static PacketFault TryReadHeader(ReadOnlySpan<byte> packet, out NodeId sender, out ulong session, out uint number)
    {
        (sender, session, number) = (NodeId.None, 0, 0);
        if (packet.Length > MaxLength)
        {
            return PacketFault.Oversize;
        }

        if (packet.Length < HeaderLength + TagLength || packet[0] != KindAndVersion)
        {
            return PacketFault.Malformed;
        }

        sender = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(packet[1..]));
        session = BinaryPrimitives.ReadUInt64LittleEndian(packet[5..]);
        number = BinaryPrimitives.ReadUInt32LittleEndian(packet[13..]);
        return sender.Value > 0 ? PacketFault.None : PacketFault.Malformed;
    }

    public static void Nonce(ulong number, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, number);
    }
}

/// <summary>Seals what a node sends. On one thread.</summary>
internal sealed class PacketSealer(ClusterKeys keys, string cluster, NodeId self, ulong session) : IDisposable
{
    private AesGcm _cipher = keys.ForPackets(0, cluster, self, session);
    private uint _number;

    /// <summary>This start of the node, or a later part of it; larger than any before.</summary>
    public ulong Session { get; private set; } = session;

    /// <summary>Seals <paramref name="message"/> into <paramref name="packet"/>; the packet's length.</summary>
    public int Seal(ReadOnlySpan<byte> message, Span<byte> packet)
    {
        if (_number == uint.MaxValue)
        {
            _cipher.Dispose();
            _cipher = keys.ForPackets(0, cluster, self, ++Session);
            _number = 0;
        }

        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        Packet.WriteHeader(packet, self, Session, ++_number);
        Packet.Nonce(_number, nonce);
        var end = Packet.HeaderLength + message.Length;
        _cipher.Encrypt(nonce, message, packet[Packet.HeaderLength..end], packet.Slice(end, Packet.TagLength), packet[..Packet.HeaderLength]);
        return end + Packet.TagLength;
    }

    public void Dispose() => _cipher.Dispose();
}

/// <summary>
/// Opens what others sealed, each packet once. Of each sender only the newest session counts; within it a window of numbers tells what
/// was there before, as in IPsec (RFC 4303 §3.4.3). Nothing is kept of a sender before a packet of it was authentic.
/// </summary>
internal sealed class PacketOpener(ClusterKeys keys, string cluster, NodeId self) : IDisposable
{
    private const int WindowLength = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, Sender> _senders = [];

    /// <summary>Opens <paramref name="packet"/> into <paramref name="message"/>, which is as long as the packet without header and tag.</summary>
    public PacketFault Open(ReadOnlySpan<byte> packet, Span<byte> message, out NodeId from)
    {
        var fault = Packet.TryReadHeader(packet, out from, out var session, out var number);
        if (fault != PacketFault.None)
        {
            return fault;
        }

        if (from == self)
        {
            return PacketFault.Reflected;
        }

        lock (_lock)
        {
            if (!_senders.TryGetValue(from, out var sender) || session > sender.Session)
            {
                return OpenFirst(packet, message, from, session, number);
            }

            if (session < sender.Session || !sender.IsNew(number))
            {
                return PacketFault.Replayed;
            }

            if (!TryOpen(sender.Cipher, packet, message, number))
            {
                return PacketFault.Forged;
            }

            sender.Take(number);
            return PacketFault.None;
        }
    }

    /// <summary>
    /// A stream has proven that <paramref name="from"/> lives in this session now. The only way back to a smaller one, for a node whose
    /// clock was behind when it started.
    /// </summary>
    public void Prove(NodeId from, ulong session, int key)
    {
        lock (_lock)
        {
            if (!_senders.TryGetValue(from, out var known) || known.Session != session)
            {
                Replace(from, new Sender(keys.ForPackets(key, cluster, from, session), session));
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var sender in _senders.Values)
            {
                sender.Cipher.Dispose();
            }

            _senders.Clear();
        }
    }

    private PacketFault OpenFirst(ReadOnlySpan<byte> packet, Span<byte> message, NodeId from, ulong session, uint number)
    {
        for (var key = 0; key < keys.Count; key++)
        {
            var cipher = keys.ForPackets(key, cluster, from, session);
            if (TryOpen(cipher, packet, message, number))
            {
                var sender = new Sender(cipher, session);
                sender.Take(number);
                Replace(from, sender);
                return PacketFault.None;
            }

            cipher.Dispose();
        }

        return PacketFault.Forged;
    }

    private void Replace(NodeId from, Sender sender)
    {
        if (_senders.TryGetValue(from, out var older))
        {
            older.Cipher.Dispose();
        }

        _senders[from] = sender;
    }

    private static bool TryOpen(AesGcm cipher, ReadOnlySpan<byte> packet, Span<byte> message, uint number)
    {
        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        Packet.Nonce(number, nonce);
        try
        {
            cipher.Decrypt(
                nonce, packet[Packet.HeaderLength..^Packet.TagLength], packet[^Packet.TagLength..], message, packet[..Packet.HeaderLength]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private sealed class Sender(AesGcm cipher, ulong session)
    {
        private uint _highest;
        private ulong _taken;

        public AesGcm Cipher { get; } = cipher;

        public ulong Session { get; } = session;

        public bool IsNew(uint number) =>
            number > _highest || (_highest - number < WindowLength && (_taken >> (int)(_highest - number) & 1) == 0);

        public void Take(uint number)
        {
            if (number > _highest)
            {
                var ahead = number - _highest;
                _taken = ahead < WindowLength ? _taken << (int)ahead : 0;
                _highest = number;
            }

            _taken |= 1UL << (int)(_highest - number);
        }
    }
}
