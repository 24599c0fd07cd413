using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class PaxosCommit
{
    /// <summary>
    /// What nodes say to each other. There is one instance of Paxos for each resource manager, and all instances of a transaction
    /// share their messages: a ballot, and in <c>Prepared</c> the managers whose instance has the value Prepared in it. In ballot 0
    /// the others have no value yet, in a higher one they are Aborted. <c>Members</c> are all managers, the value of the registrar's instance: in
    /// ballot 0 what the client named or who has joined, in a higher one as reported, and nobody where there is no set.
    /// </summary>
    public abstract record Message(TransactionId Transaction)
    {
        /// <summary>
        /// From the node that began to the leader: ask the other branches. If the sender is a member, this is also its phase 2a to
        /// the acceptor beside the leader, with its mark. It waits for none of its transactions before <paramref name="Oldest"/>.
        /// </summary>
        public sealed record BeginCommit(
            TransactionId Transaction,
            TransactionId Oldest,
            TransactionId Settled,
            NodeSet Members,
            ImmutableArray<Branch> Branches,
            ImmutableArray<Enrolled> Enrolled) : Message(Transaction)
        {
            /// <summary>Whom the leader is to ask.</summary>
            public IEnumerable<NodeId> Asked => Branches.Select(branch => branch.Participant).Concat(Enrolled.Select(who => who.Participant));

            public override string ToString() =>
                $"BeginCommit {Transaction}{Past(this, Oldest)} {Members} {string.Join(" ", Branches)}{string.Join(" ", Enrolled)}";
        }

        /// <summary>
        /// Leader to each manager: can you commit these writes, or, if <paramref name="Life"/> is not 0, those that you enlisted in that life of
        /// yours? Whoever began waits for none of its transactions before <paramref name="Oldest"/>, and will not ask for a vote on one again.
        /// </summary>
        public sealed record Prepare(
            TransactionId Transaction, TransactionId Oldest, NodeSet Members, long Life, ImmutableArray<Write> Writes) : Message(Transaction)
        {
            public override string ToString() => string.Create(
                CultureInfo.InvariantCulture,
                $"Prepare {Transaction}{Past(this, Oldest)} {Members} {(Life == 0 ? $"[{string.Join(" ", Writes)}]" : $"as enlisted in life {Life}")}");
        }

        /// <summary>Leader of a ballot to acceptors: promise not to take part in a lower one. It may not know the managers.</summary>
        public sealed record Phase1a(TransactionId Transaction, Ballot Ballot, NodeSet Members) : Message(Transaction)
        {
            public override string ToString() => $"1a {Transaction} {Ballot} {Members}";
        }

        /// <summary>Acceptor to the leader of a ballot: promised; and this is what I accepted before, in the registrar's instance as well.</summary>
        public sealed record Phase1b(
            TransactionId Transaction, Ballot Ballot, Ballot Voted, NodeSet Members, NodeSet Prepared) : Message(Transaction)
        {
            public override string ToString() => $"1b {Transaction} {Ballot} voted {Voted} {Members} {Prepared}";
        }

        /// <summary>
        /// In ballot 0 a manager's own vote, in a higher ballot its leader's proposal for every instance. With a vote comes that the same
        /// coordinator's transactions before <paramref name="Settled"/> are over for this manager: it is in doubt about none and votes on none.
        /// </summary>
        public sealed record Phase2a(
            TransactionId Transaction, Ballot Ballot, NodeSet Members, NodeSet Prepared, TransactionId Settled = default) : Message(Transaction)
        {
            public override string ToString() => $"2a {Transaction}{Past(this, Settled)} {Ballot} {Members} {Prepared}";
        }

        /// <summary>
        /// Acceptor to the leader, and with the faster variant to every manager: accepted, all instances in one. Of the same coordinator's
        /// transactions those before <paramref name="Settled"/> are over for all managers of this one.
        /// </summary>
        public sealed record Phase2b(
            TransactionId Transaction, Ballot Ballot, NodeSet Members, NodeSet Prepared, TransactionId Settled = default) : Message(Transaction)
        {
            public override string ToString() => $"2b {Transaction}{Past(this, Settled)} {Ballot} {Members} {Prepared}";
        }

        /// <summary>Acceptor to a leader that comes after everybody's end: the transaction is over and forgotten, whichever way it went.</summary>
        public sealed record Over(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"Over {Transaction}";
        }

        /// <summary>Acceptor to a leader that comes too late: a higher ballot is promised.</summary>
        public sealed record Outbid(TransactionId Transaction, Ballot Ballot) : Message(Transaction)
        {
            public override string ToString() => $"Outbid {Transaction} {Ballot}";
        }

        /// <summary>The outcome, by a leader, by who was asked, or by a manager that aborted before its vote.</summary>
        public sealed record Decide(TransactionId Transaction, bool Commit) : Message(Transaction)
        {
            public override string ToString() => $"Decide {Transaction} {(Commit ? "Commit" : "Abort")}";
        }

        /// <summary>Prepared manager to everyone who may know: how did it end?</summary>
        public sealed record Inquire(TransactionId Transaction, NodeSet Members) : Message(Transaction)
        {
            public override string ToString() => $"Inquire {Transaction} {Members}";
        }

        /// <summary>
        /// Participant to the coordinator, again and again until it is asked to prepare: I take part, in this life of mine, and have something to
        /// write or not.
        /// </summary>
        public sealed record Join(TransactionId Transaction, long Life, bool Writes) : Message(Transaction)
        {
            public override string ToString() =>
                string.Create(CultureInfo.InvariantCulture, $"Join {Transaction} life {Life}{(Writes ? "" : " reads")}");
        }

        /// <summary>Coordinator to who asked in that life: the transaction is open, and does not commit without you.</summary>
        public sealed record Joined(TransactionId Transaction, long Life) : Message(Transaction)
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Joined {Transaction} life {Life}");
        }

        /// <summary>
        /// Coordinator to who asked: you are not in it and never will be. Not a decision: it may be told to one that leads, and commit without it.
        /// </summary>
        public sealed record Closed(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"Closed {Transaction}";
        }

        private static string Past(Message message, TransactionId mark) =>
            mark == message.Transaction || mark == default ? "" : $" past {mark}";
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        /// <summary>This epoch's ids and ballots are in use.</summary>
        public sealed record Booted(long Epoch) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Booted {Epoch}");
        }

        /// <summary>
        /// Manager, before its phase 2a: the promise, whose members are all managers, and the mark before which its coordinator's transactions
        /// are over here. A checkpoint has the marks by themselves.
        /// </summary>
        public sealed record Prepared(Promise Promise, TransactionId Settled) : Record
        {
            public override string ToString() =>
                $"Prepared {Promise}{(Settled == Promise.Transaction ? "" : $" past {Settled}")}";
        }

        /// <summary>Acceptor, before its 1b or 2b: all that it has promised and accepted for a transaction. The last one counts.</summary>
        public sealed record Accepted(
            TransactionId Transaction, NodeSet Members, Ballot Promised, Ballot Voted, NodeSet Yes) : Record
        {
            public override string ToString() => $"Accepted {Transaction} {Members} promised {Promised} voted {Voted} {Yes}";
        }

        /// <summary>Manager: it ended so; without a promise before, an abort is the tombstone that refuses a late Prepare.</summary>
        public sealed record Ended(TransactionId Transaction, bool Commit) : Record
        {
            public override string ToString() => $"{(Commit ? "Committed" : "Aborted")} {Transaction}";
        }

        /// <summary>First of a checkpoint: so many commits are in the store.</summary>
        public sealed record Flushed(Slot Applied) : Record
        {
            public override string ToString() => $"Flushed {Applied}";
        }

        /// <summary>
        /// Last of a checkpoint: of each coordinator's transactions those before its mark are over here, and what managers have told this
        /// acceptor of the kind.
        /// </summary>
        public sealed record Past(ImmutableArray<TransactionId> Marks, ImmutableArray<Settlement> Managers) : Record
        {
            public bool Equals(Past? other) =>
                other is not null && Marks.AsSpan().SequenceEqual(other.Marks.AsSpan()) && Managers.AsSpan().SequenceEqual(other.Managers.AsSpan());

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Marks.Length + Managers.Length;

            public override string ToString() => $"Past {string.Join(" ", Marks)} | {string.Join(" ", Managers)}";
        }
    }
}
