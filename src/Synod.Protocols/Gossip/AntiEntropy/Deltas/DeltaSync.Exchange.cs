using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>Who is sent what, and what becomes of what arrives.</summary>
public sealed partial class DeltaSync
{
    /// <summary>Tells a peer what it is not known to have.</summary>
    private void Tell(NodeId to, Outbox<Message, Record, Command, Result> outbox)
    {
        if (IsUnderWay(to, outbox))
        {
            return;
        }

        if (!_peers.TryGetValue(to, out var peer) || IsLaggard(peer))
        {
            if (_options.UsesDigests && _state.Digest() is not null)
            {
                Send(to, new Message.Inquire(_self), outbox);
            }
            else
            {
                var state = _state.Save();
                Give(to, receiver: default, _changes, state, new Message.Full(_self, _changes, state), outbox);
            }

            return;
        }

        var (from, through) = (peer.Acked, peer.Acked);
        var (group, size) = (new List<ReadOnlyMemory<byte>>(), 0);
        foreach (var (number, change) in _buffer.Where(pair => pair.Key >= peer.Acked))
        {
            if (change.From != peer.Origin || _options.Mutation == DeltaMutation.BackPropagation)
            {
                size += change.Delta.Length;
                if (size > _options.MostGroupBytes && group.Count > 0)
                {
                    break;
                }

                group.Add(change.Delta);
            }

            through = number + 1;
        }

        if (group.Count > 0)
        {
            var delta = _state.Merge(group);
            Give(to, peer.Origin, through, delta, new Message.Interval(_self, peer.Origin, from, through, delta), outbox);
        }

        if (group.Count == 0 || _options.Mutation == DeltaMutation.AckAssumed)
        {
            // All of it came from the peer itself.
            Acknowledge(peer, through);
        }
    }

    private bool IsLaggard(Peer peer) =>
        peer.Acked == Peer.Unknown || (peer.Acked < Oldest && _options.Mutation != DeltaMutation.GapIgnored);

    /// <summary>A peer that lives as another has lost what its former life acknowledged.</summary>
    private void Meet(NodeId from, Origin origin)
    {
        if (_peers.TryGetValue(from, out var peer) && peer.Origin == origin)
        {
            return;
        }

        if (peer is not null)
        {
            _outgoing.Remove(from);
        }

        _peers[from] = new Peer
        {
            Origin = origin,
            Acked = _options.Mutation == DeltaMutation.PeerIncarnationIgnored && peer is not null ? peer.Acked : Peer.Unknown,
        };
    }

    private void On(NodeId from, Message.Interval interval, Outbox<Message, Record, Command, Result> outbox)
    {
        if (interval.From < 0 || interval.Through <= interval.From)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (interval.Receiver != _self && _options.Mutation != DeltaMutation.PeerIncarnationIgnored)
        {
            RefuseForFormerLife(from, interval, outbox);
        }
        else
        {
            Join(from, interval, interval.Delta, interval.Through, outbox);
        }
    }

    /// <summary>
    /// It is for who I was, and goes on from what that one had. The sender hears who I am, and that I have nothing of it.
    /// </summary>
    private void RefuseForFormerLife(NodeId from, Message message, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Refuse(Refusal.StaleBallot);
        Send(from, new Message.Ack(_self, message.Sender, Peer.Unknown), outbox);
    }

    private void On(NodeId from, Message.Missing missing, Outbox<Message, Record, Command, Result> outbox)
    {
        if (missing.Receiver != _self)
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        Join(from, missing, missing.Delta, missing.Through, outbox);
    }

    /// <summary>Joins what is new in it, and acknowledges it when that is durable. Whether it could be joined.</summary>
    private bool Join(NodeId from, Message message, ReadOnlyMemory<byte> delta, long through, Outbox<Message, Record, Command, Result> outbox)
    {
        if (through < 0 || delta.Length > _options.MostStateBytes || _state.Join(delta) is not { } novel)
        {
            outbox.Refuse(Refusal.Malformed);
            return false;
        }

        if (novel.IsEmpty)
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else
        {
            Change(_options.Mutation == DeltaMutation.RedundantKept ? delta.ToArray() : novel, message.Sender, outbox);
        }

        Send(from, new Message.Ack(_self, message.Sender, through), outbox);
        return true;
    }

    private void On(NodeId from, Message.Ack ack, Outbox<Message, Record, Command, Result> outbox)
    {
        if (ack.Of != _self && _options.Mutation != DeltaMutation.AckToFormerLife)
        {
            outbox.Refuse(Refusal.StaleBallot);
        }
        else if (ack.Through < Peer.Unknown || (ack.Through > _changes && _options.Mutation != DeltaMutation.AckToFormerLife))
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else
        {
            Acknowledge(_peers[from], Math.Min(ack.Through, _changes));
            if (_outgoing.TryGetValue(from, out var outgoing) && ack.Through >= outgoing.Through)
            {
                _outgoing.Remove(from);
            }
        }
    }

    private void On(NodeId from, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_state.Digest() is { } digest)
        {
            Send(from, new Message.Have(_self, digest), outbox);
        }
        else
        {
            outbox.Refuse(Refusal.Unknown);
        }
    }

    private void On(NodeId from, Message.Have have, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_outgoing.TryGetValue(from, out var outgoing) && outgoing.Receiver == have.Sender)
        {
            outbox.Refuse(Refusal.Duplicate);
            return;
        }

        if (have.Digest.Length > _options.MostStateBytes || _state.MissingTo(have.Digest) is not { } delta)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        Give(from, have.Sender, _changes, delta, new Message.Missing(_self, have.Sender, _changes, delta), outbox);
    }

    /// <summary>
    /// Tells all what is here, when it is durable. Asynchronous replicas tell nothing, so that nothing is dropped: one that lost a change
    /// of its own, which others have, would tell of what came after it as if that was all.
    /// </summary>
    private void TellSeen(Outbox<Message, Record, Command, Result> outbox)
    {
        if ((!IsAsynchronous || _options.Mutation == DeltaMutation.AsynchronousTellsSeen) && _state.Digest() is { } digest)
        {
            foreach (var node in Others)
            {
                outbox.Send(node, new Message.Seen(_self, _roster.Epoch, digest));
            }
        }
    }

    private void On(NodeId from, Message.Seen seen, Outbox<Message, Record, Command, Result> outbox)
    {
        if (seen.Digest.Length > _options.MostStateBytes)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (seen.Epoch != _roster.Epoch)
        {
            outbox.Refuse(seen.Epoch < _roster.Epoch ? Refusal.StaleBallot : Refusal.NotReady);
        }
        else
        {
            _peers[from].Seen = seen.Digest.ToArray();
        }
    }

    /// <summary>Drops what every member has seen. One that is dead holds that up until the roster gives it up.</summary>
    private void Compact(Outbox<Message, Record, Command, Result> outbox)
    {
        var told = Others.Select(node => _peers.TryGetValue(node, out var peer) ? peer.Seen : default)
            .Where(seen => !seen.IsEmpty || _options.Mutation != DeltaMutation.StabilityOfSome).ToList();
        if (told.TrueForAll(seen => !seen.IsEmpty) && _state.Compact(told) is { IsEmpty: false } delta)
        {
            Change(delta, _self, outbox);
        }
    }

    private void Acknowledge(Peer peer, long through)
    {
        peer.Acked = Math.Max(peer.Acked, through);
        TrimBuffer();
    }

    /// <summary>Drops changes that all peers have, and the oldest beyond the cap: one dead peer must not fill the memory of all.</summary>
    private void TrimBuffer()
    {
        var known = Others.IsEmpty ? _changes : Others.Min(node => _peers.TryGetValue(node, out var peer) ? peer.Acked : Peer.Unknown);
        while (_buffer.Count > 0 && (Oldest < known || _bufferedBytes > _options.MostBufferedBytes))
        {
            var oldest = Oldest;
            _bufferedBytes -= _buffer[oldest].Delta.Length;
            _buffer.Remove(oldest);
        }
    }
}
