using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>The end of recovery (epaxos.md §5.4): what to make of the instances that stand against one.</summary>
public sealed partial class EPaxos
{
    /// <summary>All of the quorum have said what stands against the command.</summary>
    private void Judge(Instance instance, Leading leading)
    {
        if (leading.Conflicts.Count == 0 || Mutated(EPaxosMutation.NoWaiting))
        {
            LeadAccept(instance, leading.Ballot, leading.Best.Payload!, leading.Deps!);
            return;
        }

        // If as few as possible are unchanged, then all outside the quorum agreed in a fast path, among them the coordinator of the
        // other instance: it would have seen this one, or been seen.
        var isTight = leading.Unchanged == leading.Quorum.Count - _group.FastFaults;
        foreach (var (id, isCommitted) in leading.Conflicts)
        {
            if (isCommitted || (isTight && !leading.Quorum.Contains(id.Replica)))
            {
                LeadNop(instance);
                return;
            }
        }

        (leading.Stage, leading.Beats, _anyWaiting) = (Stage.Waiting, 0, true);
        instance.WaitingUnchanged = Math.Max(instance.WaitingUnchanged, leading.Unchanged);
        foreach (var (id, _) in leading.Conflicts)
        {
            var column = _columns[_group.ColumnOf(id.Replica)];
            if (id.Number > column.Floor)
            {
                var other = column.GetOrAdd(id.Number);
                if (other.Deadline == default)
                {
                    Postpone(other);
                }
            }
        }

        SendToOthers(new Message.Waiting(instance.Id, leading.Unchanged));
        ReconsiderWaiting();
    }

    private void On(NodeId from, Message.Waiting m)
    {
        if (m.Unchanged <= 0 || m.Unchanged > _group.Count)
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (Named(m.Id) is not { } instance)
        {
            return;
        }

        if (instance.IsCommitted)
        {
            Tell(from, instance);
            return;
        }

        instance.WaitingUnchanged = Math.Max(instance.WaitingUnchanged, m.Unchanged);
        ReconsiderWaiting();
    }

    /// <summary>A report from outside the quorum may end the wait.</summary>
    private void Reconsider(Instance instance, NodeId from, Message.RecoverOk m)
    {
        if (m.Phase == Phase.Accepted)
        {
            LeadAccept(instance, instance.Leading!.Ballot, m.Batch!, m.Deps!);
        }
        else if (from == instance.Id.Replica)
        {
            LeadNop(instance);
        }
    }

    /// <summary>Something was decided, or another recovery waits: every one that waits here looks again.</summary>
    private void ReconsiderWaiting()
    {
        if (!_anyWaiting)
        {
            return;
        }

        _anyWaiting = false;
        foreach (var column in _columns)
        {
            for (var number = column.Committed + 1; number <= column.Highest; number++)
            {
                if (column.At(number) is { Leading.Stage: Stage.Waiting } instance)
                {
                    Reconsider(instance);
                    _anyWaiting = _anyWaiting || instance.Leading!.Stage == Stage.Waiting;
                }
            }
        }
    }

    private void Reconsider(Instance instance)
    {
        var leading = instance.Leading!;
        var allCommitted = true;
        foreach (var (id, _) in leading.Conflicts)
        {
            if (Find(id) is not { } other)
            {
                // Executed everywhere and dropped: those asked again will say so.
                Recover(instance);
                return;
            }

            if (other.IsCommitted ? !other.IsNop && !Instance.Contains(other.Deps!, instance) : IsAgainst(other))
            {
                LeadNop(instance);
                return;
            }

            allCommitted = allCommitted && other.IsCommitted;
        }

        if (allCommitted)
        {
            LeadAccept(instance, leading.Ballot, leading.Best.Payload!, leading.Deps!);
        }
    }

    /// <summary>
    /// The recovery of the other waits too, and so many agreed to that one unchanged that too few are left for a fast path of this one.
    /// Without it, two recoveries would wait for each other for ever.
    /// </summary>
    private bool IsAgainst(Instance other) => other.WaitingUnchanged > _group.Slow - _group.FastFaults;
}
