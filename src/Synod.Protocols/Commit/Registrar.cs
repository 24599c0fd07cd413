using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>One who joined a transaction, and in which of its lives: what it enlisted is in memory, and does not outlive that one.</summary>
public readonly record struct Enrolled(NodeId Participant, long Life)
{
    /// <summary>Whether it can be a member of a set, and the life one in which something was enlisted.</summary>
    internal bool CanJoin => Participant.Value is > 0 and < NodeSet.Capacity && Life > 0;

    public override string ToString() => $"{Participant}@{Life}";
}

/// <summary>
/// Which transactions are open at their coordinator, and who has joined them (Gray and Lamport 2006, section 6: the registrar). Volatile: what
/// was open when its coordinator crashed is open no more, and nobody will be asked to prepare it.
/// </summary>
internal sealed class Registrar(NodeId self, Ledger ledger, EnlistmentMutation mutation)
{
    private readonly SortedDictionary<TransactionId, Roll> _rolls = [];

    /// <summary>Transactions that are open.</summary>
    public IReadOnlyCollection<TransactionId> Ids => _rolls.Keys;

    public void Open<TMessage, TRecord>(
        RequestId request, TransactionId id, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        _rolls.Add(id, new Roll());
        outbox.Answer(request, new CommitResult.Opened(id));
    }

    /// <summary>Answers who asks to join. One of the <paramref name="members"/> of what is closed will be asked to prepare, or hears how it ended.</summary>
    public void Answer<TMessage, TRecord>(
        TransactionId id,
        Enrolled who,
        bool writes,
        NodeSet members,
        TMessage joined,
        TMessage closed,
        Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (id.Coordinator != self)
        {
            outbox.Refuse(Refusal.NotMember);
        }
        else if (!who.CanJoin)
        {
            outbox.Refuse(Refusal.Malformed);
        }
        else if (Admits(id, who, writes))
        {
            outbox.Send(who.Participant, joined);
        }
        else if (members.Contains(who.Participant))
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else
        {
            outbox.Send(who.Participant, closed);
        }
    }

    /// <summary>
    /// Lets a participant in, as often as it asks in one life. A second life of one that joined has lost what the first one enlisted: the
    /// transaction is doomed, since nobody can prepare that any more.
    /// </summary>
    /// <returns>Whether it is in; if not, it never will be.</returns>
    private bool Admits(TransactionId id, Enrolled who, bool writes)
    {
        if (!_rolls.TryGetValue(id, out var roll))
        {
            return mutation == EnlistmentMutation.JoinsAfterClose;
        }

        roll.IsDoomed |= roll.Lives.TryGetValue(who.Participant, out var life) && life != who.Life
            && mutation != EnlistmentMutation.AnotherLifeJoins;
        if (roll.IsDoomed)
        {
            return false;
        }

        roll.Lives[who.Participant] = who.Life;
        roll.Writers = writes ? roll.Writers.With(who.Participant) : roll.Writers;
        return true;
    }

    /// <summary>One that joined has aborted: the transaction can only abort.</summary>
    /// <returns>Whether it is open and <paramref name="participant"/> in it.</returns>
    public bool Dooms(TransactionId id, NodeId participant)
    {
        if (!_rolls.TryGetValue(id, out var roll) || !roll.Joined.Contains(participant))
        {
            return false;
        }

        roll.IsDoomed = true;
        return true;
    }

    /// <summary>
    /// Closes the set: once for each id, so there is never a second set. Answers at once what there is nothing to agree on about; if somebody in the
    /// set has lost its part, all are told to <paramref name="abort"/>.
    /// </summary>
    /// <returns>Whether all who have joined are to be asked.</returns>
    public bool Closes<TMessage, TRecord>(
        RequestId request,
        TransactionId id,
        TMessage abort,
        Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox,
        [NotNullWhen(true)] out Roll? roll)
    {
        if (!_rolls.Remove(id, out roll))
        {
            outbox.Answer(request, ledger.EndingOf(id) switch
            {
                Ending.Committed => new CommitResult.Committed(id),
                Ending.Aborted => new CommitResult.Aborted(id),
                _ => new CommitResult.NotOpen(id),
            });
            return false;
        }

        if (roll.IsDoomed)
        {
            outbox.Send(roll.Joined, abort);
            outbox.Answer(request, new CommitResult.Aborted(id));
            return false;
        }

        if (roll.Joined.IsEmpty)
        {
            outbox.Answer(request, new CommitResult.Committed(id));
            return false;
        }

        return true;
    }

    /// <summary>
    /// Rolls back what is open. Nobody was asked to prepare it, so nobody can be in doubt: who does not hear of this asks, and is told that it is
    /// not open.
    /// </summary>
    /// <returns>Whether it is open.</returns>
    public bool RollsBack<TMessage, TRecord>(
        RequestId request, TransactionId id, TMessage abort, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (!_rolls.Remove(id, out var roll))
        {
            return false;
        }

        outbox.Send(roll.Joined, abort);
        outbox.Answer(request, new CommitResult.Vetoed(id));
        return true;
    }

    /// <summary>The first of <paramref name="id"/> and what is open: nobody may take a later one's begin for the end of what is open.</summary>
    public TransactionId Oldest(TransactionId id) => _rolls.Count > 0 && _rolls.Keys.First() is var first && first.CompareTo(id) < 0 ? first : id;

    public void State(StateVisitor visitor) =>
        visitor.Visit("open", _rolls, CommitFields.VisitId, static (v, ref item) => (item ??= new Roll()).State(v));

    /// <summary>Who has joined one transaction.</summary>
    public sealed class Roll
    {
        public readonly SortedDictionary<NodeId, long> Lives = [];
        public NodeSet Writers;

        /// <summary>Somebody in it has lost or given up its part.</summary>
        public bool IsDoomed;

        public NodeSet Joined => NodeSet.Of([.. Lives.Keys]);

        public ImmutableArray<Enrolled> Enrolled => [.. Lives.Select(item => new Enrolled(item.Key, item.Value))];

        public void State(StateVisitor visitor)
        {
            visitor.Visit("lives", Lives, static (v, ref node) => v.Visit("", ref node), static (v, ref life) => v.Visit("life", ref life));
            visitor.Visit("writers", ref Writers);
            visitor.Visit("doomed", ref IsDoomed);
        }
    }
}
