using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>An item as it is listed: its key, and what stands for it.</summary>
public readonly record struct ItemId(Key Key, Fingerprint Fingerprint)
{
    /// <summary>Bytes of it in a message, at most.</summary>
    public int Size => Key.Span.Length + 5 + Fingerprint.Size;

    public override string ToString() => $"{Key}:{Fingerprint}";
}

/// <summary>What somebody has in a span of keys.</summary>
public abstract record Piece(KeySpan Span)
{
    /// <summary>Bytes of it in a message, at most.</summary>
    public abstract int Size { get; }

    /// <summary>Bytes of bounds and kind, at most.</summary>
    protected int Bounds => Span.Start.Span.Length + Span.End.Span.Length + 16;

    /// <summary>Too much to list: what stands for all of it.</summary>
    public sealed record Hashed(KeySpan Span, Fingerprint Fingerprint) : Piece(Span)
    {
        public override int Size => Bounds + Fingerprint.Size;

        public override string ToString() => $"{Span} {Fingerprint}";
    }

    /// <summary>Each item.</summary>
    public sealed record Listed(KeySpan Span, ImmutableArray<ItemId> Ids) : Piece(Span)
    {
        public override int Size => Bounds + Ids.Sum(id => id.Size);

        public override string ToString() => $"{Span} {{{string.Join(' ', Ids)}}}";
    }
}

/// <summary>An item on its way.</summary>
public readonly record struct Content(Key Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>Bytes of it in a message, at most.</summary>
    public int Size => Key.Span.Length + Value.Length + 10;

    public override string ToString() => $"{Key}={new Key(Value)}";
}

public sealed partial class RangeReconciliation
{
    /// <summary>What replicas say to each other.</summary>
    public abstract record Message
    {
        private Message()
        {
        }

        /// <summary>Initiator to responder: what I have in spans where we may differ, items that you lack, keys that I lack.</summary>
        public sealed record Request(
            long Session, long Sequence, ImmutableArray<Piece> Pieces, ImmutableArray<Content> Items, ImmutableArray<Key> Wants) : Message
        {
            public override string ToString() =>
                $"Request {Session}/{Sequence} [{string.Join(' ', Pieces)}] [{string.Join(' ', Items)}] wants [{string.Join(' ', Wants)}]";
        }

        /// <summary>
        /// Responder to initiator: what I have where we differ, in the first <paramref name="Compared"/> spans that you asked about; the
        /// items of the first <paramref name="Served"/> keys that you want. Your items are durable here.
        /// </summary>
        public sealed record Reply(
            long Session, long Sequence, int Compared, ImmutableArray<Piece> Pieces, int Served, ImmutableArray<Content> Items) : Message
        {
            public override string ToString() =>
                $"Reply {Session}/{Sequence} {Compared} [{string.Join(' ', Pieces)}] {Served} [{string.Join(' ', Items)}]";
        }
    }

    /// <summary>What is made durable.</summary>
    public abstract record Record
    {
        private Record()
        {
        }

        /// <summary>A key has that content from here on.</summary>
        public sealed record Stored(Key Key, ReadOnlyMemory<byte> Value) : Record
        {
            public override string ToString() => $"Stored {Key}={new Key(Value)}";
        }

        /// <summary>Every item: a checkpoint.</summary>
        public sealed record Image(ImmutableArray<Content> Items) : Record
        {
            public override string ToString() => $"Image of {Items.Length} items";
        }
    }

    /// <summary>What hosts ask for.</summary>
    public abstract record Command
    {
        private Command()
        {
        }

        /// <summary>Merges content into a key.</summary>
        public sealed record Put(Key Key, ReadOnlyMemory<byte> Value) : Command
        {
            public override string ToString() => $"Put {Key} {new Key(Value)}";
        }

        /// <summary>Reconciles with a peer, until both have what either had when it began.</summary>
        public sealed record Reconcile(NodeId Peer) : Command
        {
            public override string ToString() => $"Reconcile with {Peer}";
        }

        /// <summary>Stops reconciling with a peer. What was exchanged stays.</summary>
        public sealed record Abandon(NodeId Peer) : Command
        {
            public override string ToString() => $"Abandon {Peer}";
        }
    }

    /// <summary>What commands are answered with.</summary>
    public abstract record Result
    {
        private Result()
        {
        }

        /// <summary>Durable.</summary>
        public sealed record Stored : Result
        {
            public override string ToString() => "Stored";
        }

        /// <summary>Both have the same, in so many rounds, with so many items in each direction. What came is durable here and there.</summary>
        public sealed record Reconciled(NodeId Peer, long Rounds, long Sent, long Received) : Result
        {
            public override string ToString() => $"Reconciled with {Peer} in {Rounds} rounds, {Sent} sent, {Received} received";
        }

        /// <summary>It was given up before its end.</summary>
        public sealed record Abandoned(NodeId Peer) : Result
        {
            public override string ToString() => $"Abandoned {Peer}";
        }

        /// <summary>Not a member, or reconciled with already, or not reconciled with.</summary>
        public sealed record Rejected : Result
        {
            public override string ToString() => "Rejected";
        }
    }
}
