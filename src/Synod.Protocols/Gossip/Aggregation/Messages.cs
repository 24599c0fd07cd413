using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Aggregation
{
    /// <summary>What nodes say to each other.</summary>
    public abstract record Message(long Epoch)
    {
        /// <summary>To a peer: this is yours now. The number is the sender's in this epoch, and the mass is added once under it.</summary>
        public sealed record Transfer(long Epoch, long Number, Mass Mass) : Message(Epoch)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Transfer {Epoch}/{Number} {Mass}");
        }

        /// <summary>To the sender of a transfer: I have it.</summary>
        public sealed record Ack(long Epoch, long Number) : Message(Epoch)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Ack {Epoch}/{Number}");
        }

        /// <summary>To the sender of a transfer of an epoch that is over: this is the one that I am in.</summary>
        public sealed record Ahead(long Epoch) : Message(Epoch)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Ahead {Epoch}");
        }
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        /// <summary>Before anything of an epoch leaves: this node takes part in it, and in no earlier one from now on.</summary>
        public sealed record Entered(long Epoch) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Entered {Epoch}");
        }
    }

    /// <summary>What a host asks.</summary>
    public abstract record Command
    {
        /// <summary>The node's readings of a metric from now on, which it puts in with each epoch; none to withdraw it.</summary>
        public sealed record Observe(int Metric, System.Collections.Immutable.ImmutableArray<long> Readings) : Command
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Observe {Metric} [{string.Join(" ", Readings)}]");
        }

        /// <summary>From now on these are the peers.</summary>
        public sealed record Meet(PeerView Peers) : Command
        {
            public override string ToString() => $"Meet {Peers}";
        }
    }

    /// <summary>What a host is answered.</summary>
    public abstract record Result
    {
        public sealed record Done : Result
        {
            public override string ToString() => "Done";
        }

        /// <summary>Too many metrics or readings.</summary>
        public sealed record Malformed : Result
        {
            public override string ToString() => "Malformed";
        }
    }

    /// <summary>The binary form of messages.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Transfer transfer:
                    writer.Byte(1);
                    writer.Signed(transfer.Epoch);
                    writer.Signed(transfer.Number);
                    Mass.Wire.Instance.Write(writer, transfer.Mass);
                    break;
                case Message.Ack ack:
                    writer.Byte(2);
                    writer.Signed(ack.Epoch);
                    writer.Signed(ack.Number);
                    break;
                case Message.Ahead ahead:
                    writer.Byte(3);
                    writer.Signed(ahead.Epoch);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Message.Transfer(ReadEpoch(ref reader), reader.Signed(), Mass.Wire.Instance.Read(ref reader)),
            2 => new Message.Ack(ReadEpoch(ref reader), reader.Signed()),
            3 => new Message.Ahead(ReadEpoch(ref reader)),
            _ => null,
        };
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.Entered entered:
                    writer.Byte(1);
                    writer.Signed(entered.Epoch);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() == 1 ? new Record.Entered(ReadEpoch(ref reader)) : null;
    }

    /// <summary>An epoch, of which there are not more than a node could count.</summary>
    private static long ReadEpoch(ref CodecReader reader)
    {
        var epoch = reader.Signed();
        if (epoch is < 1 or > MostEpochs)
        {
            reader.Fail();
            return 1;
        }

        return epoch;
    }
}
