using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class HotStuff
{
    /// <summary>What replicas say to each other.</summary>
    public abstract record Message
    {
        /// <summary>
        /// The leader of the block's view to all: vote for this. The certificates beside the block's own show that the view may be entered.
        /// </summary>
        public sealed record Proposal(Block Block, QuorumCertificate Decision, TimeoutCertificate Entry) : Message
        {
            public Certificates Certificates => new(Block.Justify, Decision, Entry);

            public override string ToString() =>
                $"Proposal {Block}{(Decision.View == 0 ? "" : $" {Decision}")}{(Entry.View == 0 ? "" : $" {Entry}")}";
        }

        /// <summary>A replica to the collector of the phase. It votes once in each phase of each view, also over restarts.</summary>
        public sealed record Vote(VotePhase Phase, long View, Digest Block, Signature Signature) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Vote {Phase} {View} {Block}");
        }

        /// <summary>A leader to all: this phase of my block is over (in basic HotStuff PreCommit, Commit and Decide).</summary>
        public sealed record Certified(QuorumCertificate Certificate) : Message
        {
            public override string ToString() => $"Certified {Certificate}";
        }

        /// <summary>A replica that entered a view to its leader: this is the highest certificate that I know.</summary>
        public sealed record NewView(long View, Certificates Certificates) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"NewView {View} {Certificates}");
        }

        /// <summary>A replica to all, or to the next leaders: I vote no more in this view.</summary>
        public sealed record Timeout(long View, Certificates Certificates, Signature Signature) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Timeout {View} {Certificates}");
        }

        /// <summary>Who formed a time-out certificate to those who need it, and anyone to a laggard: this is how far we are.</summary>
        public sealed record Sync(Certificates Certificates) : Message
        {
            public override string ToString() => $"Sync {Certificates}";
        }

        /// <summary>Who misses a certified block: send it, and its ancestors whose view is above <paramref name="Above"/>.</summary>
        public sealed record Fetch(Digest Block, long Above) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Fetch {Block} above {Above}");
        }

        /// <summary>The block asked for, and ancestors of it, each followed by its parent. Digests prove that they are the right ones.</summary>
        public sealed record Blocks(ImmutableArray<Block> Chain) : Message
        {
            public bool Equals(Blocks? other) => other is not null && Chain.AsSpan().SequenceEqual(other.Chain.AsSpan());

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Chain.Length;

            public override string ToString() => $"Blocks {string.Join(" ", Chain)}";
        }

        /// <summary>A replica to all: I have executed the chain up to there, and the state is on my disk.</summary>
        public sealed record Checkpoint(ChainCheckpoint Of, Signature Signature) : Message
        {
            public override string ToString() => $"Checkpoint {Of}";
        }

        /// <summary>To who asks for what is no longer here: n - f say that it was committed, fetch the state instead.</summary>
        public sealed record Stable(StableCheckpoint Proven) : Message
        {
            public override string ToString() => $"Stable {Proven.Checkpoint}";
        }

        /// <summary>A laggard to one that signed a checkpoint: send this part of its state's tree.</summary>
        public sealed record FetchState(long Height, int Level, int Index) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"FetchState {Height} {Level}.{Index}");
        }

        /// <summary>The part asked for. The digest in the part above proves that it is the right one.</summary>
        public sealed record StatePart(long Height, int Level, int Index, ReadOnlyMemory<byte> Content) : Message
        {
            public bool Equals(StatePart? other) =>
                other is not null && (Height, Level, Index) == (other.Height, other.Level, other.Index)
                && Content.Span.SequenceEqual(other.Content.Span);

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Index;

            public override string ToString() =>
                string.Create(CultureInfo.InvariantCulture, $"StatePart {Height} {Level}.{Index} of {Content.Length} bytes");
        }
    }

    /// <summary>What is made durable, in the order in which it became known. Recovery takes it in again.</summary>
    public abstract record Record
    {
        /// <summary>Before a vote for the block or for one that descends from it, and before its leader proposes it.</summary>
        public sealed record Stored(Block Block) : Record
        {
            public override string ToString() => $"Stored {Block}";
        }

        /// <summary>A certificate that moved the highest, the lock or the decision and is in no stored block.</summary>
        public sealed record Learned(QuorumCertificate Certificate) : Record
        {
            public override string ToString() => $"Learned {Certificate}";
        }

        /// <summary>Before the vote: no other in this phase or an earlier one of this view.</summary>
        public sealed record Voted(VotePhase Phase, long View, Digest Block) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Voted {Phase} {View} {Block}");
        }

        /// <summary>Before a time-out is told: no vote in this view any more.</summary>
        public sealed record TimedOut(long View) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"TimedOut {View}");
        }

        /// <summary>The view after it was entered by this.</summary>
        public sealed record Entered(TimeoutCertificate Timeout) : Record
        {
            public override string ToString() => $"Entered {Timeout}";
        }

        /// <summary>Before the checkpoint is told: the state there, as this replica executed it.</summary>
        public sealed record Saved(ChainCheckpoint Checkpoint, ReadOnlyMemory<byte> State) : Record
        {
            public bool Equals(Saved? other) =>
                other is not null && Checkpoint == other.Checkpoint && State.Span.SequenceEqual(other.State.Span);

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Checkpoint.GetHashCode();

            public override string ToString() => $"Saved {Checkpoint}";
        }

        /// <summary>A checkpoint whose state this replica saved was proven.</summary>
        public sealed record Stable(StableCheckpoint Proven) : Record
        {
            public override string ToString() => $"Stable {Proven.Checkpoint}";
        }

        /// <summary>A proven state to begin from: one that was fetched, or the one at which the log was cut.</summary>
        public sealed record Based(StableCheckpoint Proven, ReadOnlyMemory<byte> State) : Record
        {
            public bool Equals(Based? other) =>
                other is not null && Proven == other.Proven && State.Span.SequenceEqual(other.State.Span);

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Proven.GetHashCode();

            public override string ToString() => $"Based {Proven.Checkpoint}";
        }

        /// <summary>
        /// When the log is cut: all that this replica has said and has seen proven, in place of the records that are dropped. Of the
        /// certificates the time-out is the last by which a view was entered.
        /// </summary>
        public sealed record Stands(
            VotePhase VotedPhase, long VotedView, long TimedOutView, long ProposedView, Certificates Certificates, QuorumCertificate Locked, Digest Committed)
            : Record
        {
            public override string ToString() => string.Create(
                CultureInfo.InvariantCulture,
                $"Stands voted {VotedPhase} {VotedView} gave up {TimedOutView} proposed {ProposedView} {Certificates} locked {Locked} committed {Committed}");
        }
    }

    /// <summary>
    /// What a client wants executed. Clients send it to all replicas and believe f + 1 equal answers. It is executed once: not if the
    /// same or a later sequence number of the client was. The signature keeps a faulty leader from speaking for clients.
    /// </summary>
    public sealed record Command(NodeId Client, long Sequence, ReadOnlyMemory<byte> Payload, Signature Signature)
    {
        public bool Equals(Command? other) =>
            other is not null && Client == other.Client && Sequence == other.Sequence
            && Payload.Span.SequenceEqual(other.Payload.Span) && Signature == other.Signature;

        /// <summary>For lookups in hash tables only.</summary>
        public override int GetHashCode() => new Key(Payload).GetHashCode();

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Client}.{Sequence}={new Key(Payload)}");
    }

    /// <summary>Answers to commands.</summary>
    public abstract record Result
    {
        /// <summary>It was executed, at this position, now or before, and this came of it.</summary>
        public sealed record Executed(Slot Position, ReadOnlyMemory<byte> Value) : Result
        {
            public bool Equals(Executed? other) =>
                other is not null && Position == other.Position && Value.Span.SequenceEqual(other.Value.Span);

            /// <summary>For lookups in hash tables only.</summary>
            public override int GetHashCode() => Position.GetHashCode();

            public override string ToString() => $"Executed {Position} {new Key(Value)}";
        }

        /// <summary>A later command of the same client was executed, so this one never will be, unless it was before that.</summary>
        public sealed record Superseded : Result;

        /// <summary>Its signature is wrong, it is too long, or too many commands of its client, or requests for this one, wait.</summary>
        public sealed record Refused : Result;
    }
}
