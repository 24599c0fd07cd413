using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Synod.Exploration;

/// <summary>
/// Takes worlds through rounds. The sides of a split hear nothing of each other, so a round is a run of each, which is worked out once for
/// what the nodes of the side are: most sides of most splits are those of some world before.
/// </summary>
internal sealed class RoundSteps<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>With more sides worked out than this, all are forgotten: most that come again come soon.</summary>
    private const int MostSides = 1_000_000;

    /// <summary>With more states of nodes within rounds than this, these are forgotten too.</summary>
    private const int MostNodes = 1_000_000;

    private readonly RoundModel<TMessage, TRecord, TCommand, TResult> _model;
    private readonly RoundEssence<TMessage, TRecord, TCommand, TResult> _essence;
    private readonly RoundFaces<TMessage, TRecord, TCommand, TResult> _faces;
    private readonly LeaderDraw _leaders;
    private readonly RoundStep<TMessage, TRecord, TCommand, TResult> _step;
    private readonly SideRun<TMessage, TRecord, TCommand, TResult> _run;
    private readonly Dictionary<int, (int Node, int[] Waiting)> _begun = [];
    private readonly Dictionary<UInt128, int> _ended = [];
    private readonly Dictionary<int, int> _facesOf = [];
    private readonly Dictionary<(int Message, int Lie, int Said), int> _told = [];
    private readonly Dictionary<UInt128, Side> _sides = [];
    private readonly int[][] _orders;
    private readonly int[][][] _splits;
    private readonly List<Reached<TMessage>> _reached = [];
    private readonly Outcome?[] _picked;
    private readonly int[] _key;
    private readonly int _count;
    private readonly int _mostSides;
    private readonly int _mostNodes;
    private RoundNodes<TMessage, TRecord, TCommand, TResult> _before = null!;
    private RoundNodes<TMessage, TRecord, TCommand, TResult> _after = null!;
    private Random? _random;
    private int _round;
    private bool _numbers;

    public RoundSteps(
        RoundModel<TMessage, TRecord, TCommand, TResult> model,
        RoundEssence<TMessage, TRecord, TCommand, TResult> essence,
        RoundFaces<TMessage, TRecord, TCommand, TResult> faces,
        IReadOnlyList<Renaming> renamings,
        int jobs = 1)
    {
        (_mostSides, _mostNodes) = (MostSides / jobs, MostNodes / jobs);
        (_model, _essence, _faces) = (model, essence, faces);
        _count = model.Model.Nodes.Count;
        _leaders = model.Leaders ?? new LeaderDraw([]);
        _step = new(model, essence, _leaders);
        _run = new(model, _step);
        _picked = new Outcome?[_count];
        _key = new int[_count + 3];
        _orders = [.. renamings.Take(renamings.Count - 1).Select(renaming => OrderOf(renaming))];
        _splits = [.. _orders.Select(order => model.Partitions.Select(partition => SidesIn(partition, order)).ToArray())];
    }

    /// <summary>Steps that were run.</summary>
    public long Steps => _step.Count;

    /// <summary>Everything that follows is a round between these.</summary>
    /// <param name="before">What nodes are numbered in before the round.</param>
    /// <param name="after">What they are numbered in after it; null if nothing follows from it.</param>
    /// <param name="round">0 is the start.</param>
    public void Begin(
        RoundNodes<TMessage, TRecord, TCommand, TResult>? before,
        RoundNodes<TMessage, TRecord, TCommand, TResult>? after,
        int round)
    {
        (_before, _after, _round, _numbers) = (before!, after!, round, after is not null);
        _sides.Clear();
        Forget();
    }

    private void Forget()
    {
        _step.Forget();
        _run.Forget();
        _begun.Clear();
        _ended.Clear();
        _facesOf.Clear();
        _told.Clear();
    }

    /// <summary>Every way in which all nodes start.</summary>
    public List<Reached<TMessage>> Start(Random? random)
    {
        _random = random;
        _reached.Clear();
        var root = new Side();
        Descend(new RoundWorld([], 0, 0, 0, default), [(1 << _count) - 1], 0, root, root, -1, default);
        return _reached;
    }

    /// <summary>Every way in which a round goes on from a world, by splits and lies. What is reached holds until the next is asked for.</summary>
    public IEnumerable<(int Partition, int Lie, Reached<TMessage> Reached)> TakeEvery(RoundWorld world)
    {
        var lies = world.Lies < _model.MaxLies ? _model.Lies.Count : 0;
        for (var partition = 0; partition < _model.Partitions.Count; partition++)
        {
            for (var lie = -1; lie < lies; lie++)
            {
                foreach (var reached in Take(world, partition, lie))
                {
                    yield return (partition, lie, reached);
                }
            }
        }
    }

    /// <summary>Every way in which a round goes on from a world with this split and lie; one of them, if a random source draws.</summary>
    public List<Reached<TMessage>> Take(RoundWorld world, int partition, int lie, Random? random = null)
    {
        _random = random;
        _reached.Clear();
        Run(world, _splits[world.Order][partition], 0, lie, world.Drawn);
        return _reached;
    }

    private void Run(RoundWorld world, int[] sides, int at, int lie, Drawn drawn)
    {
        if (at < sides.Length)
        {
            var root = SideOf(world, sides[at], lie);
            Descend(world, sides, at, root, root, lie, drawn);
            return;
        }

        var (nodes, faces) = (new int[_count], new int[_count]);
        var (broken, hasLied) = ((string?)null, false);
        for (var side = 0; side < sides.Length; side++)
        {
            var outcome = _picked[side]!;
            broken ??= outcome.Broken;
            hasLied |= outcome.HasLied;
            for (var node = 0; broken is null && node < _count; node++)
            {
                if ((sides[side] >> node & 1) != 0)
                {
                    (nodes[node], faces[node]) = (_numbers ? outcome.Nodes[node] : 0, outcome.Faces[node]);
                }
            }
        }

        var lies = world.Lies + (hasLied ? 1 : 0);
        var said = lies < _model.MaxLies && _numbers && broken is null ? Say(world, sides.Length) : 0;
        _reached.Add(new(new RoundWorld(nodes, said, lies, 0, drawn), faces, broken, hasLied));
    }

    /// <summary>What liars said until now, of each kind the last; of two sides the latter is taken to have said it later.</summary>
    private int Say(RoundWorld world, int sides)
    {
        List<TMessage> said = [.. _round > 1 ? _before.Said(world.Said) : []];
        for (var side = 0; side < sides; side++)
        {
            foreach (var message in _picked[side]!.Said)
            {
                said.RemoveAll(other => other!.GetType() == message!.GetType());
                said.Add(message);
            }
        }

        said.Sort((one, other) => string.CompareOrdinal(one!.GetType().Name, other!.GetType().Name));
        return _after.Say(said);
    }

    /// <summary>Goes on with each outcome of a side that the leaders drawn so far leave open.</summary>
    private void Descend(RoundWorld world, int[] sides, int at, Side root, Side side, int lie, Drawn drawn)
    {
        while (side.Outcome is null)
        {
            if (side.Asks < 0)
            {
                WorkOut(world, sides[at], root, lie, drawn);
                continue;
            }

            var leader = drawn.Of(side.Asks);
            if (leader == 0 && _random is null)
            {
                for (leader = 1; leader <= _leaders.Count; leader++)
                {
                    Descend(world, sides, at, root, side.With(leader), lie, drawn.With(side.Asks, leader));
                }

                return;
            }

            if (leader == 0)
            {
                leader = 1 + _random!.Next(_leaders.Count);
                drawn = drawn.With(side.Asks, leader);
            }

            side = side.With(leader);
        }

        _picked[at] = side.Outcome;
        Run(world, sides, at + 1, lie, drawn);
    }

    /// <summary>Runs a side with these leaders, and the first of all where nobody is drawn.</summary>
    private void WorkOut(RoundWorld world, int side, Side root, int lie, Drawn drawn)
    {
        if (_step.Nodes > _mostNodes)
        {
            Forget();
        }

        _leaders.Begin(drawn);
        if (_round == 0)
        {
            _run.Start(_orders[0]);
        }
        else
        {
            _run.Take(
                node => Begun(world.Nodes[node]),
                _orders[world.Order],
                side,
                _round,
                lie < 0 ? null : message => Told(message, lie, world.Said));
        }

        var at = root;
        foreach (var (round, leader) in _leaders.Asked)
        {
            at.Asks = round;
            at = at.With(leader);
        }

        at.Outcome = OutcomeOf(side);
    }

    private Outcome OutcomeOf(int side)
    {
        var (nodes, faces) = (_numbers ? new int[_count] : [], new int[_count]);
        for (var node = 0; _run.Broken is null && node < _count; node++)
        {
            if ((side >> node & 1) != 0)
            {
                faces[node] = FaceOf(node, _run[node]);
                if (_numbers)
                {
                    nodes[node] = Ended(_run[node], _run.WaitingOf(node), faces[node]);
                }
            }
        }

        return new(nodes, faces, _run.Broken, [.. _run.Said], _run.HasLied);
    }

    /// <summary>What a node is within the round to come, and what waits of it.</summary>
    private (int Node, int[] Waiting) Begun(int number)
    {
        if (!_begun.TryGetValue(number, out var begun))
        {
            var node = _before[number];
            begun = (_step.Number(_step.Load(node.Index, node.State), node.Index, node.Timers, node.Submitted), [.. node.Waiting.Select(_step.Number)]);
            _begun.Add(number, begun);
        }

        return begun;
    }

    /// <summary>The number after the round of a node in some state within it.</summary>
    private int Ended(int number, List<int> waiting, int face)
    {
        waiting.Add(number);
        var print = XxHash128.HashToUInt128(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(waiting)));
        waiting.RemoveAt(waiting.Count - 1);
        if (!_ended.TryGetValue(print, out var ended))
        {
            var node = _step[number];
            var protocol = _step.Load(node.Index, node.State);
            _essence.Simplify(protocol);
            ended = _after.Number(node.Index, protocol, node.Timers, node.Submitted, [.. waiting.Select(_step.Message)], face);
            _ended.Add(print, ended);
        }

        return ended;
    }

    private int FaceOf(int index, int number)
    {
        if (!_facesOf.TryGetValue(number, out var face))
        {
            face = _faces.Number(index, _step.Look(number));
            _facesOf.Add(number, face);
        }

        return face;
    }

    /// <summary>The message that liars say in place of another; negative if they leave it.</summary>
    private int Told(int message, int lie, int said)
    {
        if (!_told.TryGetValue((message, lie, said), out var told))
        {
            var honest = _step.Message(message);
            told = _model.Lies[lie].Tell(honest.Message, _before.Said(said)) is { } other ? _step.Number(honest with { Message = other }) : -1;
            _told.Add((message, lie, said), told);
        }

        return told;
    }

    /// <summary>What is known of a side. The whole of a world is met in that world only.</summary>
    private Side SideOf(RoundWorld world, int side, int lie)
    {
        if (System.Numerics.BitOperations.PopCount((uint)side) == _count)
        {
            return new Side();
        }

        // The order of those who are not here is nothing to those who are.
        var order = 0;
        foreach (var node in _orders[world.Order])
        {
            var isHere = (side >> node & 1) != 0;
            _key[node] = isHere ? world.Nodes[node] : -1;
            order = isHere ? order * _count + node : order;
        }

        (_key[_count], _key[_count + 1], _key[_count + 2]) = (order, lie, lie < 0 ? 0 : world.Said);
        var print = XxHash128.HashToUInt128(MemoryMarshal.AsBytes(_key.AsSpan()));
        if (!_sides.TryGetValue(print, out var known))
        {
            if (_sides.Count == _mostSides)
            {
                _sides.Clear();
            }

            _sides.Add(print, known = new Side());
        }

        return known;
    }

    private int[] OrderOf(Renaming renaming) => [.. Enumerable.Range(0, _count).OrderBy(node => renaming.Places[node])];

    /// <summary>The sides as bits, in the order of who acts first on each.</summary>
    private int[] SidesIn(Partition partition, int[] order) =>
        [.. partition.Sides
            .Select(side => Enumerable.Range(0, _count).Where(node => side.Contains(_model.Model.Nodes[node])).Sum(node => 1 << node))
            .OrderBy(side => Array.FindIndex(order, node => (side >> node & 1) != 0))];

    /// <summary>What comes out of a side, by the leaders that it asks for, one after the other.</summary>
    private sealed class Side
    {
        private Side?[]? _next;

        /// <summary>The round whose leader it asks for next; negative if that is not known yet.</summary>
        public int Asks { get; set; } = -1;

        public Outcome? Outcome { get; set; }

        public Side With(int leader)
        {
            _next ??= new Side?[leader];
            if (_next.Length < leader)
            {
                Array.Resize(ref _next, leader);
            }

            return _next[leader - 1] ??= new Side();
        }
    }

    /// <summary>What the nodes of a side came to, by their positions.</summary>
    private sealed record Outcome(int[] Nodes, int[] Faces, string? Broken, TMessage[] Said, bool HasLied);
}

/// <summary>A world at the end of a round.</summary>
/// <param name="Nodes">The number of each node.</param>
/// <param name="Said">The number of what may be said again.</param>
/// <param name="Lies">In how many rounds a lie was told.</param>
/// <param name="Order">The renaming by which nodes act one after the other.</param>
/// <param name="Drawn">The leaders that are known.</param>
internal sealed record RoundWorld(int[] Nodes, int Said, int Lies, int Order, Drawn Drawn);

/// <summary>A world that a round led to, not yet in order.</summary>
/// <param name="World">What it is.</param>
/// <param name="Faces">What properties see of each node.</param>
/// <param name="Broken">The claim that a step broke.</param>
/// <param name="HasLied">Whether a lie was told in the round.</param>
internal readonly record struct Reached<TMessage>(RoundWorld World, int[] Faces, string? Broken, bool HasLied);
