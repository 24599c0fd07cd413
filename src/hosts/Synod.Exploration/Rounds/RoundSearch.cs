using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>One search through schedules by rounds.</summary>
internal sealed class RoundSearch<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>Worlds that are remembered to the last bit.</summary>
    private const int MostExact = 4_000_000;

    private readonly RoundModel<TMessage, TRecord, TCommand, TResult> _model;
    private readonly LastRound<TMessage, TRecord, TCommand, TResult> _last;
    private readonly RoundEssence<TMessage, TRecord, TCommand, TResult> _essence;
    private readonly IReadOnlyList<Renaming> _renamings;
    private readonly RoundSteps<TMessage, TRecord, TCommand, TResult> _steps;
    private readonly RoundPrints<TMessage, TRecord, TCommand, TResult> _prints;
    private readonly Judge<TMessage, TRecord, TCommand, TResult> _judge;
    private readonly Action<RoundProgress>? _progress;
    private readonly bool _merges;
    private readonly List<HashSet<UInt128>> _ends = [];
    private readonly List<List<Way>> _ways = [];
    private readonly HashSet<UInt128> _seen = [];
    private readonly HashSet<UInt128> _exact = [];
    private readonly int[] _row;
    private int _states;
    private int _depth;
    private long _rounds;
    private long _nodes;

    /// <param name="make">Makes what is explored: once for the search, and once for each who works on the last round.</param>
    /// <param name="jobs">How many work on the last round if it is only judged.</param>
    /// <param name="progress">Told now and then how far the search is, by one at a time.</param>
    /// <param name="merges">Whether worlds with one print go on as one; otherwise only those that are equal to the last bit do.</param>
    public RoundSearch(
        Func<RoundModel<TMessage, TRecord, TCommand, TResult>> make, int jobs = 1, Action<RoundProgress>? progress = null, bool merges = true)
    {
        var model = make();
        Invariant.Check(model.Model is { Commands: null, Results: null }, "NeitherExecutionsNorAnswersArePartOfAWorld");
        (_model, _progress, _merges) = (model, progress, merges);
        _essence = merges ? model.EssenceOrAll : new Followed<TMessage, TRecord, TCommand, TResult>(model.EssenceOrAll, model.Model.Messages);
        _renamings = Renaming.All(model.Model.Nodes, model.Alike, model.Copies);
        var faces = new RoundFaces<TMessage, TRecord, TCommand, TResult>(model.Model, _essence);
        _steps = new(model, _essence, faces, _renamings);
        _prints = new(model, _essence, _renamings);
        _judge = new(model.Model, new Layout(model.Model.Nodes.Count, 0), new World<TMessage, TRecord, TCommand, TResult>(model.Model.Nodes, faces.View));
        _last = new(make, jobs, faces, _judge, progress);
        _row = new int[model.Model.Nodes.Count + 4];
    }

    /// <summary>The prints of the worlds at the end of each round that were followed, or would be in a round more.</summary>
    public IReadOnlyList<IReadOnlySet<UInt128>> Ends => _ends;

    public ExplorationResult Exhaust()
    {
        var nodes = Nodes(0);
        _steps.Begin(null, nodes, 0);
        var layer = new List<RoundWorld>();
        _ways.Add([]);
        foreach (var start in _steps.Start(null))
        {
            _ways[0].Add(new(-1, 0, -1, start.World.Drawn));
            if (start.Broken is not null)
            {
                return Result(Tell(_ways[0][^1], 0, start.Broken), isCut: false);
            }

            layer.Add(InOrder(start.World, nodes, 0).World);
        }

        for (var round = 1; round <= _model.Rounds; round++)
        {
            if (round == _model.Rounds && _model.OnlyJudgesLast)
            {
                return JudgeLast(layer, nodes);
            }

            var after = Nodes(round);
            _steps.Begin(nodes, after, round);
            _ways.Add([]);
            _ends.Add([]);
            _exact.Clear();
            if (!_essence.ForgetsRounds)
            {
                _seen.Clear();
            }

            var next = new List<RoundWorld>();
            for (var at = 0; at < layer.Count; at++)
            {
                if (_states >= _model.MaxStates)
                {
                    return Result(null, isCut: true);
                }

                if (Follow(layer[at], at, round, after, next) is { } found)
                {
                    return Result(found, isCut: false);
                }

                _progress?.Invoke(new(round, at + 1, layer.Count, next.Count));
            }

            (layer, nodes, _depth) = (next, after, round);
            _nodes += after.Count;
        }

        return Result(null, isCut: false);
    }

    private ExplorationResult JudgeLast(List<RoundWorld> layer, RoundNodes<TMessage, TRecord, TCommand, TResult> nodes)
    {
        // What earlier rounds remember makes room.
        _steps.Begin(nodes, null, _model.Rounds);
        _exact.Clear();
        _exact.TrimExcess();
        _last.Run(layer, nodes, _model.Rounds);
        _depth = _model.Rounds;
        return Result(
            _last.First is { } fall ? Tell(new Way(fall.At, fall.Partition, fall.Lie, fall.Drawn), _model.Rounds, fall.Broken) : null, isCut: false);
    }

    public ExplorationResult Wander(int seed, int schedules)
    {
        var random = new Random(seed);
        _depth = _model.Rounds;
        for (var schedule = 0; schedule < schedules; schedule++)
        {
            var nodes = Nodes(0);
            _steps.Begin(null, nodes, 0);
            var reached = _steps.Start(random)[0];
            var ways = new List<Way> { new(-1, 0, -1, reached.World.Drawn) };
            for (var round = 1; round <= _model.Rounds && reached.Broken is null; round++)
            {
                var partition = random.Next(_model.Partitions.Count);
                var lie = reached.World.Lies < _model.MaxLies ? random.Next(_model.Lies.Count + 1) - 1 : -1;
                var (print, before) = InOrder(reached.World, nodes, round - 1);
                _states += round > 1 && _seen.Add(print) ? 1 : 0;
                var after = Nodes(round);
                _steps.Begin(nodes, after, round);
                reached = _steps.Take(before, partition, lie, random)[0];
                _rounds++;
                ways.Add(new(0, partition, lie, reached.World.Drawn));
                reached = reached with { Broken = reached.Broken ?? _judge.Fault(reached.Faces, round) };
                nodes = after;
                _nodes += after.Count;
            }

            if (reached.Broken is not null)
            {
                return Result(Tell(ways, reached.Broken), isCut: false);
            }

            _states += _seen.Add(_prints.Of(nodes, reached.World, _model.Rounds).Print) ? 1 : 0;
        }

        return Result(null, isCut: true);
    }

    private RoundNodes<TMessage, TRecord, TCommand, TResult> Nodes(int round)
    {
        _essence.Begin(round);
        var nodes = new RoundNodes<TMessage, TRecord, TCommand, TResult>(_model, _essence, _renamings);
        nodes.Say([]);
        return nodes;
    }

    /// <summary>Takes a world through a round in every way, and notes the new worlds that it leads to.</summary>
    private Counterexample? Follow(
        RoundWorld world, int at, int round, RoundNodes<TMessage, TRecord, TCommand, TResult> after, List<RoundWorld> next)
    {
        foreach (var (partition, lie, reached) in _steps.TakeEvery(world))
        {
            _rounds++;
            var way = new Way(at, partition, reached.HasLied ? lie : -1, reached.World.Drawn);
            if ((reached.Broken ?? _judge.Fault(reached.Faces, round)) is { } broken)
            {
                return Tell(way, round, broken);
            }

            // Most splits come out the same to the last bit, which is quicker to see than that they come to the same.
            if (IsNew(reached.World) && Merge(reached.World, after, round) is { } merged)
            {
                _states++;
                _ways[round].Add(way);
                next.Add(merged);
            }
        }

        return null;
    }

    private bool IsNew(RoundWorld world)
    {
        if (_merges && _exact.Count == MostExact)
        {
            _exact.Clear();
        }

        world.Nodes.CopyTo(_row, 0);
        var bits = world.Drawn.Bits;
        (_row[^4], _row[^3], _row[^2], _row[^1]) = (world.Said, world.Lies, (int)bits, (int)(bits >> 32));
        return _exact.Add(XxHash128.HashToUInt128(MemoryMarshal.AsBytes(_row.AsSpan())));
    }

    /// <summary>The world as it is followed; null if one that it equals is followed already.</summary>
    private RoundWorld? Merge(RoundWorld world, RoundNodes<TMessage, TRecord, TCommand, TResult> after, int round)
    {
        var (print, followed) = InOrder(world, after, round, isKnown: _seen.Contains);
        var isNew = _seen.Add(print);
        if (isNew)
        {
            _ends[^1].Add(print);
        }

        return isNew || !_merges ? followed : null;
    }

    /// <summary>The print of a world, and the world in its order and without what is surplus in it.</summary>
    private (UInt128 Print, RoundWorld World) InOrder(
        RoundWorld world, RoundNodes<TMessage, TRecord, TCommand, TResult> nodes, int round, Func<UInt128, bool>? isKnown = null)
    {
        var (print, order) = _prints.Of(nodes, world, round);
        return (print, _merges && isKnown?.Invoke(print) != true
            ? world with { Order = order, Nodes = [.. world.Nodes.Select(nodes.Without)] }
            : world with { Order = order });
    }

    private Counterexample Tell(Way last, int round, string broken)
    {
        var ways = new List<Way>();
        for (var (way, at) = (last, round); ; at--)
        {
            ways.Add(way);
            if (way.Before < 0 || at == 0)
            {
                break;
            }

            way = _ways[at - 1][way.Before];
        }

        ways.Reverse();
        return Tell(ways, broken);
    }

    /// <summary>Goes the way again, and says what there was to be seen.</summary>
    private Counterexample Tell(List<Way> ways, string broken)
    {
        var nodes = Nodes(0);
        _steps.Begin(null, nodes, 0);
        var reached = _steps.Start(null).Find(start => start.World.Drawn == ways[0].Drawn);
        var steps = new List<CounterexampleStep> { new("start", reached.Broken is null ? Lines(nodes, reached.World) : []) };
        for (var round = 1; round < ways.Count; round++)
        {
            var way = ways[round];
            var before = InOrder(reached.World, nodes, round - 1).World;
            var after = Nodes(round);
            _steps.Begin(nodes, after, round);
            reached = _steps.Take(before, way.Partition, way.Lie).Find(next => next.World.Drawn == way.Drawn);
            nodes = after;
            var leader = _model.Leaders?.NodeOf(way.Drawn, round) is { } node && node != NodeId.None ? $" of {node}" : "";
            var lie = reached.HasLied ? $", {_model.Lies[way.Lie].Name}" : "";
            var fault = round + 1 == ways.Count ? $": {broken}" : "";
            steps.Add(new(
                string.Create(CultureInfo.InvariantCulture, $"round {round}{leader}: {_model.Partitions[way.Partition]}{lie}{fault}"),
                reached.Broken is null ? Lines(nodes, reached.World) : []));
        }

        return new Counterexample(broken, steps);
    }

    private List<string> Lines(RoundNodes<TMessage, TRecord, TCommand, TResult> nodes, RoundWorld world)
    {
        var lines = new List<string>();
        foreach (var number in world.Nodes)
        {
            var printer = new StatePrinter();
            nodes.Load(number).State(printer);
            lines.Add(string.Create(
                CultureInfo.InvariantCulture, $"{_model.Model.Nodes[nodes[number].Index]}: {printer} | timers={nodes[number].Timers.Length}"));
        }

        return lines;
    }

    private ExplorationResult Result(Counterexample? counterexample, bool isCut) => new()
    {
        States = _states,
        Moves = _rounds + _last.Rounds,
        Depth = _depth,
        IsComplete = !isCut && counterexample is null,
        Combinations = _judge.Count,
        Worked = ((int)_nodes, (int)(_steps.Steps + _last.Steps)),
        Reached = _judge.Reached,
        Unreached = _judge.Unreached,
        Counterexample = counterexample,
    };

    /// <summary>How a world came about.</summary>
    /// <param name="Before">The position of the world before the round among those of its end.</param>
    /// <param name="Partition">The split.</param>
    /// <param name="Lie">The lie that was told; negative for none.</param>
    /// <param name="Drawn">The leaders that were known then.</param>
    private readonly record struct Way(int Before, int Partition, int Lie, Drawn Drawn);
}
