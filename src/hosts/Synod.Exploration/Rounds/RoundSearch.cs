using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>One search through schedules by rounds.</summary>
internal sealed class RoundSearch<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>With more local states than this, those that no world needs that is still to be followed are forgotten.</summary>
    private const int MostLocals = 400_000;

    private readonly RoundModel<TMessage, TRecord, TCommand, TResult> _model;
    private readonly Locals<TMessage, TRecord, TCommand, TResult> _locals;
    private readonly Steps<TMessage, TRecord, TCommand, TResult> _steps;
    private readonly Layout _layout;
    private readonly Judge<TMessage, TRecord, TCommand, TResult> _judge;
    private readonly Story<TMessage, TRecord, TCommand, TResult> _story;
    private readonly RoundRun<TMessage, TRecord, TCommand, TResult> _run;
    private readonly RoundPrints<TMessage, TRecord, TCommand, TResult> _prints;
    private readonly Successors<TMessage, TRecord, TCommand, TResult> _successors;
    private readonly Action<RoundProgress>? _progress;
    private int _states;
    private int _depth;
    private long _rounds;
    private int _mostLocals = MostLocals;

    public RoundSearch(RoundModel<TMessage, TRecord, TCommand, TResult> model, Action<RoundProgress>? progress = null)
    {
        (_model, _progress) = (model, progress);
        _locals = new(model.Model);
        _steps = new(model.Model, _locals, keepsLog: false, model.Leaders);
        _layout = new Layout(model.Model.Nodes.Count, 0);
        _judge = new(model.Model, _layout, new World<TMessage, TRecord, TCommand, TResult>(_locals, _layout));
        _story = new(model.Model, _locals, _layout);
        _prints = new(model, _locals, _layout);
        _run = new(model, _locals, _steps, _layout);
        _successors = new(model.Model with { Budgets = new Budgets() }, _locals, _steps, _layout);
    }

    public ExplorationResult Exhaust()
    {
        var layer = new List<Node>();
        foreach (var (drawn, start) in Each([], _successors.Start))
        {
            layer.Add(Begin(drawn, start));
            if (start.Broken is not null)
            {
                return Result(Tell(layer[^1], start.Broken), isCut: false);
            }
        }

        var seen = new HashSet<UInt128>();
        var exact = new HashSet<UInt128>();
        for (var round = 1; round <= _model.Rounds; round++)
        {
            var next = new List<Node>();
            var isLast = round == _model.Rounds;
            exact.Clear();
            if (!_prints.ForgetRounds)
            {
                seen.Clear();
            }

            for (var at = 0; at < layer.Count; at++)
            {
                var node = layer[at];
                if (_states >= _model.MaxStates)
                {
                    return Result(null, isCut: true);
                }

                foreach (var reached in From(node, round))
                {
                    if (reached.Broken is not null)
                    {
                        return Result(Tell(reached, reached.Broken), isCut: false);
                    }

                    if (isLast && _model.OnlyJudgesLast)
                    {
                        continue;
                    }

                    // Most splits come out the same to the last bit, which is quicker to see than that they come to the same.
                    if (exact.Add(Exactly(reached)) && seen.Add(Fingerprint(reached)))
                    {
                        _states++;
                        reached.World = _prints.Simplified(reached.World);
                        next.Add(reached);
                    }
                }

                _progress?.Invoke(new(round, at + 1, layer.Count, next.Count));
                if (_locals.Count > _mostLocals)
                {
                    Forget([.. layer.Skip(at + 1), .. next]);
                    exact.Clear();
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
            var (drawn, start) = Any([], random, _successors.Start);
            var node = Begin(drawn, start);
            for (var round = 1; round <= _model.Rounds; round++)
            {
                var partition = _model.Partitions[random.Next(_model.Partitions.Count)];
                var lie = node.Lies < _model.MaxLies ? random.Next(_model.Lies.Count + 1) - 1 : -1;
                var (now, before) = (round, node);
                (drawn, node) = Any(drawn, random, () => Take(before, now, partition, lie));
                node = node with { Drawn = drawn };
                if (node.Broken is not null)
                {
                    return Result(Tell(node, node.Broken), isCut: false);
                }

                _states += seen.Add(Fingerprint(node)) ? 1 : 0;
            }
        }

        return Result(null, isCut: true);
    }

    /// <summary>Keeps of local states and messages only what worlds consist of that are still to be followed.</summary>
    private void Forget(List<Node> open)
    {
        var network = _layout.Network;
        var (locals, messages) = _locals.Keep(
            open.SelectMany(node => node.World.Take(_layout.Nodes)),
            open.SelectMany(node => node.World.Skip(network).Concat(node.Said)));
        foreach (var node in open)
        {
            // Numbers keep their order, so that messages stay sorted.
            node.World = [.. node.World.Select((number, at) => at < _layout.Nodes ? locals[number] : at < network ? number : messages[number])];
            node.Said = [.. node.Said.Select(number => messages[number])];
            for (var before = node.Before; before is { World.Length: > 0 }; before = before.Before)
            {
                (before.World, before.Said) = ([], []);
            }
        }

        _steps.Forget();
        _prints.Forget();
        _judge.Forget();

        // If most of them are needed, the next time comes later.
        _mostLocals = Math.Max(MostLocals, 2 * _locals.Count);
    }

    private static Node Begin(ImmutableArray<NodeId> drawn, Successor start) => new(0, null) { World = start.World, Drawn = drawn, Broken = start.Broken };

    private IEnumerable<Node> From(Node node, int round)
    {
        var lies = node.Lies < _model.MaxLies ? _model.Lies.Count : 0;
        foreach (var partition in _model.Partitions)
        {
            for (var lie = -1; lie < lies; lie++)
            {
                var told = lie;
                foreach (var (drawn, reached) in Each(node.Drawn, () => Take(node, round, partition, told)))
                {
                    yield return reached with { Drawn = drawn };
                }
            }
        }
    }

    private IEnumerable<(ImmutableArray<NodeId> Drawn, T Outcome)> Each<T>(ImmutableArray<NodeId> drawn, Func<T> run) =>
        _model.Leaders?.Each(drawn, run) ?? [(drawn, run())];

    private (ImmutableArray<NodeId> Drawn, T Outcome) Any<T>(ImmutableArray<NodeId> drawn, Random random, Func<T> run) =>
        _model.Leaders?.Any(drawn, random, run) ?? (drawn, run());

    private Node Take(Node node, int round, Partition partition, int lie)
    {
        var (world, said, hasLied) = _run.Take(node.World, node.Said, round, partition, lie < 0 ? null : _model.Lies[lie]);
        _rounds++;
        var broken = _run.Broken ?? _judge.Fault(world, round);
        return new Node(node.Lies + (hasLied ? 1 : 0), node)
        {
            World = world, Said = said, Broken = broken, Round = round, Partition = partition, Lie = hasLied ? _model.Lies[lie].Name : "",
        };
    }

    private static UInt128 Exactly(Node node) =>
        Layout.Fingerprint([.. node.World, -1, .. node.Said, node.Lies, .. node.Drawn.Select(leader => leader.Value)]);

    /// <summary>Who cannot lie any more repeats nothing.</summary>
    private UInt128 Fingerprint(Node node) =>
        _prints.Of(node.Round, node.World, node.Lies < _model.MaxLies ? node.Said : [], node.Lies, node.Drawn);

    private Counterexample Tell(Node node, string broken)
    {
        var steps = new List<CounterexampleStep>();
        for (var at = node; at is not null; at = at.Before)
        {
            var action = at.Before is null ? "start" : at.Title;
            steps.Add(at.World.Length == 0 ? new(action, []) : _story.Begin(at.World) with { Action = action });
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
    private sealed record Node(int Lies, Node? Before)
    {
        /// <summary>Empty once it is forgotten.</summary>
        public int[] World { get; set; } = [];

        public int[] Said { get; set; } = [];

        public ImmutableArray<NodeId> Drawn { get; init; } = [];

        public int Round { get; init; }

        public Partition? Partition { get; init; }

        public string Lie { get; init; } = "";

        public string? Broken { get; init; }

        public string Title =>
            $"round {Round}{(Round < Drawn.Length ? $" of {Drawn[Round]}" : "")}: {Partition}{(Lie == "" ? "" : $", {Lie}")}{(Broken is null ? "" : $": {Broken}")}";
    }
}
