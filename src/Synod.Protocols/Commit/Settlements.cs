using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// Before this mark all of its coordinator's transactions are over for a participant: it is in doubt about none of them, and what it has
/// ended of them is durable.
/// </summary>
public readonly record struct Settlement(NodeId Participant, TransactionId Mark)
{
    public override string ToString() => $"{Participant}:{Mark}";
}

/// <summary>The latest that was heard of each participant's marks, by the coordinator of whose transactions they are.</summary>
internal sealed class Settlements
{
    private readonly SortedDictionary<(NodeId Participant, NodeId Coordinator), TransactionId> _marks = [];

    public ImmutableArray<Settlement> All => [.. _marks.Select(item => new Settlement(item.Key.Participant, item.Value))];

    /// <summary>What <paramref name="participants"/> have said about a coordinator's transactions.</summary>
    public ImmutableArray<Settlement> Of(NodeSet participants, NodeId coordinator) =>
        [.. _marks.Where(item => item.Key.Coordinator == coordinator && participants.Contains(item.Key.Participant))
            .Select(item => new Settlement(item.Key.Participant, item.Value))];

    /// <summary>The mark of a participant; the default one, which is before everything, if it has said nothing yet.</summary>
    public TransactionId MarkOf(NodeId participant, NodeId coordinator) => _marks.GetValueOrDefault((participant, coordinator));

    /// <summary>Marks only grow: an older one that comes late is no news.</summary>
    /// <returns>Whether it is news.</returns>
    public bool Note(Settlement settlement)
    {
        var (participant, mark) = settlement;
        if (mark.CompareTo(MarkOf(participant, mark.Coordinator)) <= 0)
        {
            return false;
        }

        _marks[(participant, mark.Coordinator)] = mark;
        return true;
    }

    /// <summary>Whether the transaction is over for this participant.</summary>
    public bool IsOver(TransactionId transaction, NodeId participant) =>
        _marks.TryGetValue((participant, transaction.Coordinator), out var mark) && transaction.CompareTo(mark) < 0;

    public void State(StateVisitor visitor) => visitor.Visit(
        "settled",
        _marks,
        static (v, ref key) =>
        {
            v.Visit("participant", ref key.Participant);
            v.Visit("coordinator", ref key.Coordinator);
        },
        CommitFields.VisitId);
}
