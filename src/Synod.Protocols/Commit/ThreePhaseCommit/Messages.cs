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
        /// <summary>Coordinator to each participant: can you commit these writes? <paramref name="Writers"/> are all who write.</summary>
        public sealed record CanCommit(TransactionId Transaction, NodeSet Writers, ImmutableArray<Write> Writes) : Message(Transaction)
        {
            public override string ToString() => $"CanCommit {Transaction} {Writers} [{string.Join(" ", Writes)}]";
        }

        /// <summary>Participant to coordinator. After a Yes it decides only as told, or by the termination protocol.</summary>
        public sealed record Vote(TransactionId Transaction, Choice Choice) : Message(Transaction)
        {
            public override string ToString() => $"Vote {Transaction} {Choice}";
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

        /// <summary>Participant, before its acknowledgement, or before it commits as a backup.</summary>
        public sealed record PreCommitted(TransactionId Transaction) : Record
        {
            public override string ToString() => $"PreCommitted {Transaction}";
        }

        /// <summary>Participant: it ended so; without a promise before, an abort is the tombstone that refuses a late CanCommit.</summary>
        public sealed record Ended(TransactionId Transaction, bool Commit) : Record
        {
            public override string ToString() => $"{(Commit ? "Committed" : "Aborted")} {Transaction}";
        }

        /// <summary>Coordinator: the decision to commit. Its aborts leave no record: a process that waits does not presume them.</summary>
        public sealed record Decided(TransactionId Transaction) : Record
        {
            public override string ToString() => $"Decided {Transaction}";
        }

        /// <summary>First of a checkpoint: so many commits are in the store.</summary>
        public sealed record Flushed(Slot Applied) : Record
        {
            public override string ToString() => $"Flushed {Applied}";
        }
    }
}
