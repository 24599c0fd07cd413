using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

public sealed partial class DeltaSync
{
    /// <summary>What replicas say to each other.</summary>
    /// <param name="Sender">As whom the sender lives now.</param>
    public abstract record Message(Origin Sender)
    {
        /// <summary>
        /// What changed in the sender's state from its <paramref name="From"/>-th change up to its <paramref name="Through"/>-th; good for
        /// <paramref name="Receiver"/> only, who has acknowledged all before.
        /// </summary>
        public sealed record Interval(Origin Sender, Origin Receiver, long From, long Through, ReadOnlyMemory<byte> Delta) : Message(Sender)
        {
            public override string ToString() => $"Interval {Sender} to {Receiver} ({From},{Through}] {Delta.Length} bytes";
        }

        /// <summary>To a laggard: the sender's state after its <paramref name="Through"/>-th change. It is good for anyone.</summary>
        public sealed record Full(Origin Sender, long Through, ReadOnlyMemory<byte> State) : Message(Sender)
        {
            public override string ToString() => $"Full {Sender} {Through} {State.Length} bytes";
        }

        /// <summary>To the sender of changes: everything through <paramref name="Through"/> is durable here.</summary>
        public sealed record Ack(Origin Sender, Origin Of, long Through) : Message(Sender)
        {
            public override string ToString() => $"Ack {Sender} of {Of} {Through}";
        }

        /// <summary>To a laggard: what have you got?</summary>
        public sealed record Inquire(Origin Sender) : Message(Sender)
        {
            public override string ToString() => $"Inquire {Sender}";
        }

        /// <summary>A laggard to who inquired: this much.</summary>
        public sealed record Have(Origin Sender, ReadOnlyMemory<byte> Digest) : Message(Sender)
        {
            public override string ToString() => $"Have {Sender} {Digest.Length} bytes";
        }

        /// <summary>To a laggard by its digest: with this, you have what I had after my <paramref name="Through"/>-th change.</summary>
        public sealed record Missing(Origin Sender, Origin Receiver, long Through, ReadOnlyMemory<byte> Delta) : Message(Sender)
        {
            public override string ToString() => $"Missing {Sender} to {Receiver} {Through} {Delta.Length} bytes";
        }

        /// <summary>To all: this much is durable here, as of that roster.</summary>
        public sealed record Seen(Origin Sender, long Epoch, ReadOnlyMemory<byte> Digest) : Message(Sender)
        {
            public override string ToString() => $"Seen {Sender} e{Epoch} {Digest.Length} bytes";
        }

        /// <summary>
        /// A part of a state or delta that is too large for a message, from <paramref name="Offset"/> on. With all of it the receiver has what
        /// the sender had after its <paramref name="Through"/>-th change. An empty part asks how far the receiver is.
        /// </summary>
        /// <param name="Receiver">For whom alone it is good; the least origin if it is good for anyone.</param>
        /// <param name="Of">The hash of all of it.</param>
        /// <param name="Length">Bytes of all of it.</param>
        public sealed record Part(
            Origin Sender, Origin Receiver, long Through, Fingerprint Of, int Length, int Offset, ReadOnlyMemory<byte> Bytes) : Message(Sender)
        {
            public override string ToString() => $"Part {Sender} {Through} {Of} {Offset}+{Bytes.Length} of {Length} bytes";
        }

        /// <summary>To the sender of a part: I have what is before <paramref name="Offset"/>.</summary>
        public sealed record Want(Origin Sender, Fingerprint Of, int Offset) : Message(Sender)
        {
            public override string ToString() => $"Want {Sender} {Of} {Offset}";
        }
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        private Record()
        {
        }

        /// <summary>The replica lives as that from here on; <paramref name="Anew"/>, it begins with the least state.</summary>
        public sealed record Created(Origin Origin, bool Anew) : Record
        {
            public override string ToString() => $"Created {Origin}{(Anew ? " anew" : "")}";
        }

        /// <summary>A change, made here or received.</summary>
        public sealed record Changed(ReadOnlyMemory<byte> Delta) : Record
        {
            public override string ToString() => $"Changed {Delta.Length} bytes";
        }

        /// <summary>Who takes part from here on.</summary>
        public sealed record Adopted(Roster Roster) : Record
        {
            public override string ToString() => $"Adopted {Roster}";
        }

        /// <summary>All of it: a checkpoint.</summary>
        public sealed record Image(Origin Origin, Roster Roster, long Changes, ReadOnlyMemory<byte> State) : Record
        {
            public override string ToString() => $"Image of {Origin} after {Changes}, {State.Length} bytes";
        }
    }

    /// <summary>What hosts ask for.</summary>
    public abstract record Command
    {
        private Command()
        {
        }

        /// <summary>Changes or reads the state, in its own words.</summary>
        public sealed record Do(ReadOnlyMemory<byte> Body) : Command
        {
            public override string ToString() => $"Do {new Key(Body)}";
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

        /// <summary>Done, by that origin, and durable unless changes are asynchronous.</summary>
        public sealed record Done(Origin Origin, ReadOnlyMemory<byte> Answer) : Result
        {
            public override string ToString() => $"Done by {Origin}: {new Key(Answer)}";
        }

        /// <summary>This roster, or a later one, is in force.</summary>
        public sealed record Configured(long Epoch) : Result
        {
            public override string ToString() => $"Configured e{Epoch}";
        }

        /// <summary>The roster is not sound.</summary>
        public sealed record Rejected : Result
        {
            public override string ToString() => "Rejected";
        }
    }
}
