using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>What replicas say, keep, are told and answer. Names as in the notes and papers.</summary>
public sealed partial class MultiPaxos
{
    /// <summary>Between replicas of one group.</summary>
    public abstract record Message
    {
        private Message()
        {
        }

        /// <summary>Follower to all: would you vote for me? Promises nothing and raises no ballot. <paramref name="Chosen"/> is how far the asker has come.</summary>
        public sealed record PreVote(Ballot Ballot, Slot Chosen) : Message;

        /// <summary>To the asker: no live leader and no lease stands in the way. <paramref name="Promised"/> is the ballot to exceed.</summary>
        public sealed record PreVoteAck(Ballot Ballot, Ballot Promised) : Message;

        /// <summary>
        /// Candidate to all (phase 1a), and again for each further chunk: promise this ballot for every slot, and report what you accepted
        /// from <paramref name="From"/> on. <paramref name="Released"/> is a ballot whose leader gave up its lease.
        /// </summary>
        public sealed record Prepare(Ballot Ballot, Slot From, Ballot Released) : Message;

        /// <summary>
        /// Acceptor to candidate (phase 1b), after the promise is durable: one chunk of what it accepted, complete from
        /// <paramref name="From"/> through <paramref name="Through"/>; the promise counts with the last chunk.
        /// </summary>
        /// <param name="Chosen">Every slot up to here is chosen, as far as the acceptor knows.</param>
        /// <param name="Floor">Every slot up to here is chosen, and its value is no longer in the acceptor's log.</param>
        public sealed record Promise(
            Ballot Ballot, Slot From, IReadOnlyList<Record.Accepted> Report, Slot Through, bool IsLast, Slot Chosen, Slot Floor) : Message;

        /// <summary>Acceptor to proposer: <paramref name="Ballot"/> is below what I promised.</summary>
        public sealed record Reject(Ballot Ballot, Ballot Promised) : Message;

        /// <summary>
        /// Leader to all (phase 2a): accept <paramref name="Entry"/>, that is write the record that the leader wrote. Slots up to
        /// <paramref name="Commit"/> are chosen.
        /// </summary>
        public sealed record Accept(Record.Accepted Entry, Slot Commit) : Message
        {
            public Ballot Ballot => Entry.Ballot;

            public Slot Slot => Entry.Slot;

            public ReadOnlyMemory<byte> Value => Entry.Value;
        }

        /// <summary>
        /// Acceptor to leader (phase 2b), after the acceptance is durable. Every slot up to <paramref name="Through"/> is accepted in this
        /// ballot or known to be chosen, which makes up for lost messages.
        /// </summary>
        public sealed record Accepted(Ballot Ballot, Slot Slot, Slot Through) : Message;

        /// <summary>
        /// Leader to all: I lead. <paramref name="Round"/> grows with each; reads and leases wait for its acknowledgements. With a
        /// positive <paramref name="LeaseFor"/> it asks for a lease vote, counted from <paramref name="LeaseFrom"/> on the leader's clock.
        /// </summary>
        public sealed record Heartbeat(Ballot Ballot, Slot Commit, long Round, Timestamp LeaseFrom, Duration LeaseFor) : Message;

        /// <summary>
        /// Acceptor to leader: I have promised no higher ballot. <paramref name="LeaseFrom"/> repeats the request's if the vote was given
        /// (and is durable), and is zero otherwise.
        /// </summary>
        public sealed record HeartbeatAck(Ballot Ballot, long Round, Slot Through, Timestamp LeaseFrom) : Message;

        /// <summary>Learner to anyone: what was chosen from <paramref name="From"/> on?</summary>
        public sealed record Fetch(Slot From) : Message;

        /// <summary>To a learner: chosen values, one slot after the other.</summary>
        public sealed record Entries(IReadOnlyList<Record.Accepted> Chosen) : Message;

        /// <summary>Learner to anyone: the next chunk of the snapshot at <paramref name="At"/>; index 0 asks for a new one.</summary>
        public sealed record FetchSnapshot(Slot At, int Index) : Message;

        /// <summary>To a learner: a chunk of the state.</summary>
        public sealed record InstallSnapshot(SnapshotChunk Chunk) : Message;

        /// <summary>Leader to its successor: I gave up leadership and lease of this ballot; stand for election at once.</summary>
        public sealed record TimeoutNow(Ballot Ballot) : Message;

        /// <summary>Leader to all: nothing is going on; stop your timers until something does.</summary>
        public sealed record Quiesce(Ballot Ballot, Slot Commit) : Message;
    }

    /// <summary>What is made durable. Recovery takes the highest of each kind, and the highest ballot of each slot.</summary>
    public abstract record Record
    {
        private Record()
        {
        }

        /// <summary>Written before the Promise leaves: no ballot below is followed from now on, in any slot.</summary>
        public sealed record Promised(Ballot Ballot) : Record;

        /// <summary>
        /// Written before the Accepted leaves; it implies the promise of its ballot. The log keeps it, reports tell it and execution
        /// hands its <paramref name="Proposal"/> over: what was accepted in a slot is one object from the leader on.
        /// </summary>
        public sealed record Accepted(Slot Slot, Ballot Ballot, Command.Propose Proposal) : Record
        {
            public Accepted(Slot slot, Ballot ballot, ReadOnlyMemory<byte> value)
                : this(slot, ballot, new Command.Propose(value))
            {
            }

            /// <summary>Empty for the NoOp.</summary>
            public ReadOnlyMemory<byte> Value => Proposal.Value;
        }

        /// <summary>Written before the vote leaves: no other ballot is promised until <paramref name="End"/> has passed.</summary>
        public sealed record LeaseVote(Ballot Ballot, Timestamp End) : Record;

        /// <summary>
        /// Written now and then: every slot up to <paramref name="Through"/> is chosen. In those above <paramref name="SnapshotAt"/> the
        /// values accepted before this are the chosen ones; below, a snapshot took their place and they may be outdated. Those up to
        /// <paramref name="Floor"/> were dropped at a checkpoint.
        /// </summary>
        public sealed record Chosen(Slot Through, Slot SnapshotAt, Slot Floor) : Record;
    }

    /// <summary>What the floor above or the host asks of a replica.</summary>
    public abstract record Command
    {
        private Command()
        {
        }

        /// <summary>
        /// Agree on a value. Answered only if refused; success is seen as its execution, which may also come under another leader. An
        /// empty value is the NoOp: agreed on, and not executed.
        /// </summary>
        public sealed record Propose(ReadOnlyMemory<byte> Value) : Command
        {
            internal static readonly Propose NoOp = new(default(ReadOnlyMemory<byte>));
        }

        /// <summary>
        /// Wait until this replica, as leader, has executed everything that was chosen before (paxos.md §5): answered with
        /// <see cref="Result.ReadReady"/>.
        /// </summary>
        public sealed record ReadIndex : Command;

        /// <summary>Hold a lease, and keep it while the group is active: answered with <see cref="Result.LeaseHeld"/>.</summary>
        public sealed record AcquireLease : Command;

        /// <summary>
        /// Hand leadership and lease over to another replica. Whoever assigned timestamps under the lease first waits until the
        /// greatest of them has passed (spanner.md §3). Answered with <see cref="Result.Transferred"/> when given up.
        /// </summary>
        public sealed record Transfer(NodeId To) : Command;

        /// <summary>Stand for election now. Never answered.</summary>
        public sealed record Campaign : Command;

        /// <summary>
        /// Make durable, before anything that comes after, how far is known here to be chosen: others may be gone for good by the time that
        /// this replica has to learn it again. Never answered.
        /// </summary>
        public sealed record KeepChosen : Command;

        /// <summary>The host believes that a node is down. Never answered; a hint, on which only liveness rests.</summary>
        public sealed record PeerDown(NodeId Node) : Command;

        /// <summary>The host believes that a node is up again. Never answered; a hint.</summary>
        public sealed record PeerUp(NodeId Node) : Command;
    }

    /// <summary>How a command was answered.</summary>
    public abstract record Result
    {
        private Result()
        {
        }

        /// <summary>This replica does not lead. <paramref name="Hint"/> may, if it is a node.</summary>
        public sealed record NotLeader(NodeId Hint) : Result;

        /// <summary>
        /// A state that holds every command up to <paramref name="Slot"/> reflects everything acknowledged before the question. It is
        /// the slot of a command handed to the state (NoOps above it do not count), so the state's own position reaches it.
        /// </summary>
        public sealed record ReadReady(Slot Slot) : Result;

        /// <summary>The lease is held; check <see cref="HoldsLease"/> after reading.</summary>
        public sealed record LeaseHeld : Result;

        /// <summary>Leadership and lease were given up in favour of <paramref name="To"/>, which stands for election.</summary>
        public sealed record Transferred(NodeId To) : Result;

        /// <summary>The leader cannot do it now; nothing was proposed.</summary>
        public sealed record Unavailable(UnavailableReason Reason) : Result;
    }
}

/// <summary>Why a leader cannot do now what was asked.</summary>
public enum UnavailableReason : byte
{
    /// <summary>As many slots are in flight as the options allow.</summary>
    PipelineFull,

    /// <summary>Leadership is being handed over.</summary>
    Transferring,

    /// <summary>The successor did not catch up within an election timeout, or is no member.</summary>
    TransferAbandoned,

    /// <summary>The clock is unsynchronised: no lease.</summary>
    ClockUntrusted,

    /// <summary>Leases are switched off in the options.</summary>
    LeasesDisabled,

    /// <summary>The epoch is about to end, or this leader has not yet agreed on anything of its own.</summary>
    Reconfiguring,
}

/// <summary>What a replica is to its group.</summary>
public enum PaxosRole : byte
{
    /// <summary>Accepts and learns.</summary>
    Follower,

    /// <summary>Asks whether an election would succeed, without raising ballots.</summary>
    PreCandidate,

    /// <summary>Collects promises.</summary>
    Candidate,

    /// <summary>Proposes.</summary>
    Leader,
}

/// <summary>A lease: its holder is the only leader in true time from <paramref name="Start"/> to <paramref name="End"/> (spanner.md §3).</summary>
public readonly record struct Lease(Timestamp Start, Timestamp End);

/// <summary>A replica's timers.</summary>
public enum MultiPaxosTimer
{
    /// <summary>A follower has heard nothing for too long; a candidate has not won for too long.</summary>
    Election,

    /// <summary>A leader's beat; a candidate's repetition.</summary>
    Heartbeat,

    /// <summary>A learner's repetition of what it asked for.</summary>
    CatchUp,
}
