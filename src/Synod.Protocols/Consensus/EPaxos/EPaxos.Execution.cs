using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// Execution (epaxos.md §6): an instance is executed when everything that it depends on, and they, is committed. Strongly connected
/// components come out dependencies first (Tarjan 1972, without recursion), and inside one the order is that of ids.
/// </summary>
public sealed partial class EPaxos
{
    /// <summary>An instance being searched, and the next edge to follow.</summary>
    private struct Frame
    {
        public Instance Node;
        public int Touch;
        public int Pending;
    }

    // Of the search that runs; nothing of them outlives a step.
    private readonly List<Frame> _frames = [];
    private readonly List<Instance> _path = [];
    private readonly List<Instance> _component = [];
    private readonly List<Instance> _ready = [];
    private readonly List<Instance> _retried = [];
    private int _search;
    private int _found;

    /// <summary>Executes a committed instance and what comes before it, or lets it wait for the first that is missing.</summary>
    private void Try(Instance root)
    {
        if (root.IsExecuted || !root.IsCommitted)
        {
            return;
        }

        _search++;
        _found = 0;
        _frames.Clear();
        _path.Clear();
        _ready.Clear();
        Search(root)?.Add(root);
        foreach (var instance in _ready)
        {
            Execute(instance);
        }
    }

    /// <summary>Tries again those that waited, in an order that does not depend on when they began to.</summary>
    private void Retry(List<Instance> waiters)
    {
        if (waiters.Count == 0)
        {
            return;
        }

        _retried.Clear();
        _retried.AddRange(waiters);
        waiters.Clear();
        _retried.Sort(static (left, right) => left.Id.CompareTo(right.Id));
        foreach (var instance in _retried)
        {
            Try(instance);
        }
    }

    /// <summary>Finds the components that <paramref name="root"/> needs; where to wait if one is incomplete, and null if all are ready.</summary>
    private List<Instance>? Search(Instance root)
    {
        if (Enter(root) is { } blocked)
        {
            return blocked;
        }

        while (_frames.Count > 0)
        {
            var node = _frames[^1].Node;
            if (Follow() is not { } next)
            {
                Leave(node);
            }
            else if (!next.IsCommitted)
            {
                return next.Waiters;
            }
            else if (next.Search != _search)
            {
                if (Enter(next) is { } gap)
                {
                    return gap;
                }
            }
            else if (next.IsOnStack)
            {
                node.LowLink = Math.Min(node.LowLink, next.Index);
            }
        }

        return null;
    }

    /// <summary>Begins with an instance; where to wait if it may depend on one of which nothing is known yet.</summary>
    private List<Instance>? Enter(Instance node)
    {
        for (var column = 0; column < _columns.Length; column++)
        {
            if (node.Deps![column] > _columns[column].Known && !Mutated(EPaxosMutation.ExecutesBeforeClosure))
            {
                return _columns[column].Waiters;
            }
        }

        (node.Search, node.Index, node.LowLink, node.IsOnStack) = (_search, _found, _found, true);
        _found++;
        _path.Add(node);
        _frames.Add(new Frame { Node = node });
        return null;
    }

    /// <summary>The next instance that the one on top depends on and that is not executed yet.</summary>
    private Instance? Follow()
    {
        ref var frame = ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_frames)[^1];
        var node = frame.Node;
        for (; frame.Touch < node.Touches.Length; frame.Touch++, frame.Pending = 0)
        {
            var (entry, writes) = node.Touches[frame.Touch];
            while (frame.Pending < entry.Pending.Count)
            {
                var other = entry.Pending[frame.Pending++];
                if (other != node && DependsOn(node, other) && entry.Interferes(other, writes)
                    && (other.IsCommitted || !Mutated(EPaxosMutation.ExecutesBeforeClosure)))
                {
                    return other;
                }
            }
        }

        return null;
    }

    private bool DependsOn(Instance node, Instance other) => Mutated(EPaxosMutation.LatestDependencyOnly)
        ? node.Deps![other.Column] == other.Id.Number
        : Instance.Contains(node.Deps!, other);

    private void Leave(Instance node)
    {
        _frames.RemoveAt(_frames.Count - 1);
        if (_frames.Count > 0)
        {
            var parent = _frames[^1].Node;
            parent.LowLink = Math.Min(parent.LowLink, node.LowLink);
        }

        if (node.LowLink != node.Index)
        {
            return;
        }

        _component.Clear();
        Instance member;
        do
        {
            member = _path[^1];
            _path.RemoveAt(_path.Count - 1);
            member.IsOnStack = false;
            _component.Add(member);
        }
        while (member != node);
        _component.Sort(static (left, right) => left.Id.CompareTo(right.Id));
        _ready.AddRange(_component);
    }

    private void Execute(Instance instance)
    {
        Invariant.Check(instance is { IsCommitted: true, IsExecuted: false, IsNop: false }, "ExecutedIsDecided", $"{instance.Id}");
        instance.IsExecuted = true;
        InterferenceIndex.Remove(instance, executed: true);
        _columns[instance.Column].Advance();
        _out.Execute(new Slot(++_executions), new Command.Apply(instance.Id, instance.Payload!));
        var commands = instance.Payload!.Commands;
        for (var index = 0; index < commands.Length; index++)
        {
            var result = ExecuteOnce(commands[index]);
            if (instance.Requests is null)
            {
                continue;
            }

            if (Mutated(EPaxosMutation.VolatileCommit))
            {
                _out.AnswerEarly(instance.Requests[index], result);
            }
            else
            {
                _out.Answer(instance.Requests[index], result);
            }
        }

        instance.Requests = null;
    }

    /// <summary>A command, unless its session has done it or a later one. All of a session interfere, so replicas agree on which.</summary>
    private Result ExecuteOnce(in ClientCommand command)
    {
        var session = _index.SessionOf(command.Session);
        if (command.Number <= session.Number && !Mutated(EPaxosMutation.RetriesExecuted))
        {
            return Recall(session, command);
        }

        session.Number = command.Number;
        session.Result = _state.Execute(command.Operation);
        return new Result.Completed(session.Result);
    }

    private static Result Recall(Session session, in ClientCommand command) =>
        session.Number == command.Number ? new Result.Completed(session.Result) : new Result.Outdated();
}
