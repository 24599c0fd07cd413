using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class ReconfigurablePaxos
{
    /// <summary>What nodes say to each other.</summary>
    public abstract record Message
    {
        /// <summary>Between the replicas of one epoch's group.</summary>
        public sealed record OfGroup(long Epoch, MultiPaxos.Message Inner) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"e{Epoch} {Inner}");
        }

        /// <summary>To whoever is behind, and to members that have not begun: the epoch before has ended, this is in force.</summary>
        public sealed record Ended(Configuration Next) : Message
        {
            public override string ToString() => $"Ended, {Next}";
        }

        /// <summary>Member to whoever told it: my replica of this epoch has the state that it begins with, and takes part.</summary>
        public sealed record Started(long Epoch) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Started e{Epoch}");
        }

        /// <summary>New member to whoever told it: the next chunk of a state that this epoch can begin with; index 0 asks for a new one.</summary>
        public sealed record FetchState(long Epoch, Slot At, int Index) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"FetchState e{Epoch} {At} {Index}");
        }

        /// <summary>To a new member: a chunk of the state at or above the epoch's base.</summary>
        public sealed record State(long Epoch, SnapshotChunk Chunk) : Message
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"State e{Epoch} {Chunk.At} {Chunk.Index}");
        }
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        /// <summary>Of one epoch's replica.</summary>
        public sealed record OfGroup(long Epoch, MultiPaxos.Record Inner) : Record
        {
            public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"e{Epoch} {Inner}");
        }

        /// <summary>This configuration is in force. Before anything of its epoch is said.</summary>
        public sealed record Adopted(Configuration Configuration) : Record
        {
            public override string ToString() => $"Adopted {Configuration}";
        }
    }

    /// <summary>What is submitted, and what is executed.</summary>
    public abstract record Command
    {
        /// <summary>Of the group that is in force: propose, read, campaign and so on.</summary>
        public sealed record Ask(MultiPaxos.Command Inner) : Command
        {
            public override string ToString() => $"{Inner}";
        }

        /// <summary>End the epoch: the next one has these members and quorums. Answered when that is chosen, or cannot be.</summary>
        public sealed record Reconfigure(QuorumSystem Next) : Command
        {
            public override string ToString() => $"Reconfigure {Next} of {Next.Members}";
        }

        /// <summary>Executed: an agreed command.</summary>
        public sealed record Apply(ReadOnlyMemory<byte> Value) : Command
        {
            public override string ToString() => $"Apply {new Key(Value)}";
        }

        /// <summary>Executed: the slot ends an epoch, and this one follows. The state keeps it.</summary>
        public sealed record Adopt(Configuration Configuration) : Command
        {
            public override string ToString() => $"Adopt {Configuration}";
        }
    }

    /// <summary>Answers to commands. No answer at all means that the outcome is unknown.</summary>
    public abstract record Result
    {
        /// <summary>The group's own answer, with slots of the whole log.</summary>
        public sealed record Told(MultiPaxos.Result Inner) : Result
        {
            public override string ToString() => $"{Inner}";
        }

        /// <summary>The epoch has ended, and this one follows.</summary>
        public sealed record Adopted(Configuration Configuration) : Result
        {
            public override string ToString() => $"Adopted {Configuration}";
        }

        /// <summary>The quorum system cannot be used.</summary>
        public sealed record Refused(string Reason) : Result
        {
            public override string ToString() => $"Refused: {Reason}";
        }

        /// <summary>No group runs here: this node is no member of the configuration, or has not loaded the state, or knows none (null).</summary>
        public sealed record NoReplica(Configuration? Configuration) : Result
        {
            public override string ToString() => $"No replica of {Configuration}";
        }
    }
}
