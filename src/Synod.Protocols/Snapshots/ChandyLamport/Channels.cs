using Synod.Core;

namespace Synod.Protocols.Snapshots;

public sealed partial class ChandyLamport
{
    /// <summary>
    /// The sending end of a channel. What is in it is rebuilt from durable inputs after a restart with the same numbers, so a restart
    /// loses nothing and sends nothing twice; only a restore resets it.
    /// </summary>
    private sealed class Outgoing
    {
        public readonly SortedDictionary<long, Parcel> Unacknowledged = [];

        /// <summary>The sequence number of the last parcel.</summary>
        public long Last;

        /// <summary>How many messages of the application there are among the parcels.</summary>
        public long Messages;

        /// <summary>The last parcel that was sent since it had to be sent again.</summary>
        public long Told;

        public void Post(Parcel parcel) => Unacknowledged.Add(++Last, parcel);

        /// <summary>The receiver has everything up to <paramref name="through"/>, and <paramref name="sequence"/>, on its disk.</summary>
        public void Acknowledge(long through, long sequence)
        {
            while (Unacknowledged.Count > 0 && Unacknowledged.Keys.First() <= through)
            {
                Unacknowledged.Remove(Unacknowledged.Keys.First());
            }

            Unacknowledged.Remove(sequence);
        }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("last", ref Last);
            visitor.Visit("messages", ref Messages);
            visitor.Visit("told", ref Told);
            visitor.Visit(
                "unacknowledged",
                Unacknowledged,
                static (v, ref sequence) => v.Visit("", ref sequence),
                static (v, ref parcel) => v.Visit("", ref parcel, Fields.Parcels));
        }
    }

    /// <summary>The receiving end of a channel: what was delivered, each parcel once.</summary>
    private sealed class Incoming
    {
        private readonly List<long> _beyond = [];
        private long _through;

        /// <summary>How many messages of the application were received.</summary>
        public long Messages;

        /// <summary>The highest number among them.</summary>
        public long Highest;

        /// <summary>The sender's highest epoch without this channel that was heard of.</summary>
        public long Entered;

        /// <summary>The parcel that told of <see cref="Entered"/>.</summary>
        public long EnteredAt;

        /// <summary>Every parcel up to this one was delivered.</summary>
        public long Through => _through;

        /// <summary>Whether nothing more comes that was sent before <paramref name="epoch"/>, an epoch without this channel.</summary>
        public bool HasEnded(long epoch) => Entered >= epoch && _through >= EnteredAt;

        public bool Has(long sequence) => sequence <= _through || _beyond.BinarySearch(sequence) >= 0;

        public void Take(long sequence)
        {
            var at = _beyond.BinarySearch(sequence);
            if (at < 0 && sequence > _through)
            {
                _beyond.Insert(~at, sequence);
            }

            while (_beyond.Count > 0 && _beyond[0] == _through + 1)
            {
                _beyond.RemoveAt(0);
                _through++;
            }
        }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("through", ref _through);
            visitor.Visit("messages", ref Messages);
            visitor.Visit("highest", ref Highest);
            visitor.Visit("entered", ref Entered);
            visitor.Visit("enteredAt", ref EnteredAt);
            visitor.Visit("beyond", _beyond, static (v, ref sequence) => v.Visit("", ref sequence));
        }
    }

    /// <summary>What this process has recorded for one snapshot.</summary>
    private sealed class Recording
    {
        public readonly SortedDictionary<NodeId, Recorded> Channels = [];
        public readonly SortedDictionary<NodeId, long> Sent = [];
        public ReadOnlyMemory<byte> LocalState;

        /// <summary>Whose marker or coloured message came first; none at the initiator.</summary>
        public NodeId Trigger;
        public bool Handed;

        /// <summary>What the recorded channels hold.</summary>
        public long Bytes;

        public long Messages => Channels.Values.Sum(channel => (long)channel.Contents.Count);

        public bool IsComplete => Channels.Values.All(channel => channel.IsClosed);

        public void State(StateVisitor visitor)
        {
            visitor.Visit("state", ref LocalState);
            visitor.Visit("trigger", ref Trigger);
            visitor.Visit("handed", ref Handed);
            visitor.Visit("bytes", ref Bytes);
            visitor.Visit("channels", Channels, VisitNode, static (v, ref item) => (item ??= new()).State(v));
            visitor.Visit("sent", Sent, VisitNode, static (v, ref count) => v.Visit("", ref count));
        }

        public Piece ToPiece(SnapshotId id, NodeId self) => new(
            id,
            self,
            LocalState,
            [.. Channels.Select(item => new ChannelPiece(
                item.Key, item.Value.Received, item.Value.Highest, [.. item.Value.Contents.OrderBy(message => message.Number)]))],
            [.. Sent.Select(item => new SentCount(item.Key, item.Value))]);
    }

    /// <summary>The recorded state of one incoming channel.</summary>
    private sealed class Recorded
    {
        public readonly List<InChannel> Contents = [];
        public bool IsClosed;
        public long Received;
        public long Highest;

        /// <summary>How many messages went before the sender's cut; negative until its marker is there.</summary>
        public long Expected = -1;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("closed", ref IsClosed);
            visitor.Visit("received", ref Received);
            visitor.Visit("highest", ref Highest);
            visitor.Visit("expected", ref Expected);
            visitor.Visit("contents", Contents, static (v, ref message) =>
            {
                var (number, body) = message;
                v.Visit("", ref number);
                v.Visit("", ref body);
                message = new InChannel(number, body);
            });
        }
    }

    /// <summary>A snapshot that this node began.</summary>
    private sealed class Led
    {
        public readonly SortedDictionary<NodeId, Piece> Pieces = [];
        public SnapshotId Id;

        /// <summary>Who waits for it here; 0 after a restart, when nobody does.</summary>
        public long Request;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("id", ref Id, Fields.Ids);
            visitor.Visit("request", ref Request);
            visitor.Visit("pieces", Pieces, VisitNode, static (v, ref piece) => v.Visit("", ref piece, Fields.Pieces));
        }
    }

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);
}
