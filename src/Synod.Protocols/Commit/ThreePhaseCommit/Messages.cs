using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    /// <summary>Where a process stands with a transaction.</summary>
    public enum Standing : byte
    {
        /// <summary>W: it voted Yes.</summary>
        Waiting,

        /// <summary>P: it knows that everyone voted Yes.</summary>
        PreCommitted,

        /// <summary>C.</summary>
        Committed,

        /// <summary>A.</summary>
        Aborted,

        /// <summary>W, and crashed since: others may have gone on without it.</summary>
        WaitingSinceCrash,

        /// <summary>P, and crashed since.</summary>
        PreCommittedSinceCrash,

        /// <summary>The coordinator is well and will decide.</summary>
        Leading,

        /// <summary>The coordinator crashed and has decided nothing.</summary>
        Forgotten,
    }

    /// <summary>What nodes say to each other.</summary>
    public abstract record Message(TransactionId Transaction)
    {
        /// <summary>
        /// Coordinator to each participant: can you commit these writes, or, if <paramref name="Life"/> is not 0, those that you enlisted in that
        /// life of yours? <paramref name="Writers"/> are all who write, and <paramref name="Settled"/> is what they have said to be over for them. I
        /// lead none of my transactions before <paramref name="Oldest"/>.
        /// </summary>
        public sealed record CanCommit(
            TransactionId Transaction,
            TransactionId Oldest,
            ImmutableArray<Settlement> Settled,
            NodeSet Writers,
            long Life,
            ImmutableArray<Write> Writes) : Message(Transaction)
        {
            public override string ToString() => string.Create(
                CultureInfo.InvariantCulture,
                $"CanCommit {Transaction}{Past(this, Oldest)} {Writers}{string.Concat(Settled.Select(item => $" {item}"))} {Asked}");

            private string Asked => Life == 0
                ? $"[{string.Join(" ", Writes)}]"
                : string.Create(CultureInfo.InvariantCulture, $"as enlisted in life {Life}");
        }

        /// <summary>
        /// Participant to coordinator. After a Yes it decides only as told, or by the termination protocol; and of the same coordinator's
        /// transactions those before <paramref name="Settled"/> are over for it: it is in doubt about none and votes on none.
        /// </summary>
        public sealed record Vote(TransactionId Transaction, Choice Choice, TransactionId Settled = default) : Message(Transaction)
        {
            public override string ToString() => $"Vote {Transaction}{Past(this, Settled)} {Choice}";
        }

        /// <summary>Coordinator or backup to those that wait: everyone voted Yes.</summary>
        public sealed record PreCommit(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"PreCommit {Transaction}";
        }

        /// <summary>The answer: I shall commit, whoever crashes.</summary>
        public sealed record AckPre(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"AckPre {Transaction}";
        }

        /// <summary>Coordinator or backup to everyone: DoCommit, or Abort.</summary>
        public sealed record Decide(TransactionId Transaction, bool Commit) : Message(Transaction)
        {
            public override string ToString() => $"{(Commit ? "DoCommit" : "Abort")} {Transaction}";
        }

        /// <summary>Backup to everyone that it believes alive: where do you stand? Who answers obeys it from then on.</summary>
        public sealed record StateReq(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"StateReq {Transaction}";
        }

        /// <summary>The answer to a backup, or to an inquiry.</summary>
        public sealed record StateRep(TransactionId Transaction, Standing Standing) : Message(Transaction)
        {
            public override string ToString() => $"StateRep {Transaction} {Standing}";
        }

        /// <summary>A participant that waits to everyone: how did it end? <paramref name="Recovering"/> if it crashed since its vote.</summary>
        public sealed record Inquire(TransactionId Transaction, bool Recovering) : Message(Transaction)
        {
            public override string ToString() => $"Inquire {Transaction}{(Recovering ? " after a crash" : "")}";
        }

        /// <summary>
        /// Participant to the coordinator, again and again until it is asked for its vote: I take part, in this life of mine, and have something to
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

        /// <summary>Coordinator to who asked: you are not in it and never will be. Not a decision: it may commit without you.</summary>
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
        /// <summary>Coordinator: this epoch's ids are in use.</summary>
        public sealed record Booted(long Epoch) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Booted {Epoch}");
        }

        /// <summary>
        /// Participant, before a Yes: the promise, whose members are all who write, and the mark before which its coordinator's transactions
        /// are over here. A checkpoint has the marks by themselves.
        /// </summary>
        public sealed record Prepared(Promise Promise, TransactionId Settled) : Record
        {
            public override string ToString() => $"Prepared {Promise}{(Settled == Promise.Transaction ? "" : $" past {Settled}")}";
        }

        /// <summary>Participant, before its acknowledgement, or before it commits as a backup.</summary>
        public sealed record PreCommitted(TransactionId Transaction) : Record
        {
            public override string ToString() => $"PreCommitted {Transaction}";
        }

        /// <summary>
        /// Participant: it ended so for all who wrote; without writers an abort is the tombstone that refuses a late CanCommit.
        /// </summary>
        public sealed record Ended(TransactionId Transaction, bool Commit, NodeSet Writers) : Record
        {
            public override string ToString() => $"{(Commit ? "Committed" : "Aborted")} {Transaction}";
        }

        /// <summary>
        /// Coordinator: the decision to commit, and who may ask for it. Its aborts leave no record: a process that waits does not presume them.
        /// </summary>
        public sealed record Decided(TransactionId Transaction, NodeSet Writers) : Record
        {
            public override string ToString() => $"Decided {Transaction}";
        }

        /// <summary>First of a checkpoint: so many commits are in the store.</summary>
        public sealed record Flushed(Slot Applied) : Record
        {
            public override string ToString() => $"Flushed {Applied}";
        }

        /// <summary>Last of a checkpoint: before these marks this node votes on nothing, and what it does not know there is over.</summary>
        public sealed record Past(ImmutableArray<TransactionId> Marks) : Record
        {
            public bool Equals(Past? other) => other is not null && Marks.AsSpan().SequenceEqual(other.Marks.AsSpan());

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Marks.Length;

            public override string ToString() => $"Past {string.Join(" ", Marks)}";
        }
    }
}
