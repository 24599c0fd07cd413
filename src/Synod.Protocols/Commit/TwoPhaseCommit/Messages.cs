using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// Names a transaction for ever: its coordinator, the boot epoch in which that began it, and a counter. An id is never used
/// twice, or a participant prepared under the old use would take the new decision for its own (Gray 1978).
/// </summary>
public readonly record struct TransactionId(NodeId Coordinator, long Epoch, long Counter) : IComparable<TransactionId>
{
    public int CompareTo(TransactionId other)
    {
        var byNode = Coordinator.CompareTo(other.Coordinator);
        var byEpoch = byNode != 0 ? byNode : Epoch.CompareTo(other.Epoch);
        return byEpoch != 0 ? byEpoch : Counter.CompareTo(other.Counter);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"t{Coordinator.Value}.{Epoch}.{Counter}");
}

/// <summary>One key to be set to one value.</summary>
public sealed record Write(Key Key, ReadOnlyMemory<byte> Value)
{
    public bool Equals(Write? other) => other is not null && Key == other.Key && Value.Span.SequenceEqual(other.Value.Span);

    public override int GetHashCode() => Key.GetHashCode();

    public override string ToString() => $"{Key}={new Key(Value)}";
}

/// <summary>What one participant is to write; nothing means that it was only read from.</summary>
public sealed record Branch(NodeId Participant, ImmutableArray<Write> Writes)
{
    public override string ToString() => $"{Participant}[{string.Join(" ", Writes)}]";
}

/// <summary>How a participant votes.</summary>
public enum Choice : byte
{
    No,
    Yes,
    ReadOnly,
}

/// <summary>How a transaction ends, as far as the one asked knows.</summary>
public enum Ending : byte
{
    Unknown,
    Committed,
    Aborted,
}

public sealed partial class TwoPhaseCommit
{
    /// <summary>What nodes say to each other. Ids are never reused, so they also play the part of an attempt number.</summary>
    public abstract record Message(TransactionId Transaction)
    {
        /// <summary>Coordinator to each participant: can you commit these writes? <paramref name="Writers"/> are all who write.</summary>
        public sealed record Prepare(TransactionId Transaction, NodeSet Writers, ImmutableArray<Write> Writes) : Message(Transaction)
        {
            public override string ToString() => $"Prepare {Transaction} {Writers} [{string.Join(" ", Writes)}]";
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

        /// <summary>The answer to an inquiry. Committed and Aborted are for ever.</summary>
        public sealed record Outcome(TransactionId Transaction, Ending Ending) : Message(Transaction)
        {
            public override string ToString() => $"Outcome {Transaction} {Ending}";
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

        /// <summary>Participant, before a Yes: everything needed to redo the writes and to lock their keys again.</summary>
        public sealed record Prepared(TransactionId Transaction, NodeSet Writers, ImmutableArray<Write> Writes) : Record
        {
            public override string ToString() => $"Prepared {Transaction} {Writers} [{string.Join(" ", Writes)}]";
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
    }

    /// <summary>What hosts submit, and what is handed up.</summary>
    public abstract record Command
    {
        /// <summary>Submitted to a coordinator: commit all branches or none.</summary>
        public sealed record Begin(ImmutableArray<Branch> Branches) : Command
        {
            public override string ToString() => $"Begin {string.Join(" ", Branches)}";
        }

        /// <summary>Submitted to a participant that does not want the transaction; has an effect only before it votes.</summary>
        public sealed record Veto(TransactionId Transaction) : Command
        {
            public override string ToString() => $"Veto {Transaction}";
        }

        /// <summary>Handed up by a participant: these writes are committed. Again after each restart, at the same position.</summary>
        public sealed record Apply(TransactionId Transaction, ImmutableArray<Write> Writes) : Command
        {
            public override string ToString() => $"Apply {Transaction} [{string.Join(" ", Writes)}]";
        }
    }

    /// <summary>Answers to commands. No answer at all means that the outcome is unknown to the caller.</summary>
    public abstract record Result
    {
        public sealed record Committed(TransactionId Transaction) : Result;

        public sealed record Aborted(TransactionId Transaction) : Result;

        /// <summary>The command names no branch, one participant twice, or one that cannot be a member of a set.</summary>
        public sealed record Malformed : Result;

        /// <summary>To a veto: the transaction will not commit here, and so nowhere.</summary>
        public sealed record Vetoed(TransactionId Transaction) : Result;

        /// <summary>To a veto: the vote was Yes, and that cannot be taken back.</summary>
        public sealed record TooLate(TransactionId Transaction) : Result;
    }
}
