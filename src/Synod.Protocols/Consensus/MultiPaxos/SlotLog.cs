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
        public Ballot Ballot;
        public ReadOnlyMemory<byte> Value;
        public NodeSet Votes;
    }

    private Cell[] _cells = new Cell[16];

    /// <summary>Slots up to here are dropped.</summary>
    public Slot Floor { get; private set; }

    /// <summary>The highest slot that is or was filled, at least the floor.</summary>
    public Slot Last { get; private set; }

    /// <summary>Bytes of all values kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>The ballot in which the slot's value was accepted, or none.</summary>
    public Ballot BallotAt(Slot slot) => slot > Floor && slot <= Last ? At(slot).Ballot : Ballot.None;

    /// <summary>The value of a filled slot.</summary>
    public ReadOnlyMemory<byte> ValueAt(Slot slot) => At(slot).Value;

    public MultiPaxos.Entry EntryAt(Slot slot) => new(slot, At(slot).Ballot, At(slot).Value);

    /// <summary>Who accepted the slot's value in its present ballot, as far as the leader knows.</summary>
    public NodeSet VotesAt(Slot slot) => At(slot).Votes;

    public void AddVote(Slot slot, NodeId node)
    {
        ref var cell = ref At(slot);
        cell.Votes = cell.Votes.With(node);
    }

    /// <summary>Fills a slot above the floor, in place of what it held; earlier votes were for that and are gone.</summary>
    public void Set(Slot slot, Ballot ballot, ReadOnlyMemory<byte> value)
    {
        Invariant.Check(slot > Floor && ballot != Ballot.None, "AcceptAboveFloor");
        if (slot > Last)
        {
            Reserve(slot.Value - Floor.Value);
            Last = slot;
        }

        ref var cell = ref At(slot);
        Bytes += value.Length - cell.Value.Length;
        cell = new Cell { Ballot = ballot, Value = value };
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
            Bytes -= cell.Value.Length;
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
            _cells = new Cell[16];
            Bytes = 0;
            Floor = floor;
            Reserve(last.Value - floor.Value);
            Last = last;
        }

        for (var at = floor.Next; at <= last; at = at.Next)
        {
            ref var cell = ref At(at);
            visitor.Visit("", ref cell.Ballot);
            visitor.Visit("", ref cell.Value);
            visitor.Visit("", ref cell.Votes);
            Bytes += visitor.IsReading ? cell.Value.Length : 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Cell At(Slot slot) => ref _cells[slot.Value & (_cells.Length - 1)];

    private void Reserve(long count)
    {
        if (count <= _cells.Length)
        {
            return;
        }

        var grown = new Cell[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count)];
        for (var at = Floor.Next; at <= Last; at = at.Next)
        {
            grown[at.Value & (grown.Length - 1)] = At(at);
        }

        _cells = grown;
    }
}
