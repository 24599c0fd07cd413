using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Recovery as in EPaxos* (epaxos.md §5): settles an instance whose coordinator may be gone, without ever undoing a fast decision.</summary>
public sealed partial class EPaxos
{
    private readonly List<Conflict> _conflicts = [];
    private bool _anyWaiting;

    private void OnSuspect(InstanceId id)
    {
        if (Named(id) is { } instance)
        {
            Recover(instance);
        }
    }

    /// <summary>§5.1: joins a ballot of its own, and asks all others to. The own report counts as in <see cref="LeadFirst"/>.</summary>
    private void Recover(Instance instance)
    {
        if (instance.IsCommitted)
        {
            return;
        }

        var round = Math.Max(instance.Joined.Round, instance.Seen.Round) + 1;
        var before = instance.Joined;
        instance.Joined = new Ballot(round, _self);
        instance.Leading = new Leading { Ballot = instance.Joined, Stage = Stage.Recovering };
        _out.Persist(new Record.Joined(instance.Id, instance.Joined));
        Postpone(instance);
        Count(instance, _self, Reported(instance, before));
        SendToOthers(new Message.Recover(instance.Id, instance.Joined));
    }

    private void On(NodeId from, Message.Recover m)
    {
        if (m.Ballot == Ballot.None || !IsOwned(m.Ballot, m.Id, from))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (Named(m.Id) is not { } instance || IsSettled(from, instance, m.Ballot))
        {
            return;
        }

        var before = instance.Joined;
        if (before == m.Ballot && instance.Accepted == m.Ballot)
        {
            _out.Refuse(Refusal.Duplicate);
            return;
        }

        if (before < m.Ballot)
        {
            (instance.Joined, instance.Leading) = (m.Ballot, null);
            _out.Persist(new Record.Joined(m.Id, m.Ballot));
            Postpone(instance);
        }

        SendUnlessEarly(EPaxosMutation.VolatileJoin, from, Reported(instance, before));
    }

    /// <summary>What this replica knows. The ballot reported is that of the acceptance: a promise says nothing about a value (§9.1).</summary>
    private Message.RecoverOk Reported(Instance instance, Ballot before) => new(
        instance.Id,
        instance.Joined,
        instance.Phase,
        Mutated(EPaxosMutation.OneBallot) ? before : instance.Accepted,
        instance.Value,
        instance.Deps,
        instance.InitialDeps);

    private void On(NodeId from, Message.RecoverOk m)
    {
        if (Find(m.Id) is not { Leading: { } leading } instance || leading.Ballot != m.Ballot || leading.Ballot == Ballot.None)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (!IsSound(m)
            || (m.InitialDeps is { } initial && (instance.InitialDeps ?? leading.Best.InitialDeps) is { } known && !initial.Equals(known)))
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (leading.Stage == Stage.Recovering && !leading.Quorum.Contains(from))
        {
            Count(instance, from, m);
        }
        else if (leading.Stage == Stage.Waiting && !leading.Quorum.Contains(from))
        {
            Reconsider(instance, from, m);
        }
        else
        {
            _out.Refuse(Refusal.Duplicate);
        }
    }

    private bool IsSound(Message.RecoverOk m) => m.Phase switch
    {
        Phase.Initial => true,
        Phase.PreAccepted => m is { Batch: { } batch, Deps: { } deps, InitialDeps: { } initial }
            && _index.IsSound(batch) && IsSound(deps, m.Id) && IsSound(initial, m.Id),
        Phase.Accepted => m is { Batch: { } batch, Deps: { } deps }
            && (batch.IsNop || _index.IsSound(batch)) && IsSound(deps, m.Id) && m.Accepted < m.Ballot,
        _ => false,
    };

    /// <summary>§5.2: with a quorum's reports, what may have been decided before?</summary>
    private void Count(Instance instance, NodeId from, Message.RecoverOk m)
    {
        var leading = instance.Leading!;
        leading.Quorum = leading.Quorum.With(from);
        if (m.Phase == Phase.Accepted && (!leading.Best.IsAccepted || m.Accepted >= leading.Best.Accepted))
        {
            (leading.Best.IsAccepted, leading.Best.Accepted) = (true, m.Accepted);
            (leading.Best.Value, leading.Best.Deps) = (m.Batch, m.Deps);
        }
        else if (m.Phase == Phase.PreAccepted && m.Deps!.Equals(m.InitialDeps))
        {
            leading.Unchanged++;
            (leading.Best.Payload, leading.Best.InitialDeps) = (m.Batch, m.InitialDeps);
        }

        if (leading.Quorum.Count < _group.Slow)
        {
            return;
        }

        if (leading.Best.IsAccepted)
        {
            var deps = Mutated(EPaxosMutation.LostDependency) ? None : leading.Best.Deps!;
            LeadAccept(instance, leading.Ballot, leading.Best.Value!, deps);
        }
        else if (leading.Quorum.Contains(instance.Id.Replica) || leading.Unchanged < _group.Slow - _group.FastFaults)
        {
            // c: it has joined without having decided, so it never will. e: too few left for a fast quorum to have agreed.
            LeadNop(instance);
        }
        else
        {
            LeadValidate(instance, leading);
        }
    }

    /// <summary>§5.3: the fast path may have decided this; is there anything that speaks against it?</summary>
    private void LeadValidate(Instance instance, Leading leading)
    {
        var (batch, deps) = (leading.Best.Payload!, leading.Best.InitialDeps!);
        if (Mutated(EPaxosMutation.NoValidate))
        {
            LeadAccept(instance, leading.Ballot, batch, deps);
            return;
        }

        (leading.Stage, leading.Beats) = (Stage.Validating, 0);
        (leading.Replied, leading.Deps) = (NodeSet.Of(_self), deps);
        TakeProposal(instance, batch, deps);
        foreach (var conflict in ConflictsWith(instance, deps))
        {
            leading.Conflicts.Add(conflict);
        }

        var message = new Message.Validate(instance.Id, leading.Ballot, batch, deps);
        foreach (var node in leading.Quorum.Without(_self))
        {
            _out.Send(node, message);
        }

        Known(instance);
    }

    private void TakeProposal(Instance instance, Batch batch, Dependencies deps)
    {
        Learn(instance, batch);
        Invariant.Check(instance.InitialDeps is null || instance.InitialDeps.Equals(deps), "OneInitialProposal", $"{instance.Id}");
        instance.InitialDeps = deps;
        _out.Persist(new Record.Validated(instance.Id, batch, deps));
    }

    private void On(NodeId from, Message.Validate m)
    {
        if (m.Ballot == Ballot.None || !IsOwned(m.Ballot, m.Id, from) || _group.ColumnOf(m.Id.Replica) < 0
            || !IsSound(m.Deps, m.Id) || !_index.IsSound(m.Batch))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (Named(m.Id) is not { } instance || IsSettled(from, instance, m.Ballot))
        {
            return;
        }

        if (instance.Joined != m.Ballot || instance.Accepted == m.Ballot
            || (instance.InitialDeps is { } known && !known.Equals(m.Deps)))
        {
            // It comes only after this replica has joined, and is over once a value was accepted.
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        TakeProposal(instance, m.Batch, m.Deps);
        _out.Send(from, new Message.ValidateOk(m.Id, m.Ballot, [.. ConflictsWith(instance, m.Deps)]));
        Known(instance);
    }

    /// <summary>
    /// What interferes with an instance, is not among these dependencies, and does not depend on it either: both could not be executed
    /// in one order everywhere. What is executed here cannot depend on what is not committed here.
    /// </summary>
    private List<Conflict> ConflictsWith(Instance instance, Dependencies deps)
    {
        _conflicts.Clear();
        foreach (var (entry, writes) in instance.Touches)
        {
            foreach (var other in entry.Pending)
            {
                var after = other.IsCommitted ? other.Deps : other.InitialDeps;
                if (other != instance && after is not null && !Instance.Contains(deps, other) && !Instance.Contains(after, instance)
                    && entry.Interferes(other, writes))
                {
                    AddConflict(_conflicts, new Conflict(other.Id, other.IsCommitted));
                }
            }

            for (var column = 0; column < _group.Count; column++)
            {
                if (entry.HighestExecuted(column, writes) is var executed && executed > deps[column])
                {
                    AddConflict(_conflicts, new Conflict(new InstanceId(_group[column], executed), true));
                }
            }
        }

        return _conflicts;
    }

    /// <summary>Each instance once and in order; committed, if anyone says so.</summary>
    private static void AddConflict(List<Conflict> conflicts, Conflict conflict)
    {
        var at = conflicts.BinarySearch(conflict);
        if (at < 0)
        {
            conflicts.Insert(~at, conflict);
        }
        else if (conflict.IsCommitted)
        {
            conflicts[at] = conflict;
        }
    }

    private bool IsSound(ImmutableArray<Conflict> conflicts)
    {
        foreach (var (id, _) in conflicts)
        {
            var column = _group.ColumnOf(id.Replica);
            if (column < 0 || id.Number <= 0 || !CanBe(column, id.Number))
            {
                return false;
            }
        }

        return true;
    }

    private void On(NodeId from, Message.ValidateOk m)
    {
        if (Find(m.Id) is not { Leading: { Stage: Stage.Validating } leading } instance || leading.Ballot != m.Ballot
            || !leading.Quorum.Contains(from))
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (!IsSound(m.Conflicts))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        leading.Replied = leading.Replied.With(from);
        foreach (var conflict in m.Conflicts)
        {
            AddConflict(leading.Conflicts, conflict);
        }

        if (leading.Replied == leading.Quorum)
        {
            Judge(instance, leading);
        }
    }

    private void On(Message.Nack m)
    {
        if (Find(m.Id) is not { Leading: { } leading } instance || m.Joined <= leading.Ballot || m.Joined.Round >= 1L << 60)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        // Preempted (§5.5). Whoever owns that ballot is at it; this replica waits anew.
        (instance.Leading, instance.Seen) = (null, m.Joined);
        Postpone(instance);
    }
}
