using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>The newest that an origin said about one of its keys.</summary>
/// <param name="Version">The origin's own number of the update, from 1; never used twice.</param>
/// <param name="IsDeleted">Whether it says that the key is gone: a tombstone.</param>
public sealed record Entry(long Version, Key Key, ReadOnlyMemory<byte> Value, bool IsDeleted)
{
    /// <summary>Bytes of it in a message, at most.</summary>
    public int Size => 21 + Key.Span.Length + Value.Length;

    public override string ToString() => $"{Key}@{Version}={(IsDeleted ? "-" : new Key(Value).ToString())}";
}

/// <summary>How far a replica is with an origin.</summary>
/// <param name="Floor">Tombstones up to here are dropped, by the origin's word.</param>
/// <param name="Max">Every update up to here is here, or a later one of its key.</param>
public readonly record struct Progress(Origin Origin, long Floor, long Max)
{
    /// <summary>Bytes of it in a message, at most.</summary>
    public const int Size = 35;

    /// <summary>Every deletion up to here is known.</summary>
    public long Deletions => Math.Max(Floor, Max);

    public override string ToString() => Floor == 0 ? $"{Origin}:{Max}" : $"{Origin}:{Max}/{Floor}";
}

/// <summary>How far a replica is with all origins from <paramref name="First"/> to <paramref name="Last"/>; 0 with one that is not named.</summary>
public sealed record Digest(Origin First, Origin Last, ImmutableArray<Progress> Origins)
{
    public bool Covers(Origin origin) => origin >= First && origin <= Last;

    public override string ToString() => $"[{string.Join(' ', Origins)}]";
}

/// <summary>A run of an origin's updates in the order of their versions.</summary>
/// <param name="Sender">How far the sender is.</param>
/// <param name="From">For whom has everything up to here; 0 begins anew.</param>
/// <param name="Through">Who takes it has everything up to here.</param>
public sealed record OriginDelta(Progress Sender, long From, long Through, ImmutableArray<Entry> Entries)
{
    /// <summary>Bytes in a message beside entries, at most.</summary>
    public const int Size = Progress.Size + 25;

    public override string ToString() => $"{Sender} ({From},{Through}] {string.Join(' ', Entries)}";
}

public sealed partial class Scuttlebutt
{
    /// <summary>What replicas say to each other.</summary>
    public abstract record Message
    {
        private Message()
        {
        }

        /// <summary>Initiator to a peer, first message of a round: how far I am.</summary>
        public sealed record Ask(long Round, Digest Digest) : Message
        {
            public override string ToString() => $"Ask {Round} {Digest}";
        }

        /// <summary>Peer to initiator, second: what you lack, and how far I am.</summary>
        public sealed record Exchange(long Round, ImmutableArray<OriginDelta> Deltas, Digest Digest) : Message
        {
            public override string ToString() => $"Exchange {Round} {Text(Deltas)} {Digest}";
        }

        /// <summary>Initiator to peer, third: what you lack.</summary>
        public sealed record Tell(ImmutableArray<OriginDelta> Deltas) : Message
        {
            public override string ToString() => $"Tell {Text(Deltas)}";
        }

        private static string Text(ImmutableArray<OriginDelta> deltas) => $"{{{string.Join("; ", deltas)}}}";
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        private Record()
        {
        }

        /// <summary>This durable state numbers updates as that from here on.</summary>
        public sealed record Created(Origin Origin) : Record
        {
            public override string ToString() => $"Created {Origin}";
        }

        /// <summary>An own update.</summary>
        public sealed record Wrote(Entry Entry) : Record
        {
            public override string ToString() => $"Wrote {Entry}";
        }

        /// <summary>Updates of another origin.</summary>
        public sealed record Learned(OriginDelta Delta) : Record
        {
            public override string ToString() => $"Learned {Delta}";
        }

        /// <summary>Own tombstones up to here are dropped.</summary>
        public sealed record Forgot(long Floor) : Record
        {
            public override string ToString() => $"Forgot {Floor}";
        }

        /// <summary>Who takes part from here on.</summary>
        public sealed record Adopted(Roster Roster) : Record
        {
            public override string ToString() => $"Adopted {Roster}";
        }

        /// <summary>The whole state: a checkpoint.</summary>
        public sealed record Image(ReadOnlyMemory<byte> State) : Record
        {
            public override string ToString() => $"Image of {State.Length} bytes";
        }
    }

    /// <summary>What hosts ask for.</summary>
    public abstract record Command
    {
        private Command()
        {
        }

        /// <summary>Sets a key of this origin.</summary>
        public sealed record Put(Key Key, ReadOnlyMemory<byte> Value) : Command
        {
            public override string ToString() => $"Put {Key} {new Key(Value)}";
        }

        /// <summary>Deletes a key of this origin.</summary>
        public sealed record Delete(Key Key) : Command
        {
            public override string ToString() => $"Delete {Key}";
        }

        /// <summary>Says who takes part, as was decided elsewhere.</summary>
        public sealed record Configure(Roster Roster) : Command
        {
            public override string ToString() => $"Configure {Roster}";
        }
    }

    /// <summary>What commands are answered with.</summary>
    public abstract record Result
    {
        private Result()
        {
        }

        /// <summary>Durable, under this version.</summary>
        public sealed record Stored(Origin Origin, long Version) : Result
        {
            public override string ToString() => $"Stored {Origin}:{Version}";
        }

        /// <summary>This roster, or a later one, is in force.</summary>
        public sealed record Configured(long Epoch) : Result
        {
            public override string ToString() => $"Configured e{Epoch}";
        }

        /// <summary>The key is not there.</summary>
        public sealed record Absent : Result
        {
            public override string ToString() => "Absent";
        }

        /// <summary>Key and value do not fit into one message, or the roster is not sound.</summary>
        public sealed record Rejected : Result
        {
            public override string ToString() => "Rejected";
        }
    }
}
