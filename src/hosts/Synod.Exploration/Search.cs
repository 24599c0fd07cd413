namespace Synod.Exploration;

/// <summary>One search: the worlds seen, how each was reached, and what the properties said.</summary>
internal sealed class Search<TMessage, TRecord, TCommand, TResult>
{
    private readonly Model<TMessage, TRecord, TCommand, TResult> _model;
    private readonly Locals<TMessage, TRecord, TCommand, TResult> _locals;
    private readonly Steps<TMessage, TRecord, TCommand, TResult> _steps;
    private readonly Successors<TMessage, TRecord, TCommand, TResult> _successors;
    private readonly Symmetry<TMessage, TRecord, TCommand, TResult>? _symmetry;
    private readonly Settling<TMessage, TRecord, TCommand, TResult> _settling;
    private readonly Story<TMessage, TRecord, TCommand, TResult> _story;
    private readonly Visited _seen;
    private readonly List<(int Parent, int Ordinal)> _trail = [];
    private readonly Judge<TMessage, TRecord, TCommand, TResult> _judge;
    private long _moves;
    private int _depth;
    private bool _isCut;

    public Search(Model<TMessage, TRecord, TCommand, TResult> model)
    {
        _model = model;
        _locals = new(model);
        _steps = new(model, _locals);
        var layout = new Layout(model.Nodes.Count, model.Budgets.TimersOfKind.Count);
        _seen = new(layout, model.Properties.All(property => property.Kind != PropertyKind.Eventually));
        _successors = new(model, _locals, _steps, layout);
        _symmetry = model.Interchangeable.Count > 1 ? new(model, _locals, layout) : null;
        var view = new World<TMessage, TRecord, TCommand, TResult>(model.Nodes, _locals, layout);
        _judge = new(model, layout, view);
        _settling = new(model, _locals, _steps, layout, view);
        _story = new(model, _locals, layout);
    }

    /// <summary>Breadth first, so that the first counterexample is a shortest one.</summary>
    public ExplorationResult Exhaust()
    {
        var start = _settling.Begin(_successors.Start());
        var failed = start.Broken ?? Meet(start.World, -1, 0);
        if (failed is not null)
        {
            return Result(new Counterexample(failed, [_story.Begin(start.World)]));
        }

        var layer = new List<int[]> { Canonical(start.World) };
        var first = 0;
        while (layer.Count > 0)
        {
            if (_depth >= _model.Budgets.MaxDepth || _seen.Count >= _model.Budgets.MaxStates)
            {
                _isCut = true;
                break;
            }

            var next = new List<int[]>();
            for (var index = 0; index < layer.Count; index++)
            {
                if (Expand(layer[index], first + index, next) is { } counterexample)
                {
                    return Result(counterexample);
                }
            }

            first += layer.Count;
            layer = next;
            _depth += next.Count > 0 ? 1 : 0;
        }

        return Result(null);
    }

    /// <summary>Random walks, each from the start: no proof, but far.</summary>
    public ExplorationResult Wander(int seed, int walks, int length)
    {
        var random = new Random(seed);
        _isCut = true;
        var start = _settling.Begin(_successors.Start());
        if ((start.Broken ?? Meet(start.World, -1, 0)) is { } atOnce)
        {
            return Result(new Counterexample(atOnce, [_story.Begin(start.World)]));
        }

        for (var walk = 0; walk < walks; walk++)
        {
            if (Walk(random, start.World, length) is { } counterexample)
            {
                return Result(counterexample);
            }
        }

        return Result(null);
    }

    private Counterexample? Walk(Random random, int[] world, int length)
    {
        var told = new List<(int[] Before, Move Move, int[] After, string? Broken)>();
        for (var step = 1; step <= length; step++)
        {
            var choices = _successors.Of(world);
            if (choices.Count == 0)
            {
                break;
            }

            _moves++;
            var chosen = choices[random.Next(choices.Count)];
            told.Add((world, chosen.Move, chosen.World, chosen.Broken));
            world = chosen.World;
            if ((chosen.Broken ?? Meet(world, -1, step)) is { } failed)
            {
                return Tell(failed, told);
            }

            _depth = Math.Max(_depth, step);
        }

        return _settling.Unsettled(world) is { } never ? Tell(never, told) : null;
    }

    private Counterexample? Expand(int[] world, int number, List<int[]> next)
    {
        var isQuiet = true;
        var found = _successors.Of(world);
        for (var ordinal = 0; ordinal < found.Count; ordinal++)
        {
            var (move, reached, broken) = found[ordinal];
            _moves++;
            isQuiet &= move.IsFault || move.Kind is MoveKind.Fire or MoveKind.Tick;
            if (broken is not null)
            {
                return Tell(broken, [.. Path(number), (world, move, reached, broken)]);
            }

            var canonical = Canonical(reached);
            var count = _seen.Count;
            if (Meet(canonical, number, ordinal, _depth + 1) is { } failed)
            {
                return Tell(failed, Path(_seen.Count - 1));
            }

            if (_seen.Count > count)
            {
                next.Add(canonical);
            }
        }

        return isQuiet && _settling.Unsettled(world) is { } never ? Tell(never, Path(number)) : null;
    }

    private int[] Canonical(int[] world) => _symmetry is null ? world : _symmetry.Canonical(world);

    private string? Meet(int[] world, int parent, int depth) => Meet(world, parent, 0, depth);

    /// <summary>Notes a world and judges it if it is new. The name of the property that fails in it.</summary>
    private string? Meet(int[] world, int parent, int ordinal, int depth)
    {
        if (!_seen.Add(world))
        {
            return null;
        }

        _trail.Add((parent, ordinal));
        return _judge.Fault(world, depth);
    }

    /// <summary>
    /// The way to a world from the start. Under a symmetry the trail leads through canonical worlds, whose nodes change names from
    /// one to the next; the way told keeps the names.
    /// </summary>
    private List<(int[] Before, Move Move, int[] After, string? Broken)> Path(int number)
    {
        var ordinals = new Stack<int>();
        for (var at = number; _trail[at].Parent >= 0; at = _trail[at].Parent)
        {
            ordinals.Push(_trail[at].Ordinal);
        }

        var path = new List<(int[], Move, int[], string?)>();
        var world = _settling.Begin(_successors.Start()).World;
        var canonical = Canonical(world);
        foreach (var ordinal in ordinals)
        {
            canonical = Canonical(_successors.Of(canonical)[ordinal].World);
            var same = Layout.Fingerprint(canonical);
            var step = _successors.Of(world).First(item => item.Broken is null && Layout.Fingerprint(Canonical(item.World)) == same);
            path.Add((world, step.Move, step.World, null));
            world = step.World;
        }

        return path;
    }

    private Counterexample Tell(string property, IReadOnlyList<(int[] Before, Move Move, int[] After, string? Broken)> path)
    {
        var steps = new List<CounterexampleStep> { _story.Begin(_settling.Begin(_successors.Start()).World) };
        steps.AddRange(path.Select(step => _story.Tell(step.Before, step.Move, step.After, step.Broken)));
        return new Counterexample(property, steps);
    }

    private ExplorationResult Result(Counterexample? counterexample) => new()
    {
        States = _seen.Count,
        Moves = _moves,
        Depth = _depth,
        IsComplete = !_isCut && counterexample is null,
        Combinations = _judge.Count,
        Worked = (_locals.Count, _steps.Count),
        Reached = _judge.Reached,
        Unreached = _judge.Unreached,
        Counterexample = counterexample,
    };
}
