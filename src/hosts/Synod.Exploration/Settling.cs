namespace Synod.Exploration;

/// <summary>
/// Lets the faults stop and everything happen in turn: submissions, deliveries, fsyncs, then each armed timer once, and again.
/// What must eventually hold has to hold at the end of one of the rounds.
/// </summary>
internal sealed class Settling<TMessage, TRecord, TCommand, TResult>(
    Model<TMessage, TRecord, TCommand, TResult> model,
    Locals<TMessage, TRecord, TCommand, TResult> locals,
    Steps<TMessage, TRecord, TCommand, TResult> steps,
    Layout layout,
    World<TMessage, TRecord, TCommand, TResult> view)
{
    /// <summary>More deliveries than this between two firings mean that messages breed messages for ever.</summary>
    private const int MaxDeliveries = 10_000;

    private readonly Property<TMessage, TRecord, TCommand, TResult>[] _eventually =
        [.. model.Properties.Where(property => property.Kind == PropertyKind.Eventually)];

    private string? _broken;

    /// <summary>The name of what never came to hold, or of the claim that broke on the way; null if all is well.</summary>
    public string? Unsettled(int[] world)
    {
        if (_eventually.Length == 0)
        {
            return null;
        }

        _broken = null;
        var open = _eventually.ToList();
        for (var round = 0; round <= model.Budgets.FairRounds; round++)
        {
            world = Drain(round == 0 ? world : FireAll(world));
            if (_broken is not null)
            {
                return _broken;
            }

            view.Show(world);
            open.RemoveAll(property => property.Holds(view));
            if (open.Count == 0)
            {
                return null;
            }
        }

        return open[0].Name;
    }

    /// <summary>The world after the model's settled submissions.</summary>
    public Successor Begin(Successor start)
    {
        _broken = start.Broken;
        var world = start.World;
        foreach (var submission in model.Submissions.Take(model.SettledSubmissions))
        {
            world = _broken is null ? Deliver(Take(world, locals.IndexOf(submission.Node), MoveKind.Submit, 0, -1)) : world;
        }

        return new Successor(start.Move, world, _broken);
    }

    private int[] Drain(int[] world)
    {
        world = Deliver(world);
        for (var node = 0; node < layout.Nodes; node++)
        {
            while (_broken is null && steps.HasSubmission(world[node]))
            {
                world = Deliver(Take(world, node, MoveKind.Submit, 0, -1));
            }
        }

        return world;
    }

    private int[] Deliver(int[] world)
    {
        for (var node = 0; _broken is null && node < layout.Nodes; node++)
        {
            var pending = locals[world[node]].Pending.Length;
            world = pending > 0 ? Take(world, node, MoveKind.MakeDurable, pending, -1) : world;
        }

        for (var count = 0; _broken is null && world.Length > layout.Network; count++)
        {
            if (count == MaxDeliveries)
            {
                _broken = "MessagesEnd";
                break;
            }

            var message = world[layout.Network];
            world = Take(world, locals.Target(message), MoveKind.Deliver, message, layout.Network);
        }

        return world;
    }

    private int[] FireAll(int[] world)
    {
        for (var node = 0; node < layout.Nodes; node++)
        {
            foreach (var timer in locals[world[node]].Timers)
            {
                var at = Array.IndexOf(locals[world[node]].Timers, timer);
                world = at >= 0 && _broken is null ? Take(world, node, MoveKind.Fire, at, -1) : world;
            }
        }

        return world;
    }

    private int[] Take(int[] world, int node, MoveKind kind, int argument, int removed)
    {
        var outcome = steps.Take(world[node], kind, argument, world[layout.Time], true)[0];
        _broken = outcome.Broken;
        if (_broken is not null)
        {
            return world;
        }

        var next = layout.Next(world, removed, outcome.Sent);
        next[node] = outcome.Local;
        return next;
    }
}
