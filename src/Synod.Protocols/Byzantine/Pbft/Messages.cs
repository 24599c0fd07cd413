using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class Pbft
{
    /// <summary>What replicas and clients say to each other. The host authenticates the sender of each.</summary>
    public abstract record Message
    {
        /// <summary>Client to primary, after a while to all; backup to primary: do this.</summary>
        public sealed record Request(SignedRequest Signed) : Message
        {
            public override string ToString() => $"Request {Signed}";
        }

        /// <summary>Client to all: what would this give now? It must only read.</summary>
        public sealed record Read(SignedRequest Signed) : Message
        {
            public override string ToString() => $"Read {Signed}";
        }

        /// <summary>Replica to client: the result of its request of that timestamp; as ordered, or as read.</summary>
        public sealed record Reply(long View, long Timestamp, bool IsRead, ReadOnlyMemory<byte> Result) : Message
        {
            public override string ToString() => Text($"Reply {Timestamp}={new Key(Result)}{(IsRead ? " read" : "")}");
        }

        /// <summary>Primary to backups: this batch has this slot in my view. I say so of no other batch.</summary>
        public sealed record PrePrepare(long View, Slot Slot, Digest Digest, Batch Batch, Authenticator Authenticator) : Message
        {
            public override string ToString() => Text($"PrePrepare {View} {Slot} {Digest} {Batch}");
        }

        /// <summary>Backup to all: I accepted this digest in this view and slot, and accept no other there.</summary>
        public sealed record Prepare(long View, Slot Slot, Digest Digest, Authenticator Authenticator) : Message
        {
            public override string ToString() => Text($"Prepare {View} {Slot} {Digest}");
        }

        /// <summary>Replica to all: it prepared here, and I shall say so in every view change until a checkpoint covers it.</summary>
        public sealed record Commit(long View, Slot Slot, Digest Digest, Authenticator Authenticator) : Message
        {
            public override string ToString() => Text($"Commit {View} {Slot} {Digest}");
        }

        /// <summary>Replica to all: this is the digest of my state after the slot, and I keep that state.</summary>
        public sealed record Checkpoint(Slot Slot, Digest State, Signature Signature) : Message
        {
            public override string ToString() => $"Checkpoint {Slot} {State}";
        }

        /// <summary>
        /// Replica to all: I take part in no lower view any more. This checkpoint is stable, and all that prepared here above it is
        /// among <paramref name="Prepared"/>. With codes also all that was pre-prepared.
        /// </summary>
        public sealed record ViewChange(
            NodeId Sender,
            long View,
            CheckpointProof Stable,
            ImmutableArray<Prepared> Prepared,
            ImmutableArray<PrePrepared> PrePrepared,
            Signature Signature) : Message
        {
            public override string ToString() => Text(
                $"ViewChange {View} by {Sender} from {Stable} P[{string.Join(" ", Prepared)}]{(PrePrepared.IsEmpty ? "" : $" Q[{string.Join(" ", PrePrepared)}]")}");
        }

        /// <summary>Primary of a view to all: these view changes begin it, and therefore these pre-prepares.</summary>
        public sealed record NewView(
            long View, ImmutableArray<ViewChange> ViewChanges, ImmutableArray<Proposal> Proposals, Signature Signature) : Message
        {
            public override string ToString() => Text(
                $"NewView {View} of {string.Join(",", ViewChanges.Select(item => item.Sender))} O[{string.Join(" ", Proposals)}]");
        }

        /// <summary>Replica to all while something is open: this is where I am; send me what I lack.</summary>
        public sealed record Status(long View, bool IsActive, Slot Stable, Slot Executed) : Message
        {
            public override string ToString() => Text($"Status {View}{(IsActive ? "" : " changing")} {Stable} {Executed}");
        }

        /// <summary>Replica to one that lags: this batch was committed here. f+1 such are as good as a certificate.</summary>
        public sealed record Decided(Slot Slot, Batch Batch) : Message
        {
            public override string ToString() => $"Decided {Slot} {Batch}";
        }

        /// <summary>Replica to one that lags behind the log: this checkpoint is stable.</summary>
        public sealed record StableCheckpoint(CheckpointProof Proof) : Message
        {
            public override string ToString() => $"Stable {Proof}";
        }

        /// <summary>Replica to others: what is the batch with this digest?</summary>
        public sealed record FetchBatch(Digest Digest) : Message
        {
            public override string ToString() => $"FetchBatch {Digest}";
        }

        /// <summary>The answer. The digest proves it.</summary>
        public sealed record BatchFound(Batch Batch) : Message
        {
            public override string ToString() => $"BatchFound {Batch}";
        }

        /// <summary>Replica to one that has the state after a slot: give me this part of its tree.</summary>
        public sealed record FetchState(Slot Slot, int Level, int Index) : Message
        {
            public override string ToString() => Text($"FetchState {Slot} {Level}.{Index}");
        }

        /// <summary>The answer: a page of the state on level 0, the digests of a node's children above.</summary>
        public sealed record StateChunk(Slot Slot, int Level, int Index, ReadOnlyMemory<byte> Content) : Message
        {
            public override string ToString() => Text($"StateChunk {Slot} {Level}.{Index} of {Content.Length} bytes");
        }

        private static string Text(FormattableString text) => FormattableString.Invariant(text);
    }

    /// <summary>What is made durable, so that a replica does not contradict itself after a restart.</summary>
    public abstract record Record
    {
        /// <summary>What a digest stands for. Before the first that says the digest.</summary>
        public sealed record Known(Batch Batch) : Record
        {
            public override string ToString() => $"Known {Batch}";
        }

        /// <summary>Before a pre-prepare or prepare is sent: the digest accepted in a view and slot.</summary>
        public sealed record PrePrepared(long View, Slot Slot, Digest Digest, Authenticator Authenticator) : Record
        {
            public override string ToString() => FormattableString.Invariant($"PrePrepared {View} {Slot} {Digest}");
        }

        /// <summary>Before a commit is sent: that, and by whom, the slot prepared.</summary>
        public sealed record Prepared(Pbft.Prepared Proof) : Record
        {
            public override string ToString() => $"Prepared {Proof}";
        }

        /// <summary>
        /// Before replies are sent: what was executed in a slot. A restart executes it again, so that no read misses what a reply told.
        /// </summary>
        public sealed record Executed(Slot Slot, Digest Digest) : Record
        {
            public override string ToString() => $"Executed {Slot} {Digest}";
        }

        /// <summary>Before a view change is sent: what it says. It is said again in the same words.</summary>
        public sealed record Changing(Message.ViewChange ViewChange) : Record
        {
            public override string ToString() => FormattableString.Invariant($"Changing {ViewChange.View}");
        }

        /// <summary>Before anything is sent in a new view: why it began and with which pre-prepares.</summary>
        public sealed record Entered(Message.NewView NewView) : Record
        {
            public override string ToString() => FormattableString.Invariant($"Entered {NewView.View}");
        }

        /// <summary>Before a checkpoint is sent: the state after the slot, reply table included.</summary>
        public sealed record Saved(Slot Slot, ReadOnlyMemory<byte> State) : Record
        {
            public override string ToString() => $"Saved {Slot}";
        }

        /// <summary>That a checkpoint is stable; nothing at or below it is needed any more.</summary>
        public sealed record Stable(CheckpointProof Proof) : Record
        {
            public override string ToString() => $"Stable {Proof}";
        }

        /// <summary>Client, before a request is sent: its timestamp is in use.</summary>
        public sealed record Claimed(long Timestamp) : Record
        {
            public override string ToString() => FormattableString.Invariant($"Claimed {Timestamp}");
        }
    }

    /// <summary>What hosts submit, and what is handed up.</summary>
    public abstract record Command
    {
        /// <summary>Submitted to a client: do this, once.</summary>
        public sealed record Invoke(ReadOnlyMemory<byte> Operation) : Command
        {
            public override string ToString() => $"Invoke {new Key(Operation)}";
        }

        /// <summary>Submitted to a client: what does this give? The operation must only read.</summary>
        public sealed record Query(ReadOnlyMemory<byte> Operation) : Command
        {
            public override string ToString() => $"Query {new Key(Operation)}";
        }

        /// <summary>Submitted to a replica: a client's request that came in by another way than a message.</summary>
        public sealed record Order(SignedRequest Signed) : Command
        {
            public override string ToString() => $"Order {Signed}";
        }

        /// <summary>Handed up by a replica: the batch of a slot is executed. Again after each restart, at the same slot.</summary>
        public sealed record Apply(Batch Batch) : Command
        {
            public override string ToString() => $"Apply {Batch}";
        }
    }

    /// <summary>Answers to commands. No answer at all means that the outcome is unknown.</summary>
    public abstract record Result
    {
        /// <summary>Enough replicas gave this result.</summary>
        public sealed record Completed(ReadOnlyMemory<byte> Value) : Result
        {
            public override string ToString() => $"Completed {new Key(Value)}";
        }

        /// <summary>A replica took note of a request; its client gets the reply.</summary>
        public sealed record Noted : Result;

        /// <summary>The command is none for this machine, too large, or not signed by its client.</summary>
        public sealed record Refused : Result;
    }
}
