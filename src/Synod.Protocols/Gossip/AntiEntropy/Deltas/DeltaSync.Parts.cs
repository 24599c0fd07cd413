using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// What is larger than a message goes in parts, each of which is asked for by who has those before it: a lost one costs itself, a replica
/// that is away gets probes and no parts. What the parts are of is told by its hash, so a sender that died and came to the same state goes
/// on where it was, and nobody puts parts of different states together.
/// </summary>
public sealed partial class DeltaSync
{
    private readonly SortedDictionary<NodeId, Outgoing> _outgoing = [];
    private readonly SortedDictionary<NodeId, Incoming> _incoming = [];

    /// <summary>Sends a state or a delta, or the first part of it.</summary>
    private void Give(
        NodeId to, Origin receiver, long through, ReadOnlyMemory<byte> bytes, Message whole, Outbox<Message, Record, Command, Result> outbox)
    {
        if (bytes.Length <= _options.MostMessageBytes)
        {
            Send(to, whole, outbox);
            return;
        }

        var outgoing = new Outgoing(receiver, through, bytes, ItemHash.Of(Key.Empty, bytes.Span).Short);
        _outgoing[to] = outgoing;
        SendPart(to, outgoing, outbox);
    }

    /// <summary>
    /// Whether something is under way to a peer. If it did not move since the last time, the peer is asked how far it is: by an empty part.
    /// </summary>
    private bool IsUnderWay(NodeId to, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_outgoing.TryGetValue(to, out var outgoing))
        {
            return false;
        }

        if (outgoing.IsMoving)
        {
            outgoing.IsMoving = false;
        }
        else if (_options.Mutation != DeltaMutation.LostPartNotRepeated)
        {
            Send(to, outgoing.Part(_self, 0), outbox);
        }

        return true;
    }

    private void SendPart(NodeId to, Outgoing outgoing, Outbox<Message, Record, Command, Result> outbox)
    {
        outgoing.IsMoving = true;
        Send(to, outgoing.Part(_self, _options.MostMessageBytes), outbox);
    }

    private void On(NodeId from, Message.Part part, Outbox<Message, Record, Command, Result> outbox)
    {
        if (part.Through < 0 || part.Offset < 0 || part.Length <= 0 || part.Length > _options.MostStateBytes
            || part.Bytes.Length > part.Length - part.Offset)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        if (part.Receiver != default && part.Receiver != _self)
        {
            RefuseForFormerLife(from, part, outbox);
            return;
        }

        if (!_incoming.TryGetValue(from, out var incoming)
            || (incoming.Of != part.Of && _options.Mutation != DeltaMutation.PartsMixed))
        {
            incoming = _incoming[from] = new Incoming(part.Of);
        }

        if (part.Offset == incoming.Size && !part.Bytes.IsEmpty && !incoming.IsJoined)
        {
            incoming.Add(part.Bytes.ToArray());
        }
        else
        {
            outbox.Refuse(Refusal.Duplicate);
        }

        if (incoming.IsJoined || _options.Mutation == DeltaMutation.PartAcknowledged)
        {
            Send(from, new Message.Ack(_self, part.Sender, part.Through), outbox);
        }
        else if (incoming.Size < part.Length)
        {
            Send(from, new Message.Want(_self, part.Of, incoming.Size), outbox);
        }
        else
        {
            Finish(from, part, incoming, outbox);
        }
    }

    private void Finish(NodeId from, Message.Part part, Incoming incoming, Outbox<Message, Record, Command, Result> outbox)
    {
        var whole = incoming.Join();
        _incoming.Remove(from);
        if (ItemHash.Of(Key.Empty, whole.Span).Short != part.Of && _options.Mutation != DeltaMutation.PartsMixed)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (Join(from, part, whole, part.Through, outbox))
        {
            // Should its acknowledgement be lost, the sender asks how far this is.
            _incoming.Add(from, incoming);
        }
    }

    private void On(NodeId from, Message.Want want, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_outgoing.TryGetValue(from, out var outgoing) || outgoing.Of != want.Of || want.Offset < 0 || want.Offset >= outgoing.Length)
        {
            outbox.Refuse(Refusal.Unknown);
        }
        else if (want.Offset == outgoing.Offset && outgoing.IsMoving)
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else
        {
            outgoing.Offset = want.Offset;
            SendPart(from, outgoing, outbox);
        }
    }

    private void PartsState(StateVisitor visitor)
    {
        visitor.Visit("outgoing", _outgoing, static (v, ref node) => v.Visit("", ref node), static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("incoming", _incoming, static (v, ref node) => v.Visit("", ref node), static (v, ref item) => (item ??= new()).State(v));
    }

    /// <summary>A state or delta on its way to a peer, as it was when it began.</summary>
    private sealed class Outgoing
    {
        private Origin _receiver;
        private long _through;
        private ReadOnlyMemory<byte> _bytes;
        private Fingerprint _of;
        private int _offset;
        private bool _isMoving;

        public Outgoing()
        {
        }

        public Outgoing(Origin receiver, long through, ReadOnlyMemory<byte> bytes, Fingerprint of) =>
            (_receiver, _through, _bytes, _of) = (receiver, through, bytes, of);

        /// <summary>For whom alone it is good; nobody if it is good for anyone.</summary>
        public Origin Receiver => _receiver;

        public long Through => _through;

        public Fingerprint Of => _of;

        public int Length => _bytes.Length;

        /// <summary>The peer has everything before.</summary>
        public int Offset { get => _offset; set => _offset = value; }

        /// <summary>A part was sent since the last time that the peer's turn came.</summary>
        public bool IsMoving { get => _isMoving; set => _isMoving = value; }

        public Message.Part Part(Origin sender, int most) => new(
            sender, _receiver, _through, _of, _bytes.Length, _offset, _bytes.Slice(_offset, Math.Min(most, _bytes.Length - _offset)));

        public void State(StateVisitor visitor)
        {
            visitor.Visit("receiver", ref _receiver, OriginWire.Instance);
            visitor.Visit("through", ref _through);
            visitor.Visit("bytes", ref _bytes);
            visitor.Visit("offset", ref _offset);
            visitor.Visit("moving", ref _isMoving);
            if (visitor.IsReading)
            {
                _of = ItemHash.Of(Key.Empty, _bytes.Span).Short;
            }
        }
    }

    /// <summary>What has come from a peer of a state or delta in parts.</summary>
    private sealed class Incoming
    {
        private readonly List<ReadOnlyMemory<byte>> _parts = [];
        private Fingerprint _of;
        private int _size;
        private bool _isJoined;

        public Incoming()
        {
        }

        public Incoming(Fingerprint of) => _of = of;

        public Fingerprint Of => _of;

        public int Size => _size;

        /// <summary>All of it has come and is part of this state.</summary>
        public bool IsJoined => _isJoined;

        public void Add(ReadOnlyMemory<byte> part)
        {
            _parts.Add(part);
            _size += part.Length;
        }

        /// <summary>All of it, which is no longer kept here.</summary>
        public ReadOnlyMemory<byte> Join()
        {
            var whole = new byte[_size];
            var at = 0;
            foreach (var part in _parts)
            {
                part.CopyTo(whole.AsMemory(at));
                at += part.Length;
            }

            _parts.Clear();
            (_size, _isJoined) = (0, true);
            return whole;
        }

        public void State(StateVisitor visitor)
        {
            var (high, low) = ((long)(ulong)(_of.Value >> 64), (long)(ulong)_of.Value);
            visitor.Visit("of", ref high);
            visitor.Visit("", ref low);
            _of = new(new UInt128((ulong)high, (ulong)low));
            visitor.Visit("parts", _parts, static (v, ref part) => v.Visit("", ref part));
            visitor.Visit("joined", ref _isJoined);
            _size = _parts.Sum(part => part.Length);
        }
    }
}
