using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>Why a snapshot ended.</summary>
public enum SnapshotEnd : byte
{
    Complete,

    /// <summary>A marker or piece was not there in time.</summary>
    TimedOut,

    /// <summary>Members or channels changed meanwhile, or differ between members.</summary>
    Reconfigured,

    /// <summary>The channels held more than a process keeps.</summary>
    TooLarge,

    /// <summary>The system was put back to an earlier cut.</summary>
    Restored,
}

public sealed partial class ChandyLamport
{
    /// <summary>What a channel carries, sent in an epoch of its sender.</summary>
    public abstract record Parcel(long Epoch)
    {
        /// <summary>
        /// A message of the application. <paramref name="Colours"/> are the snapshots that its sender has recorded and that may still be
        /// open; empty where channels keep the order.
        /// </summary>
        public sealed record Payload(long Number, long Epoch, ImmutableArray<SnapshotId> Colours, ReadOnlyMemory<byte> Body) : Parcel(Epoch)
        {
            public override string ToString() => string.Create(
                CultureInfo.InvariantCulture, $"{Number}:{new Key(Body)}{(Colours.IsEmpty ? "" : $" after {string.Join(",", Colours)}")}");
        }

        /// <summary>The sender has recorded, after <paramref name="Number"/> messages of the application in this channel.</summary>
        public sealed record Marker(SnapshotId Id, long Number) : Parcel(Id.Epoch)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Marker {Id} after {Number}");
        }

        /// <summary>The sender is in an epoch without this channel: nothing that it sent in an earlier one comes after this.</summary>
        public sealed record Entered(long Epoch) : Parcel(Epoch)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Entered e{Epoch}");
        }
    }

    /// <summary>What nodes say to each other. One of another incarnation is refused.</summary>
    public abstract record Message(Incarnation Incarnation)
    {
        /// <summary>Sending to receiving end of a channel.</summary>
        public sealed record Data(Incarnation Incarnation, long Sequence, Parcel Parcel) : Message(Incarnation)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Data {Sequence} [{Parcel}]");
        }

        /// <summary>Receiving to sending end: these are on my disk and need not be sent again.</summary>
        public sealed record Ack(Incarnation Incarnation, long Through, long Sequence) : Message(Incarnation)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Ack {Through} {Sequence}");
        }

        /// <summary>Process to initiator: my part of the snapshot, on my disk as the inputs that it follows from.</summary>
        public sealed record Hand(Incarnation Incarnation, Piece Piece) : Message(Incarnation)
        {
            public override string ToString() => $"Hand {Piece}";
        }

        /// <summary>Process to initiator: is it still open? Only one that has ended is answered, with Ended.</summary>
        public sealed record Inquire(Incarnation Incarnation, SnapshotId Id) : Message(Incarnation)
        {
            public override string ToString() => $"Inquire {Id}";
        }

        /// <summary>Process to initiator: I take no part, or no longer.</summary>
        public sealed record Decline(Incarnation Incarnation, SnapshotId Id, SnapshotEnd Reason) : Message(Incarnation)
        {
            public override string ToString() => $"Decline {Id} {Reason}";
        }

        /// <summary>Initiator to processes: forget this one, and all of mine with numbers below <paramref name="Floor"/>.</summary>
        public sealed record Ended(Incarnation Incarnation, SnapshotId Id, long Floor) : Message(Incarnation)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Ended {Id} below {Floor}");
        }

        /// <summary>Who restores, to each process: be this again, in this new incarnation.</summary>
        public sealed record Load(Incarnation Incarnation, Topology Topology, Piece Piece) : Message(Incarnation)
        {
            public override string ToString() => $"Load {Incarnation} {Piece}";
        }

        /// <summary>Process to who restores: the new incarnation is on my disk.</summary>
        public sealed record Loaded(Incarnation Incarnation) : Message(Incarnation)
        {
            public override string ToString() => $"Loaded {Incarnation}";
        }
    }

    /// <summary>What is made durable: the inputs, in order. State and sends follow from them, and are the same after a restart.</summary>
    public abstract record Record
    {
        /// <summary>A command of the application.</summary>
        public sealed record Acted(ReadOnlyMemory<byte> Command) : Record
        {
            public override string ToString() => $"Acted {new Key(Command)}";
        }

        /// <summary>A parcel was delivered.</summary>
        public sealed record Received(NodeId From, long Sequence, Parcel Parcel) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Received {From} {Sequence} [{Parcel}]");
        }

        /// <summary>Initiator: the snapshot of this number has begun.</summary>
        public sealed record Begun(long Number) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Begun {Number}");
        }

        /// <summary>Initiator: a piece.</summary>
        public sealed record Collected(Piece Piece) : Record
        {
            public override string ToString() => $"Collected {Piece}";
        }

        /// <summary>Initiator: how it ended. Complete makes the pieces before it one checkpoint.</summary>
        public sealed record Closed(long Number, SnapshotEnd End) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Closed {Number} {End}");
        }

        /// <summary>Process: the initiator says that it has ended.</summary>
        public sealed record Forgotten(SnapshotId Id, long Floor) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Forgotten {Id} below {Floor}");
        }

        /// <summary>Process: it can take no part, or no longer, and has said so.</summary>
        public sealed record Declined(SnapshotId Id) : Record
        {
            public override string ToString() => $"Declined {Id}";
        }

        /// <summary>Members and channels are these from here on; who joins does so in this incarnation.</summary>
        public sealed record Reconfigured(Topology Topology, Incarnation Incarnation) : Record
        {
            public override string ToString() => $"Reconfigured {Topology}";
        }

        /// <summary>Who restores: everybody is to load their piece of this cut.</summary>
        public sealed record Restoring(Incarnation Incarnation, Cut Cut) : Record
        {
            public override string ToString() => $"Restoring {Incarnation} {Cut.Id}";
        }

        /// <summary>Process: a new incarnation has begun with this piece.</summary>
        public sealed record Restored(Incarnation Incarnation, Topology Topology, Piece Piece) : Record
        {
            public override string ToString() => $"Restored {Incarnation} {Piece}";
        }

        /// <summary>The whole state, in place of every record before it.</summary>
        public sealed record Image(ReadOnlyMemory<byte> State) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Image {State.Length} bytes");
        }
    }

    /// <summary>What hosts submit.</summary>
    public abstract record Command
    {
        /// <summary>For the application.</summary>
        public sealed record Act(ReadOnlyMemory<byte> Body) : Command
        {
            public override string ToString() => $"Act {new Key(Body)}";
        }

        /// <summary>Take a snapshot, with this node as initiator.</summary>
        public sealed record Begin : Command
        {
            public override string ToString() => "Begin";
        }

        /// <summary>
        /// Use other members or channels, of a higher epoch. Submitted to every old and new member, and not while a restore is under way;
        /// snapshots fail until all have it.
        /// </summary>
        /// <param name="Incarnation">That of the members: a node that was none joins it.</param>
        public sealed record Reconfigure(Topology Topology, Incarnation Incarnation) : Command
        {
            public override string ToString() => $"Reconfigure {Topology}";
        }

        /// <summary>
        /// Put the whole system back to a cut, of the members that there are. What it has told the outside since then it will tell again. Not
        /// while members change: whoever is one only in the view of some would keep what it got from them.
        /// </summary>
        public sealed record Restore(Cut Cut) : Command
        {
            public override string ToString() => $"Restore {Cut.Id}";
        }
    }

    /// <summary>Answers to commands. No answer at all means that the outcome is unknown to the caller.</summary>
    public abstract record Result
    {
        public sealed record Acted(ReadOnlyMemory<byte> Told) : Result
        {
            public override string ToString() => $"Acted {new Key(Told)}";
        }

        /// <summary>The snapshot is complete, and every piece of it on the initiator's disk.</summary>
        public sealed record Taken(Cut Cut) : Result
        {
            public override string ToString() => $"Taken {Cut}";
        }

        /// <summary>There is no such snapshot; another may succeed.</summary>
        public sealed record Failed(SnapshotId Id, SnapshotEnd Reason) : Result
        {
            public override string ToString() => $"Failed {Id} {Reason}";
        }

        public sealed record Reconfigured : Result
        {
            public override string ToString() => "Reconfigured";
        }

        /// <summary>
        /// One end of a channel would be no member any more, and the channel still holds messages, or a restore by who goes is not loaded: try
        /// again when <paramref name="To"/> has it.
        /// </summary>
        public sealed record NotDrained(NodeId To) : Result
        {
            public override string ToString() => $"NotDrained {To}";
        }

        /// <summary>
        /// No snapshot was begun: this member, who has no channel to here, may still be in an earlier epoch that had one. Try again once
        /// every member has the topology.
        /// </summary>
        public sealed record NotEntered(NodeId Member) : Result
        {
            public override string ToString() => $"NotEntered {Member}";
        }

        /// <summary>Every member has loaded its piece.</summary>
        public sealed record Restored(Incarnation Incarnation) : Result
        {
            public override string ToString() => $"Restored {Incarnation}";
        }

        /// <summary>Another restore came in between, or was under way.</summary>
        public sealed record Overtaken : Result
        {
            public override string ToString() => "Overtaken";
        }

        /// <summary>The topology is not sound or not newer, the cut is not consistent or not of these members, or this node is none.</summary>
        public sealed record Malformed : Result
        {
            public override string ToString() => "Malformed";
        }
    }
}
