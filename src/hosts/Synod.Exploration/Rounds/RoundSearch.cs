using System.Runtime.InteropServices;

namespace Synod.Exploration;

/// <summary>One search through schedules by rounds.</summary>
internal sealed class RoundSearch<TMessage, TRecord, TCommand, TResult>
{
    private readonly RoundModel<TMessage, TRecord, TCommand, TResult> _model;
    private readonly Locals<TMessage, TRecord, TCommand, TResult> _locals;
    private readonly Steps<TMessage, TRecord, TCommand, TResult> _steps;
    private readonly Layout _layout;
    private readonly Judge<TMessage, TRecord, TCommand, TResult> _judge;
    private readonly Story<TMessage, TRecord, TCommand, TResult> _story;
    private readonly RoundRun<TMessage, TRecord, TCommand, TResult> _run;
    private readonly int[] _start;
    private readonly string? _brokenAtStart;
    private int _states;
    private int _depth;
    private long _rounds;

    public RoundSearch(RoundModel<TMessage, TRecord, TCommand, TResult> model)
    {
        _model = model;
        _locals = new(model.Model);
        _steps = new(model.Model, _locals);
        _layout = new Layout(model.Model.Nodes.Count, 0);
        _judge = new(model.Model, _layout, new World<TMessage, TRecord, TCommand, TResult>(_locals, _layout));
        _story = new(model.Model, _locals, _layout);
        _run = new(model, _locals, _steps, _layout);
        var start = new Successors<TMessage, TRecord, TCommand, TResult>(
            model.Model with { Budgets = new Budgets() }, _locals, _steps, _layout).Start();
        (_start, _brokenAtStart) = (start.World, start.Broken);
    }

    public ExplorationResult Exhaust()
    {
        var layer = new List<Node> { new(_start, [], 0, null, "") };
        for (var round = 1; round <= _model.Rounds; round++)
        {
            var next = new List<Node>();
            var seen = new HashSet<UInt128>();
            foreach (var node in layer)
            {
                if (_states >= _model.MaxStates)
                {
                    return Result(null, isCut: true);
                }

                foreach (var (partition, lie) in Choices(node))
                {
                    var reached = Take(node, round, partition, lie, out var broken);
                    if (broken is not null)
                    {
                        return Result(Tell(reached, broken), isCut: false);
                    }

                    if (seen.Add(Fingerprint(reached)))
                    {
                        _states++;
                        next.Add(reached);
                    }
                }
            }

            layer = next;
            _depth = round;
        }

        return Result(null, isCut: false);
    }

    public ExplorationResult Wander(int seed, int schedules)
    {
        var random = new Random(seed);
        var seen = new HashSet<UInt128>();
        _depth = _model.Rounds;
        for (var schedule = 0; schedule < schedules; schedule++)
        {
            var node = new Node(_start, [], 0, null, "");
            for (var round = 1; round <= _model.Rounds; round++)
            {
                var partition = _model.Partitions[random.Next(_model.Partitions.Count)];
                var lie = node.Lies < _model.MaxLies ? random.Next(_model.Lies.Count + 1) - 1 : -1;
                node = Take(node, round, partition, lie, out var broken);
                if (broken is not null)
                {
                    return Result(Tell(node, broken), isCut: false);
                }

                _states += seen.Add(Fingerprint(node)) ? 1 : 0;
            }
        }

        return Result(null, isCut: true);
    }

    private IEnumerable<(Partition Partition, int Lie)> Choices(Node node)
    {
        var lies = node.Lies < _model.MaxLies ? _model.Lies.Count : 0;
        foreach (var partition in _model.Partitions)
        {
            for (var lie = -1; lie < lies; lie++)
            {
                yield return (partition, lie);
            }
        }
    }

    private Node Take(Node node, int round, Partition partition, int lie, out string? broken)
    {
        _rounds++;
        var (world, said, hasLied) = _run.Take(node.World, node.Said, round, partition, lie < 0 ? null : _model.Lies[lie]);
        broken = _brokenAtStart ?? _run.Broken ?? _judge.Fault(world, round);
        var title = $"round {round}: {partition}{(hasLied ? $", {_model.Lies[lie].Name}" : "")}";
        return new Node(world, said, node.Lies + (hasLied ? 1 : 0), node, broken is null ? title : $"{title}: {broken}");
    }

    /// <summary>Of the nodes and what is under way, and with lies also of how many are left and what may be said again.</summary>
    private static UInt128 Fingerprint(Node node)
    {
        int[] all = [.. node.World, node.Lies, .. node.Said];
        return System.IO.Hashing.XxHash128.HashToUInt128(MemoryMarshal.AsBytes(all.AsSpan()));
    }

    private Counterexample Tell(Node node, string broken)
    {
        var steps = new List<CounterexampleStep>();
        for (var at = node; at is not null; at = at.Before)
        {
            steps.Add(_story.Begin(at.World) with { Action = at.Before is null ? "start" : at.Title });
        }

        steps.Reverse();
        return new Counterexample(broken, steps);
    }

    private ExplorationResult Result(Counterexample? counterexample, bool isCut) => new()
    {
        States = _states,
        Moves = _rounds,
        Depth = _depth,
        IsComplete = !isCut && counterexample is null,
        Combinations = _judge.Count,
        Worked = (_locals.Count, _steps.Count),
        Reached = _judge.Reached,
        Unreached = _judge.Unreached,
        Counterexample = counterexample,
    };

    /// <summary>A world at the end of a round, what liars said until then, and how it came about.</summary>
    private sealed record Node(int[] World, int[] Said, int Lies, Node? Before, string Title);
}
