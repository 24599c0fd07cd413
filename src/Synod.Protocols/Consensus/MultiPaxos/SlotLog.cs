using System.Runtime.CompilerServices;
using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// What a replica accepted, slot by slot, above a floor: a ring of cells, so that a slot costs no allocation of its own. Slots
/// may be missing in between; the value of a slot up to the floor is known to be chosen and not kept.
/// </summary>
internal sealed class SlotLog
{
    private struct Cell
    {
        public MultiPaxos.Record.Accepted? Entry;
        public NodeSet Votes;

        // The length of the entry's value, to drop it without another look at what nobody has touched for long.
        public int Bytes;
    }

    private const int LeastCells = 16;

    private Cell[] _cells = new Cell[LeastCells];

    /// <summary>Slots up to here are dropped.</summary>
    public Slot Floor { get; private set; }

    /// <summary>The highest slot that is or was filled, at least the floor.</summary>
    public Slot Last { get; private set; }

    /// <summary>Bytes of all values kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>The ballot in which the slot's value was accepted, or none.</summary>
    public Ballot BallotAt(Slot slot) => EntryAt(slot)?.Ballot ?? Ballot.None;

    /// <summary>What was accepted in the slot last, or null.</summary>
    public MultiPaxos.Record.Accepted? EntryAt(Slot slot) => slot > Floor && slot <= Last ? At(slot).Entry : null;

    /// <summary>Who accepted the slot's value in its present ballot, as far as the leader knows.</summary>
    public NodeSet VotesAt(Slot slot) => At(slot).Votes;

    public void AddVote(Slot slot, NodeId node)
    {
        ref var cell = ref At(slot);
        cell.Votes = cell.Votes.With(node);
    }

    /// <summary>Fills a slot above the floor, in place of what it held; earlier votes were for that and are gone.</summary>
    public void Set(MultiPaxos.Record.Accepted entry)
    {
        var slot = entry.Slot;
        Invariant.Check(slot > Floor && entry.Ballot != Ballot.None, "AcceptAboveFloor");
        if (slot > Last)
        {
            if (slot.Value - Floor.Value > _cells.Length)
            {
                Grow(slot.Value - Floor.Value);
            }

            Last = slot;
        }

        ref var cell = ref At(slot);
        var bytes = entry.Value.Length;
        Bytes += bytes - cell.Bytes;
        cell = new Cell { Entry = entry, Bytes = bytes };
    }

    /// <summary>Forgets votes above <paramref name="slot"/>: they belonged to a leadership that is over.</summary>
    public void ClearVotes(Slot slot)
    {
        for (var at = Slot.Max(slot, Floor).Next; at <= Last; at = at.Next)
        {
            At(at).Votes = NodeSet.Empty;
        }
    }

    /// <summary>Drops every slot up to <paramref name="slot"/>.</summary>
    public void DropThrough(Slot slot)
    {
        for (var at = Floor.Next; at <= slot && at <= Last; at = at.Next)
        {
            ref var cell = ref At(at);
            Bytes -= cell.Bytes;
            cell = default;
        }

        Floor = Slot.Max(Floor, slot);
        Last = Slot.Max(Last, Floor);
    }

    public void State(StateVisitor visitor)
    {
        var (floor, last) = (Floor, Last);
        visitor.Visit("floor", ref floor);
        visitor.Visit("last", ref last);
        if (visitor.IsReading)
        {
            Bytes = 0;
            Floor = Last = floor;
            Grow(Math.Max(last.Value - floor.Value, LeastCells));
            Last = last;
        }

        for (var at = floor.Next; at <= last; at = at.Next)
        {
            ref var cell = ref At(at);
            var (ballot, value) = (cell.Entry?.Ballot ?? Ballot.None, cell.Entry?.Value ?? default);
            visitor.Visit("", ref ballot);
            visitor.Visit("", ref value);
            visitor.Visit("", ref cell.Votes);
            if (visitor.IsReading && ballot != Ballot.None)
            {
                (cell.Entry, cell.Bytes) = (new MultiPaxos.Record.Accepted(at, ballot, value), value.Length);
                Bytes += value.Length;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Cell At(Slot slot) => ref _cells[slot.Value & (_cells.Length - 1)];

    private void Grow(long count)
    {
        var grown = new Cell[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count)];
        for (var at = Floor.Next; at <= Last; at = at.Next)
        {
            grown[at.Value & (grown.Length - 1)] = At(at);
        }

        _cells = grown;
    }
}
