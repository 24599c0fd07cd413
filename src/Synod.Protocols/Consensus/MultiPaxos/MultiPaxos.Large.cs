using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// Values longer than a chunk, each alone in its message. Such a message takes its time on a link and on the disk behind it: repeated with
/// every beat it would fill both with copies of itself, and a leader that waits for acknowledgements behind it is not alone.
/// </summary>
public sealed partial class MultiPaxos
{
    // Until when the members are given time to acknowledge what was proposed when a quorum of them was last heard.
    private Instant _patientUntil;

    /// <summary>A beat for every chunk of the value beyond the first.</summary>
    private Duration TimeFor(Record.Accepted entry) => _options.HeartbeatInterval * ((entry.Value.Length - 1) / _options.ChunkBytes);

    private bool IsLarge(Record.Accepted entry) => entry.Value.Length > _options.ChunkBytes;

    private void NoteSent(Peer peer, Ballot ballot, Slot from, Record.Accepted entry)
    {
        if (IsLarge(entry))
        {
            peer.LargeUntil = Later(peer.LargeUntil, Now) + TimeFor(entry);
            (peer.LargeBallot, peer.LargeFrom) = (ballot, from);
        }
    }

    /// <summary>Whether the answer to a question from <paramref name="to"/> went out and may still arrive. Notes that it goes out, if not.</summary>
    private bool IsUnderWay(NodeId to, Ballot ballot, Slot from, List<Record.Accepted> entries)
    {
        if (entries is not [var entry] || !IsLarge(entry) || PeerOf(to) is not { } peer)
        {
            return false;
        }

        if (Now < peer.LargeUntil && peer.LargeBallot == ballot && peer.LargeFrom == from)
        {
            _out.Refuse(Refusal.Duplicate);
            return true;
        }

        NoteSent(peer, ballot, from, entry);
        return false;
    }

    private void NoteProposed(Record.Accepted entry)
    {
        if (!IsLarge(entry))
        {
            return;
        }

        if (IsHeardByQuorum())
        {
            _patientUntil = Later(_patientUntil, Now) + TimeFor(entry);
        }

        foreach (var peer in _peers)
        {
            NoteSent(peer, entry.Ballot, entry.Slot, entry);
        }
    }

    private static Instant Later(Instant left, Instant right) => left > right ? left : right;

    private void VisitLarge(StateVisitor visitor)
    {
        visitor.Visit("patientUntil", ref _patientUntil);
        foreach (var peer in _peers)
        {
            visitor.Visit("largeUntil", ref peer.LargeUntil);
            visitor.Visit("largeBallot", ref peer.LargeBallot);
            visitor.Visit("largeFrom", ref peer.LargeFrom);
        }
    }
}
