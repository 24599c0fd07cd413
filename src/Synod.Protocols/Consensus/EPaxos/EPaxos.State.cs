using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Every field that outlives a step, visited once for clone, fingerprint and trace.</summary>
public sealed partial class EPaxos
{
    public override void State(StateVisitor visitor)
    {
        visitor.Visit("next", ref _next);
        visitor.Visit("executions", ref _executions);
        visitor.Visit("beating", ref _isBeating);
        visitor.Visit("anyWaiting", ref _anyWaiting);
        visitor.Visit("fetchTurn", ref _fetchTurn);
        visitor.Visit("committedAtBeat", ref _committedAtBeat, DependenciesWire.Instance);
        foreach (ref var progress in _progress.AsSpan())
        {
            visitor.Visit("progress", ref progress, DependenciesWire.Instance);
        }

        visitor.Visit("order", _order, VisitNode);
        visitor.Visit("waiting", _waiting, VisitWaiting);
        _index.State(visitor);
        foreach (var column in _columns)
        {
            column.State(visitor);
        }

        VisitMap(visitor);
        if (visitor.IsReading)
        {
            Derive();
        }
    }

    /// <summary>What follows from the rest: what instances touch, and what they wait for.</summary>
    private void Derive()
    {
        _executedBefore = Executed;
        foreach (var instance in _columns.SelectMany(column => column.Held()))
        {
            if (instance.Payload is { } payload)
            {
                instance.Touches = _index.Resolve(payload);
                foreach (var (entry, _) in instance.IsExecuted ? [] : instance.Touches)
                {
                    entry.Insert(instance);
                }
            }
        }

        foreach (var instance in _columns.SelectMany(column => column.Held()))
        {
            if (instance is { IsCommitted: true, IsExecuted: false })
            {
                Try(instance);
                Invariant.Check(!instance.IsExecuted, "WhatCanBeIsExecuted", $"{instance.Id}");
            }
        }
    }

    private void VisitMap(StateVisitor visitor)
    {
        ReadOnlyMemory<byte> state = default;
        if (!visitor.IsReading)
        {
            var writer = new CodecWriter();
            _state.Save(writer);
            state = writer.ToArray();
        }

        visitor.Visit("state", ref state);
        if (visitor.IsReading)
        {
            _state.Load(state);
        }
    }

    /// <summary>A value that may not be known.</summary>
    private static void VisitOptional<T>(StateVisitor visitor, string name, ref T? value, IWire<T> wire)
        where T : class
    {
        var known = value is not null;
        visitor.Visit(name, ref known);
        if (known)
        {
            var held = value!;
            visitor.Visit(".", ref held, wire);
            value = held;
        }
        else
        {
            value = null;
        }
    }

    private static void Visit(StateVisitor visitor, ref InstanceId id)
    {
        var (replica, number) = id;
        visitor.Visit("", ref replica);
        visitor.Visit("", ref number);
        id = new InstanceId(replica, number);
    }

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);

    private static void VisitWaiting(StateVisitor visitor, ref (ClientCommand Command, RequestId Request) waiting)
    {
        var ((session, number, operation), request) = (waiting.Command, waiting.Request.Value);
        visitor.Visit("", ref session);
        visitor.Visit("", ref number);
        visitor.Visit("", ref operation);
        visitor.Visit("", ref request);
        waiting = (new ClientCommand(session, number, operation), new RequestId(request));
    }
}
