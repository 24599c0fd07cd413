namespace Synod.Exploration;

/// <summary>Enumerates what the world may do next, always in the same order, within the budgets.</summary>
internal sealed class Successors<TMessage, TRecord, TCommand, TResult>
{
    private readonly Model<TMessage, TRecord, TCommand, TResult> _model;
    private readonly Locals<TMessage, TRecord, TCommand, TResult> _locals;
    private readonly Steps<TMessage, TRecord, TCommand, TResult> _steps;
    private readonly Layout _layout;
    private readonly Budgets _budgets;
    private readonly int[] _kinds;
    private readonly List<Successor> _found = [];

    public Successors(
        Model<TMessage, TRecord, TCommand, TResult> model,
        Locals<TMessage, TRecord, TCommand, TResult> locals,
        Steps<TMessage, TRecord, TCommand, TResult> steps,
        Layout layout)
    {
        (_model, _locals, _steps, _layout, _budgets) = (model, locals, steps, layout, model.Budgets);
        _kinds = [.. _budgets.TimersOfKind.Keys.Order()];
    }

    /// <summary>The world in which every node has just started.</summary>
    public Successor Start()
    {
        var world = new int[_layout.Network];
        for (var node = 0; node < _layout.Nodes; node++)
        {
            var outcome = _steps.Start(node, IsEager(world, node))[0];
            if (outcome.Broken is not null)
            {
                return new Successor(new Move(MoveKind.Crash, node, 0), world, outcome.Broken);
            }

            world[node] = outcome.Local;
            world = _layout.Next(world, -1, outcome.Sent);
        }

        return new Successor(default, world, null);
    }

    /// <summary>The worlds one move away. The list is reused by the next call.</summary>
    public IReadOnlyList<Successor> Of(int[] world)
    {
        _found.Clear();
        AddNetwork(world);
        for (var node = 0; node < _layout.Nodes; node++)
        {
            AddNode(world, node);
        }

        if (world[_layout.Time] < _budgets.Ticks)
        {
            _found.Add(new(new Move(MoveKind.Tick, 0, 0), Counted(world, _layout.Time), null));
        }

        return _found;
    }

    private bool IsEager(int[] world, int node) =>
        world[_layout.Crashes] >= _budgets.Crashes || !MayCrash(node);

    private bool MayCrash(int node) => _budgets.MayCrash.IsEmpty || _budgets.MayCrash.Contains(_model.Nodes[node]);

    private void AddNetwork(int[] world)
    {
        var duplicates = world[_layout.Duplicates] < _budgets.Duplicates ? Counted(world, _layout.Duplicates) : null;
        var drops = world[_layout.Drops] < _budgets.Drops ? Counted(world, _layout.Drops) : null;
        for (var at = _layout.Network; at < world.Length; at++)
        {
            var number = world[at];
            if (at > _layout.Network && world[at - 1] == number)
            {
                continue;
            }

            var node = _locals.Target(number);
            Add(world, node, new Move(MoveKind.Deliver, node, number), MoveKind.Deliver, number, at);

            // What a node sends to itself never leaves it: it is not lost but with the node, and never doubled.
            var message = _locals.Message(number);
            if (message.From == message.To)
            {
                continue;
            }

            if (duplicates is not null)
            {
                Add(duplicates, node, new Move(MoveKind.Duplicate, node, number), MoveKind.Deliver, number, -1);
            }

            if (drops is not null)
            {
                _found.Add(new(new Move(MoveKind.Drop, node, number), _layout.Next(drops, at, []), null));
            }
        }
    }

    private void AddNode(int[] world, int node)
    {
        var local = _locals[world[node]];
        for (var count = _budgets.PartialWrites ? 1 : local.Pending.Length; count > 0 && count <= local.Pending.Length; count++)
        {
            Add(world, node, new Move(MoveKind.MakeDurable, node, count), MoveKind.MakeDurable, count, -1);
        }

        if (_steps.HasSubmission(world[node]))
        {
            Add(world, node, new Move(MoveKind.Submit, node, 0), MoveKind.Submit, 0, -1);
        }

        for (var timer = 0; timer < local.Timers.Length; timer++)
        {
            var counter = TimerCounter(local.Timers[timer].Kind, out var budget);
            if (world[counter] < budget)
            {
                Add(Counted(world, counter), node, new Move(MoveKind.Fire, node, timer), MoveKind.Fire, timer, -1);
            }
        }

        if (world[_layout.Crashes] < _budgets.Crashes && MayCrash(node))
        {
            AddCrash(world, node);
        }
    }

    private int TimerCounter(int kind, out int budget)
    {
        var own = Array.BinarySearch(_kinds, kind);
        budget = own < 0 ? _budgets.Timers : _budgets.TimersOfKind[kind];
        return own < 0 ? _layout.Timers : _layout.TimersOfKind + own;
    }

    private void AddCrash(int[] world, int node)
    {
        var crashed = WithoutOwn(Counted(world, _layout.Crashes), node);
        if (crashed[_layout.Crashes] == _budgets.Crashes)
        {
            crashed = Settle(crashed, node);
        }

        Add(crashed, node, new Move(MoveKind.Crash, node, 0), MoveKind.Crash, 0, -1);
    }

    /// <summary>With the last crash over, what the other nodes have pending is as good as durable.</summary>
    private int[] Settle(int[] world, int except)
    {
        for (var node = 0; node < _layout.Nodes; node++)
        {
            if (node != except && _locals[world[node]].Pending is { Length: > 0 } pending)
            {
                var outcome = _steps.Take(world[node], MoveKind.MakeDurable, pending.Length, world[_layout.Time], true)[0];
                world = _layout.Next(world, -1, outcome.Sent);
                world[node] = outcome.Local;
            }
        }

        return world;
    }

    private int[] WithoutOwn(int[] world, int node)
    {
        for (var at = world.Length - 1; at >= _layout.Network; at--)
        {
            var message = _locals.Message(world[at]);
            if (message.From == message.To && message.To == _model.Nodes[node])
            {
                world = _layout.Next(world, at, []);
            }
        }

        return world;
    }

    private void Add(int[] world, int node, Move move, MoveKind kind, int argument, int removed)
    {
        foreach (var outcome in _steps.Take(world[node], kind, argument, world[_layout.Time], IsEager(world, node)))
        {
            if (outcome.Broken is not null)
            {
                _found.Add(new(move, world, outcome.Broken));
                continue;
            }

            // A message that changes nothing now is left under way instead: whatever can happen without it can happen with it.
            if (kind == MoveKind.Deliver && outcome.Local == world[node] && outcome.Sent.Length == 0)
            {
                continue;
            }

            var next = _layout.Next(world, removed, outcome.Sent);
            next[node] = outcome.Local;
            _found.Add(new(move, next, null));
        }
    }

    private static int[] Counted(int[] world, int counter)
    {
        var copy = (int[])world.Clone();
        copy[counter]++;
        return copy;
    }
}
