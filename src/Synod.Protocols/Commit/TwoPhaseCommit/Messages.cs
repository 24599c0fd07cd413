using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    /// <summary>What nodes say to each other. Ids are never reused, so they also play the part of an attempt number.</summary>
    public abstract record Message(TransactionId Transaction)
    {
        /// <summary>
        /// Coordinator to each participant: can you commit these writes, or, if <paramref name="Life"/> is not 0, those that you enlisted in that
        /// life of yours? <paramref name="Writers"/> are all who write; of my transactions all before <paramref name="Oldest"/> are over, and nobody
        /// will ask about them.
        /// </summary>
        public sealed record Prepare(
            TransactionId Transaction, TransactionId Oldest, NodeSet Writers, long Life, ImmutableArray<Write> Writes) : Message(Transaction)
        {
            public override string ToString() => $"Prepare {Transaction}{Past(this, Oldest)} {Writers} {Asked(Life, Writes)}";
        }

        /// <summary>Coordinator to the only participant: commit or abort by yourself, and tell me which.</summary>
        public sealed record CommitAlone(
            TransactionId Transaction, TransactionId Oldest, long Life, ImmutableArray<Write> Writes) : Message(Transaction)
        {
            public override string ToString() => $"CommitAlone {Transaction}{Past(this, Oldest)} {Asked(Life, Writes)}";
        }

        /// <summary>The only participant to itself: the decision is durable, and may be applied and told.</summary>
        public sealed record DecidedAlone(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"DecidedAlone {Transaction}";
        }

        /// <summary>Participant to coordinator. Yes promises to commit or abort as told, whatever happens.</summary>
        public sealed record Vote(TransactionId Transaction, Choice Choice) : Message(Transaction)
        {
            public override string ToString() => $"Vote {Transaction} {Choice}";
        }

        /// <summary>Coordinator to everyone that may be prepared: the decision, which never changes.</summary>
        public sealed record Decide(TransactionId Transaction, bool Commit) : Message(Transaction)
        {
            public override string ToString() => $"Decide {Transaction} {(Commit ? "Commit" : "Abort")}";
        }

        /// <summary>Participant to coordinator: the commit is durable here, so I shall never ask again.</summary>
        public sealed record Ack(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"Ack {Transaction}";
        }

        /// <summary>Prepared participant to coordinator and other writers: how did it end?</summary>
        public sealed record Inquire(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"Inquire {Transaction}";
        }

        /// <summary>The answer to an inquiry and to <see cref="CommitAlone"/>. Committed and Aborted are for ever.</summary>
        public sealed record Outcome(TransactionId Transaction, Ending Ending) : Message(Transaction)
        {
            public override string ToString() => $"Outcome {Transaction} {Ending}";
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

        /// <summary>Coordinator to who asked: you are not in it and never will be. Not a decision: it may commit without you.</summary>
        public sealed record Closed(TransactionId Transaction) : Message(Transaction)
        {
            public override string ToString() => $"Closed {Transaction}";
        }

        private static string Asked(long life, ImmutableArray<Write> writes) => life == 0
            ? $"[{string.Join(" ", writes)}]"
            : string.Create(CultureInfo.InvariantCulture, $"as enlisted in life {life}");

        private static string Past(Message message, TransactionId oldest) => oldest == message.Transaction ? "" : $" past {oldest}";
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        /// <summary>Coordinator: this epoch's ids are in use.</summary>
        public sealed record Booted(long Epoch) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Booted {Epoch}");
        }

        /// <summary>Participant, before a Yes: the promise, whose members are all who write.</summary>
        public sealed record Prepared(Promise Promise) : Record
        {
            public override string ToString() => $"Prepared {Promise}";
        }

        /// <summary>The only participant: promised and committed in one.</summary>
        public sealed record CommittedAlone(Promise Promise) : Record
        {
            public override string ToString() => $"CommittedAlone {Promise}";
        }

        /// <summary>Participant: committed; with the record before it, the redo log of the writes.</summary>
        public sealed record Committed(TransactionId Transaction) : Record
        {
            public override string ToString() => $"Committed {Transaction}";
        }

        /// <summary>Participant: aborted, and if it comes before any Prepare, the tombstone that refuses a late one.</summary>
        public sealed record Aborted(TransactionId Transaction) : Record
        {
            public override string ToString() => $"Aborted {Transaction}";
        }

        /// <summary>Coordinator: the decision to commit, and who has to hear of it. Aborts leave no record (presumed abort).</summary>
        public sealed record Decided(TransactionId Transaction, NodeSet Voters) : Record
        {
            public override string ToString() => $"Decided {Transaction} {Voters}";
        }

        /// <summary>Coordinator: every Yes-voter has committed durably; nobody will ask again.</summary>
        public sealed record Ended(TransactionId Transaction) : Record
        {
            public override string ToString() => $"Ended {Transaction}";
        }

        /// <summary>First of a checkpoint: so many commits are in the store.</summary>
        public sealed record Flushed(Slot Applied) : Record
        {
            public override string ToString() => $"Flushed {Applied}";
        }

        /// <summary>Last of a checkpoint: of each coordinator's transactions those before its mark are over.</summary>
        public sealed record Past(ImmutableArray<TransactionId> Marks) : Record
        {
            public bool Equals(Past? other) => other is not null && Marks.AsSpan().SequenceEqual(other.Marks.AsSpan());

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Marks.Length;

            public override string ToString() => $"Past {string.Join(" ", Marks)}";
        }
    }
}
