using System.Collections.Immutable;
using System.Numerics;
using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Membership
{
    /// <summary>The binary form of messages: one byte for the kind, its fields, then the news.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Ping ping:
                    writer.Byte(ping.Carrier == Transport.Datagram ? (byte)1 : (byte)2);
                    writer.Node(ping.Target);
                    writer.Unsigned((ulong)ping.Sequence);
                    break;
                case Message.Ack ack:
                    writer.Byte(ack.Carrier == Transport.Datagram ? (byte)3 : (byte)4);
                    writer.Unsigned((ulong)ack.Sequence);
                    break;
                case Message.PingReq request:
                    writer.Byte(5);
                    writer.Node(request.Target);
                    writer.Unsigned((ulong)request.Sequence);
                    break;
                case Message.Nack nack:
                    writer.Byte(6);
                    writer.Unsigned((ulong)nack.Sequence);
                    break;
                case Message.Gossip:
                    writer.Byte(7);
                    break;
                case Message.Digest digest:
                    writer.Byte(8);
                    writer.Fixed64(digest.Sum);
                    break;
                case Message.Sync sync:
                    writer.Byte((byte)(9 + (byte)sync.Kind));
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }

            writer.Many(value.Updates, Wire.Write);
        }

        /// <summary>How an encoded message travels, by its first byte.</summary>
        public static Transport TransportOf(ReadOnlySpan<byte> message) =>
            message[0] is 2 or 4 or >= 9 ? Transport.Stream : Transport.Datagram;

        public Message? Read(ref CodecReader reader)
        {
            Message? message = reader.Byte() switch
            {
                1 => new Message.Ping(reader.Node(), (long)reader.Unsigned()),
                2 => new Message.Ping(reader.Node(), (long)reader.Unsigned(), Transport.Stream),
                3 => new Message.Ack((long)reader.Unsigned()),
                4 => new Message.Ack((long)reader.Unsigned(), Transport.Stream),
                5 => new Message.PingReq(reader.Node(), (long)reader.Unsigned()),
                6 => new Message.Nack((long)reader.Unsigned()),
                7 => new Message.Gossip(),
                8 => new Message.Digest(reader.Fixed64()),
                9 => new Message.Sync(SyncKind.Join),
                10 => new Message.Sync(SyncKind.Push),
                11 => new Message.Sync(SyncKind.Reply),
                _ => null,
            };
            if (message is null)
            {
                return null;
            }

            var updates = reader.Many(Wire.Read);
            return updates.IsEmpty ? message : message with { Updates = updates };
        }
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            writer.Byte(1);
            writer.Signed(((Record.Reserved)value).Incarnation);
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() == 1 ? new Record.Reserved(reader.Signed()) : null;
    }

    /// <summary>
    /// The binary form of news. Its first byte holds the status (2 bits), whether a description follows (1) and the number of accusers
    /// (3).
    /// </summary>
    private static class Wire
    {
        /// <summary>The most bytes of a message that carries no news.</summary>
        public const int MaxHeadBytes = 1 + 5 + 10 + 3;

        private const int MostAccusers = 7;
        private const int LeastUpdateBytes = 3;

        /// <summary>More news than this does not fit into a datagram.</summary>
        public static int MostUpdates(int bytes) => bytes / LeastUpdateBytes;

        public static int Size(in Update update)
        {
            var size = 1 + Size((ulong)update.Member.Value) + Size((ulong)update.Incarnation);
            if (update.Description is { } description)
            {
                var (address, tags) = (description.Address.Length, description.Tags.Length);
                size += Size((ulong)address) + address + Size((ulong)tags) + tags + Size((ulong)(update.Incarnation - update.Described));
            }

            foreach (var accuser in update.Accusers)
            {
                size += Size((ulong)accuser.Value);
            }

            return size;
        }

        public static void Write(CodecWriter writer, Update update)
        {
            writer.Byte((byte)((int)update.Status | (update.Description is null ? 0 : 4) | update.Accusers.Length << 3));
            writer.Node(update.Member);
            writer.Unsigned((ulong)update.Incarnation);
            if (update.Description is { } description)
            {
                writer.Bytes(description.Address.Span);
                writer.Bytes(description.Tags.Span);
                writer.Unsigned((ulong)(update.Incarnation - update.Described));
            }

            foreach (var accuser in update.Accusers)
            {
                writer.Node(accuser);
            }
        }

        public static Update Read(ref CodecReader reader)
        {
            var head = reader.Byte();
            var status = (MemberStatus)(head & 3);
            var (member, incarnation) = (reader.Node(), (long)reader.Unsigned());
            var (description, described) = (default(MemberDescription), 0L);
            if ((head & 4) != 0)
            {
                description = new MemberDescription(reader.Bytes(), reader.Bytes());
                described = incarnation - (long)reader.Unsigned();
            }

            var accusers = ImmutableArray<NodeId>.Empty;
            if (head >> 3 is var count and > 0)
            {
                var builder = ImmutableArray.CreateBuilder<NodeId>(Math.Min(count, MostAccusers));
                for (; count > 0 && !reader.Failed; count--)
                {
                    builder.Add(reader.Node());
                }

                accusers = builder.ToImmutable();
            }

            var isSound = head >> 3 <= MostAccusers && incarnation > 0
                && (description is null ? described == 0 : description.IsSound && described >= 1 && described <= incarnation)
                && (status == MemberStatus.Suspect ? !accusers.IsEmpty : accusers.IsEmpty)
                && (status != MemberStatus.Alive || described == incarnation);
            if (!isSound)
            {
                reader.Fail();
            }

            return new Update(member, status, incarnation, description, described, accusers);
        }

        private static int Size(ulong value) => value == 0 ? 1 : (70 - BitOperations.LeadingZeroCount(value)) / 7;
    }
}
