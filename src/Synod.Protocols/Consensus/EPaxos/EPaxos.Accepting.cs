using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>The second round trip, of the first coordinator or of a recovery, and decisions (epaxos.md §4.3 to 4.5).</summary>
public sealed partial class EPaxos
{
    private Dependencies None => Dependencies.Of(new long[_group.Count]);

    /// <summary>Proposes a value in a ballot that this replica leads. Its own acceptance counts as in <see cref="LeadFirst"/>.</summary>
    private void LeadAccept(Instance instance, Ballot ballot, Batch value, Dependencies deps)
    {
        SlowDecisions += ballot == Ballot.None ? 1 : 0;
        Take(instance, ballot, value, deps);
        instance.Leading = new Leading
        {
            Ballot = ballot,
            Stage = Stage.Accepting,
            Replied = NodeSet.Of(_self),
            Deps = deps,
        };
        SendToQuorum(_group.Slow, new Message.Accept(instance.Id, ballot, value, deps));
        Known(instance);
    }

    private void LeadNop(Instance instance) => LeadAccept(instance, instance.Leading!.Ballot, Batch.Nop, None);

    private void Take(Instance instance, Ballot ballot, Batch value, Dependencies deps)
    {
        Invariant.Check(ballot >= instance.Joined && ballot >= instance.Accepted, "NoAcceptBelowJoined", $"{instance.Id} {ballot}");
        if (!value.IsNop)
        {
            Learn(instance, value);
        }

        (instance.Phase, instance.Joined, instance.Accepted) = (Phase.Accepted, ballot, ballot);
        (instance.IsNop, instance.Deps) = (value.IsNop, deps);
        _out.Persist(new Record.Accepted(instance.Id, ballot, value, deps));
        Postpone(instance);
    }

    private void On(NodeId from, Message.Accept m)
    {
        if (_group.ColumnOf(m.Id.Replica) < 0 || !IsOwned(m.Ballot, m.Id, from) || !IsSound(m.Deps, m.Id)
            || (!m.Batch.IsNop && !_index.IsSound(m.Batch)))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (Named(m.Id) is not { } instance || IsSettled(from, instance, m.Ballot))
        {
            return;
        }

        if (instance.Phase != Phase.Accepted || instance.Accepted != m.Ballot)
        {
            instance.Leading = null;
            Take(instance, m.Ballot, m.Batch, m.Deps);
            Known(instance);
        }

        SendUnlessEarly(EPaxosMutation.VolatileAccept, from, new Message.AcceptOk(m.Id, m.Ballot));
    }

    private void On(NodeId from, Message.AcceptOk m)
    {
        if (Find(m.Id) is not { Leading: { Stage: Stage.Accepting } leading } instance || leading.Ballot != m.Ballot)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        leading.Replied = leading.Replied.With(from);
        if (leading.Replied.Count >= _group.Slow)
        {
            Decide(instance, instance.Value!, instance.Deps!);
        }
    }

    /// <summary>Decided here: everybody is told, once it is durable.</summary>
    private void Decide(Instance instance, Batch value, Dependencies deps)
    {
        Settle(instance, value, deps);
        var commit = new Message.Commit(instance.Id, value, deps);
        foreach (var node in _order)
        {
            SendUnlessEarly(EPaxosMutation.VolatileCommit, node, commit);
        }

        GoOn(instance);
    }

    private void Tell(NodeId to, Instance instance) =>
        _out.Send(to, new Message.Commit(instance.Id, instance.Value!, instance.Deps!));

    private void On(NodeId from, Message.Commit m)
    {
        if (_group.ColumnOf(m.Id.Replica) < 0 || !IsSound(m.Deps, m.Id) || (!m.Batch.IsNop && !_index.IsSound(m.Batch)))
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
            // Two decisions can never differ; if a peer says so all the same, it is not for this replica to choose.
            var same = instance.IsNop == m.Batch.IsNop && instance.Deps!.Equals(m.Deps);
            _out.Refuse(same ? Refusal.Duplicate : Refusal.Unsafe);
            return;
        }

        Settle(instance, m.Batch, m.Deps);
        GoOn(instance);
    }

    /// <summary>A decision is kept, and never changes (§4.5).</summary>
    private void Settle(Instance instance, Batch value, Dependencies deps)
    {
        Invariant.Check(!instance.IsCommitted, "DecidedOnce", $"{instance.Id}");
        if (!value.IsNop)
        {
            Learn(instance, value);
        }

        (instance.Phase, instance.IsNop, instance.Deps, instance.Leading) = (Phase.Committed, value.IsNop, deps, null);
        _out.Persist(new Record.Committed(instance.Id, value, deps));
        for (var column = 0; column < deps.Count; column++)
        {
            _columns[column].Highest = Math.Max(_columns[column].Highest, deps[column]);
        }

        if (value.IsNop)
        {
            Discard(instance);
        }
    }

    /// <summary>The Nop was decided: nothing to execute. Own clients' commands are proposed anew, under another number (§5.2c).</summary>
    private void Discard(Instance instance)
    {
        instance.IsExecuted = true;
        InterferenceIndex.Remove(instance, executed: false);
        if (instance.Requests is { } requests)
        {
            var commands = instance.Payload!.Commands;
            for (var index = 0; index < requests.Length; index++)
            {
                _waiting.Insert(index, (commands[index], requests[index]));
            }

            instance.Requests = null;
        }
    }

    /// <summary>What a decision sets free: executions, waiting recoveries, room in the pipeline.</summary>
    private void GoOn(Instance instance)
    {
        Known(instance);
        Try(instance);
        Retry(instance.Waiters);
        ReconsiderWaiting();
        Pump();
    }

    /// <summary>A command or decision became known, and with it perhaps the last one missing before others.</summary>
    private void Known(Instance instance)
    {
        if (_columns[instance.Column].Advance())
        {
            Retry(_columns[instance.Column].Waiters);
        }
    }

    private void Postpone(Instance instance) => instance.Deadline = Now + _context.Jitter(_options.RecoveryTimeout);
}
