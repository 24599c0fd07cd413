using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>From a client's command to its agreement in one round trip (epaxos.md §4.1 to 4.3).</summary>
public sealed partial class EPaxos
{
    // A majority is one too few from seven replicas on: recovery could not tell what it decided (§2).
    private int FastQuorum => Mutated(EPaxosMutation.MajorityFastQuorum) ? _group.Count / 2 + 1 : _group.Fast;

    /// <summary>Own instances that one round trip decided since the start: for operators, and no part of the state.</summary>
    public long FastDecisions { get; private set; }

    /// <summary>Own instances that needed a second round trip since the start: for operators, and no part of the state.</summary>
    public long SlowDecisions { get; private set; }

    private void OnInvoke(RequestId request, ClientCommand command)
    {
        if (!_index.IsSound(new Batch(command)))
        {
            // Early is safe: nothing was proposed.
            _out.AnswerEarly(request, new Result.Malformed());
        }
        else if (_index.Find(command.Session) is { } session && session.Number >= command.Number
            && !Mutated(EPaxosMutation.RetriesExecuted))
        {
            _out.Answer(request, Recall(session, command));
        }
        else if (_waiting.Count >= _options.MaxWaiting)
        {
            // Early is safe: nothing was proposed.
            _out.AnswerEarly(request, new Result.Overloaded());
        }
        else
        {
            _waiting.Add((command, request));
            Pump();
        }
    }

    /// <summary>Proposes what waits, as far as the pipeline has room: what came together while it was full shares an instance.</summary>
    private void Pump()
    {
        while (_waiting.Count > 0
            && (_next - _columns[_own].Executed < _options.Pipeline || Mutated(EPaxosMutation.UnboundedPipeline)))
        {
            var count = Math.Min(_waiting.Count, _options.BatchCommands);
            var (commands, requests) = (new ClientCommand[count], new RequestId[count]);
            for (var index = 0; index < count; index++)
            {
                (commands[index], requests[index]) = _waiting[index];
            }

            _waiting.RemoveRange(0, count);
            Propose(new Batch(commands), requests);
        }
    }

    private void Propose(Batch batch, RequestId[] requests)
    {
        var instance = _columns[_own].GetOrAdd(++_next);
        Invariant.Check(instance.Phase == Phase.Initial && instance.Payload is null, "NumberIsFresh", $"{instance.Id}");
        var touches = _index.Resolve(batch);
        var deps = _index.Collect(touches, null, _own);
        Learn(instance, batch, touches);
        (instance.Phase, instance.InitialDeps, instance.Deps, instance.Requests) = (Phase.PreAccepted, deps, deps, requests);
        Postpone(instance);
        LeadFirst(instance);
        _out.Persist(new Record.PreAccepted(instance.Id, batch, deps, deps));
        SendToQuorum(_group.Fast, new Message.PreAccept(instance.Id, batch, deps));
        Known(instance);
    }

    /// <summary>Leads the first ballot. The own agreement counts at once: no answer can come before its record is durable.</summary>
    private void LeadFirst(Instance instance) => instance.Leading = new Leading
    {
        Stage = Stage.PreAccepting,
        Replied = NodeSet.Of(_self),
        Equal = 1,
        Deps = instance.Deps,
    };

    private void On(NodeId from, Message.PreAccept m)
    {
        if (m.Id.Replica != from || !IsSound(m.Deps, m.Id) || !_index.IsSound(m.Batch))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (Named(m.Id) is not { } instance || IsSettled(from, instance, Ballot.None))
        {
            return;
        }

        if (instance.Phase == Phase.Initial)
        {
            Learn(instance, m.Batch);
            instance.Phase = Phase.PreAccepted;
            instance.InitialDeps = m.Deps;
            instance.Deps = _index.Collect(instance.Touches, m.Deps, instance.Column);
            _out.Persist(new Record.PreAccepted(m.Id, m.Batch, m.Deps, instance.Deps));
            Known(instance);
        }
        else if (instance.Phase == Phase.Accepted)
        {
            _out.Refuse(Refusal.Duplicate);
            return;
        }

        SendUnlessEarly(EPaxosMutation.VolatilePreAccept, from, new Message.PreAcceptOk(m.Id, instance.Deps!));
    }

    private void On(NodeId from, Message.PreAcceptOk m)
    {
        if (m.Id.Replica != _self || Find(m.Id) is not { Leading: { Stage: Stage.PreAccepting } leading } instance)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (!IsSound(m.Deps, m.Id) || !m.Deps.Covers(instance.InitialDeps!))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (leading.Replied.Contains(from))
        {
            _out.Refuse(Refusal.Duplicate);
            return;
        }

        leading.Replied = leading.Replied.With(from);
        leading.Equal += m.Deps.Equals(instance.InitialDeps) ? 1 : 0;
        leading.Deps = leading.Deps!.Union(m.Deps);
        if (leading.Equal >= FastQuorum)
        {
            FastDecisions++;
            Decide(instance, instance.Payload!, instance.InitialDeps!);
        }
        else if (leading.Replied.Count >= _group.Fast)
        {
            if (Mutated(EPaxosMutation.EqualRepliesSuffice) && m.Deps.Equals(leading.Deps))
            {
                Decide(instance, instance.Payload!, leading.Deps);
                return;
            }

            // Not equal often enough among as many as the fast path needs: waiting for more would cost all conflicts the slowest
            // replica's round trip, or a time-out if it is down.
            LeadAccept(instance, Ballot.None, instance.Payload!, leading.Deps);
        }
    }

    /// <summary>The command becomes known: from now on what interferes depends on it.</summary>
    private void Learn(Instance instance, Batch batch, Touch[]? touches = null)
    {
        if (instance.Payload is not null)
        {
            return;
        }

        instance.Payload = batch;
        instance.Touches = touches ?? _index.Resolve(batch);
        if (!instance.IsExecuted)
        {
            _index.Add(instance);
        }
    }

    /// <summary>Whether the sender of something in <paramref name="ballot"/> is told something better: what was decided, or a higher ballot.</summary>
    private bool IsSettled(NodeId from, Instance instance, Ballot ballot)
    {
        if (instance.IsCommitted)
        {
            Tell(from, instance);
            return true;
        }

        if (instance.Joined > ballot)
        {
            _out.Refuse(Refusal.StaleBallot);
            _out.Send(from, new Message.Nack(instance.Id, instance.Joined));
            return true;
        }

        return false;
    }
}
