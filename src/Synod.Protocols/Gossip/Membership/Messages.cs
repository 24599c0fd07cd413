using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Membership
{
    /// <summary>What nodes say to each other. News about members rides on every message.</summary>
    public abstract record Message : IGossipMessage
    {
        /// <summary>News about members; in a <see cref="Sync"/>, the sender's table.</summary>
        public ImmutableArray<Update> Updates { get; init; } = [];

        public abstract Transport Transport { get; }

        private string News => Updates.IsEmpty ? "" : $" [{string.Join("; ", Updates)}]";

        /// <summary>To the target of a probe: are you there? The second try goes over a stream.</summary>
        /// <param name="Target">Whom the sender means: an address may have changed hands.</param>
        public sealed record Ping(NodeId Target, long Sequence, Transport Carrier = Transport.Datagram) : Message
        {
            public override Transport Transport => Carrier;

            public override string ToString() =>
                string.Create(CultureInfo.InvariantCulture, $"Ping {Target} #{Sequence}{(Carrier == Transport.Stream ? " by stream" : "")}{News}");
        }

        /// <summary>The answer to a <see cref="Ping"/>, also as relayed to whoever asked with <see cref="PingReq"/>.</summary>
        public sealed record Ack(long Sequence, Transport Carrier = Transport.Datagram) : Message
        {
            public override Transport Transport => Carrier;

            public override string ToString() =>
                string.Create(CultureInfo.InvariantCulture, $"Ack #{Sequence}{(Carrier == Transport.Stream ? " by stream" : "")}{News}");
        }

        /// <summary>To a helper: ping the target for me, it does not answer.</summary>
        public sealed record PingReq(NodeId Target, long Sequence) : Message
        {
            public override Transport Transport => Transport.Datagram;

            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"PingReq {Target} #{Sequence}{News}");
        }

        /// <summary>Helper to asker: I heard you in time, but nothing from the target so far. So it is not you who is slow.</summary>
        public sealed record Nack(long Sequence) : Message
        {
            public override Transport Transport => Transport.Datagram;

            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Nack #{Sequence}{News}");
        }

        /// <summary>To a few at random, while there is news.</summary>
        public sealed record Gossip : Message
        {
            public override Transport Transport => Transport.Datagram;

            public override string ToString() => $"Gossip{News}";
        }

        /// <summary>To anyone, also the dead and the seeds: this is my table in short. Who has another answers with <see cref="Sync"/>.</summary>
        public sealed record Digest(ulong Sum) : Message
        {
            public override Transport Transport => Transport.Datagram;

            public override string ToString() => $"Digest {Sum:x16}{News}";
        }

        /// <summary>A whole table.</summary>
        public sealed record Sync(SyncKind Kind) : Message
        {
            public override Transport Transport => Transport.Stream;

            public override string ToString() => $"Sync {Kind}{News}";
        }
    }

    /// <summary>What a <see cref="Message.Sync"/> is for.</summary>
    public enum SyncKind : byte
    {
        /// <summary>From a node that is no member yet: tell me yours.</summary>
        Join,

        /// <summary>Here is mine, tell me yours.</summary>
        Push,

        /// <summary>Here is mine, since you asked.</summary>
        Reply,
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        /// <summary>This node may use incarnations up to this one, so its successor after a restart uses larger ones.</summary>
        public sealed record Reserved(long Incarnation) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Reserved {Incarnation}");
        }
    }
}
