using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Protocols.Consensus;

namespace Synod.Database;

/// <summary>
/// How a retired group goes away. Its members answer for it until those who took over no longer need it: a replicating quorum of each
/// group that serves its keys has that group's state (paxos.md §7). From then on its name stays, and says where to go.
/// </summary>
public sealed partial class DatabaseNode
{
    /// <summary>So many looks at it a retired group stays in any case: who is a little behind needs its log, and no snapshot.</summary>
    private const int LooksBeforeBurial = 5;

    // Who has answered since the last look that it has the state of which group. They answer anew each time: disks are lost.
    private readonly SortedDictionary<ulong, NodeSet> _holders = [];

    /// <summary>Replicas that this node still has of groups that have retired.</summary>
    internal int RetiredReplicas => _replicas.Values.Count(replica => _directory.Find(replica.Group) is { IsRetired: true });

    /// <summary>
    /// Buries the replicas of groups that nobody needs any more. One that has not heard that its group is retired goes as well: those who
    /// could have told it may be gone for good, and what it has is in its successor's state.
    /// </summary>
    private void BuryRetired()
    {
        if (_checkpointBegun)
        {
            // The flush may have missed the state that a successor's replica began with: the checkpoint still needs all that made it.
            return;
        }

        var asked = new SortedDictionary<ulong, RangeDescriptor>();
        foreach (var replica in _replicas.Values.ToList())
        {
            // After a crash a replica has to make again what this node may have said that it has: the first state of its successor.
            if (_directory.Find(replica.Group) is not { IsRetired: true } range || !replica.HasAppliedAll)
            {
                continue;
            }

            if (range.IsGone)
            {
                Bury(replica, range);
            }
            else if (_directory.HeirsOf(range) is { } heirs && ++replica.RetiredFor > LooksBeforeBurial)
            {
                if (heirs.All(IsHeld))
                {
                    _directory.Merge(range.Tombstone);
                    Spread(new NodeMessage.Ranges([range.Tombstone]));
                    Bury(replica, range.Tombstone);
                }

                foreach (var heir in heirs)
                {
                    asked[heir.Group] = heir;
                }
            }
        }

        AskHeirs(asked.Values);
    }

    /// <summary>Every later leader of the group meets one of these when it is elected, and a replica without state does not stand.</summary>
    private bool IsHeld(RangeDescriptor heir) =>
        _options.Mutation.HasFlag(DatabaseMutation.RetiredGoesAtOnce)
        || (_holders.TryGetValue(heir.Group, out var holders) && _options.Quorums(heir.Replicas).IsPhase2(holders));

    private void AskHeirs(IEnumerable<RangeDescriptor> heirs)
    {
        _holders.Clear();
        foreach (var heir in heirs)
        {
            _holders.Add(heir.Group, NodeSet.Empty);
            foreach (var member in heir.Replicas)
            {
                // A question claims nothing. This node asks itself, too: what it has counts when it is durable.
                _step.Outbox.SendEarly(member, new NodeMessage.AskState(heir.Group));
            }
        }
    }

    private void OnAskState(NodeId from, NodeMessage.AskState message)
    {
        if (_replicas.TryGetValue(message.Group, out var replica) && !replica.State.IsAbsent)
        {
            // It waits for the record that the split was chosen which made the state, if that is not in the store yet.
            _step.Outbox.Send(from, new NodeMessage.HasState(message.Group, _options.Incarnation));
        }
    }

    private void OnHasState(NodeId from, NodeMessage.HasState message)
    {
        if (_holders.TryGetValue(message.Group, out var holders)
            && _directory.Find(message.Group) is { } heir && heir.IncarnationOf(from) == message.Incarnation)
        {
            _holders[message.Group] = holders.With(from);
        }
        else
        {
            _step.Outbox.Refuse(Refusal.Unexpected);
        }
    }

    /// <summary>
    /// The log keeps the group's records up to the next checkpoint, and the store what it had up to the next flush: a crash before that
    /// brings the replica back as it was, with all that its successor's needs, and it is buried again.
    /// </summary>
    private void Bury(RangeReplica replica, RangeDescriptor tombstone)
    {
        replica.End();
        foreach (var timer in new[] { NodeTimer.Apply, NodeTimer.Answer, NodeTimer.Propose })
        {
            _step.Outbox.CancelTimer(new TimerId((int)timer, (long)replica.Group));
        }

        foreach (var timer in Enum.GetValues<MultiPaxosTimer>())
        {
            _step.Outbox.CancelTimer(new ConsensusFloor(replica.Group).Name(new TimerId((int)timer)));
        }

        _replicas.Remove(replica.Group);
        RangeState.Bury(_store, tombstone);
    }
}
