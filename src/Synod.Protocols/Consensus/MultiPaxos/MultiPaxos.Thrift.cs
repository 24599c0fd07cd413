using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// Thrift (paxos.md §9): a slot goes at once to as many acceptors as can choose it, and to the others a moment later, many slots together.
/// When something is sent is all that depends on it. A favourite that falls silent costs its group that moment for each slot, until
/// another one that has caught up takes its place.
/// </summary>
public sealed partial class MultiPaxos
{
    private NodeSet _favourites;

    // The first slot that only favourites were sent; none if everybody was sent all.
    private Slot _spreadFrom;

    private void SendAccept(Slot slot, ReadOnlyMemory<byte> value)
    {
        // Until everything is recovered nobody is known to be faster than others.
        var isThrifty = IsReady && _options.Thrift > Duration.Zero && _favourites != _others;
        var accept = new Message.Accept(_promised, slot, value, Chosen);
        foreach (var node in isThrifty ? _favourites : _others)
        {
            // Early is safe: the ballot is durably promised, and if this node forgets the value in a crash it never uses the
            // ballot again, so no second value can follow. Only its own acceptance must wait (paxos.md §2).
            _out.SendEarly(node, accept);
        }

        if (isThrifty && _spreadFrom == Slot.None)
        {
            _spreadFrom = slot;
            SetTimer(MultiPaxosTimer.Spread, Now + _options.Thrift);
        }
    }

    private void OnSpreadTimer()
    {
        if (_spreadFrom == Slot.None)
        {
            return;
        }

        for (var slot = Slot.Max(_spreadFrom, _log.Floor.Next); slot < _next; slot = slot.Next)
        {
            var accept = new Message.Accept(_promised, slot, _log.ValueAt(slot), Chosen);
            foreach (var node in _others)
            {
                if (!_favourites.Contains(node))
                {
                    // Early is safe as it was for the favourites.
                    _out.SendEarly(node, accept);
                }
            }
        }

        _spreadFrom = Slot.None;
        ChooseFavourites();
    }

    /// <summary>A quorum of those that have acknowledged most; of equals, those that were favourites before.</summary>
    private void ChooseFavourites()
    {
        var quorum = NodeSet.Of(_self);
        while (!_quorums.IsPhase2(quorum))
        {
            Peer? best = null;
            foreach (var peer in _peers)
            {
                best = quorum.Contains(peer.Node) || (best is not null && !IsAhead(peer, best)) ? best : peer;
            }

            quorum = quorum.With(best!.Node);
        }

        _favourites = quorum.Without(_self);
    }

    private bool IsAhead(Peer peer, Peer other) =>
        _down.Contains(peer.Node) != _down.Contains(other.Node) ? _down.Contains(other.Node)
        : peer.Match != other.Match ? peer.Match > other.Match
        : _favourites.Contains(peer.Node) && !_favourites.Contains(other.Node);

    private void EndThrift()
    {
        if (_spreadFrom != Slot.None)
        {
            _spreadFrom = Slot.None;
            CancelTimer(MultiPaxosTimer.Spread);
        }
    }
}
