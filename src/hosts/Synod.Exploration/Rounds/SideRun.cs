namespace Synod.Exploration;

/// <summary>
/// Runs one side of a split through one round, apart from everybody else: submissions, deliveries until nothing of the round is under way,
/// then the timers that expire.
/// </summary>
/// <remarks>
/// What is said first is heard first. Nodes act in the order that they are given in, and what one step says goes to receivers in that order too;
/// so what comes out is a function of what the nodes are and of their order, whatever their names.
/// </remarks>
internal sealed class SideRun<TMessage, TRecord, TCommand, TResult>(
    RoundModel<TMessage, TRecord, TCommand, TResult> model, RoundStep<TMessage, TRecord, TCommand, TResult> step)
{
    /// <summary>More deliveries than this in a round mean that messages breed messages for ever.</summary>
    private const int MaxDeliveries = 100_000;

    private readonly bool[] _lies = [.. model.Model.Nodes.Select(node => model.MaxLies > 0 && model.Liars.Contains(node))];
    private readonly int[] _nodes = new int[model.Model.Nodes.Count];
    private readonly List<int>[] _waiting = [.. model.Model.Nodes.Select(_ => new List<int>())];
    private readonly List<int> _flying = [];
    private readonly List<TMessage> _said = [];
    private readonly Dictionary<(int Node, bool Expires), ulong> _due = [];
    private readonly Dictionary<int, bool> _isLater = [];
    private int[] _order = [];
    private int _side;
    private int _round;
    private bool _isOver;

    /// <summary>The claim that the last run broke.</summary>
    public string? Broken { get; private set; }

    /// <summary>Whether a lie was told in the last run.</summary>
    public bool HasLied { get; private set; }

    /// <summary>What liars said in the last run, of each kind the last.</summary>
    public IReadOnlyList<TMessage> Said => _said;

    /// <summary>What a node was at the end of the last run.</summary>
    public int this[int node] => _nodes[node];

    /// <summary>What a node said in the last run for later rounds.</summary>
    public List<int> WaitingOf(int node) => _waiting[node];

    /// <summary>From now on another round is run, or numbers mean something else.</summary>
    public void Forget()
    {
        _due.Clear();
        _isLater.Clear();
    }

    /// <summary>Lets all nodes start.</summary>
    /// <param name="order">All nodes, in the order in which they act.</param>
    public void Start(int[] order)
    {
        Begin(order, 0, round: 0);
        foreach (var node in order)
        {
            _waiting[node].Clear();
            Follow(node, step.Start(node));
        }
    }

    /// <summary>Runs a side through a round.</summary>
    /// <param name="nodes">What each node was at the end of the round before, and what it said then.</param>
    /// <param name="order">All nodes, in the order in which they act.</param>
    /// <param name="side">A bit for each node that is on the side.</param>
    /// <param name="round">From 1 on.</param>
    /// <param name="lie">What liars say in place of their messages.</param>
    public void Take(Func<int, (int Node, int[] Waiting)> nodes, int[] order, int side, int round, Func<int, int>? lie)
    {
        Begin(order, side, round);
        foreach (var node in order)
        {
            if (!IsHere(node))
            {
                continue;
            }

            _waiting[node].Clear();
            (_nodes[node], var waiting) = nodes(node);
            Route(node, waiting);
        }

        foreach (var node in order)
        {
            if (IsHere(node) && step.Submit(_nodes[node]) is { } submitted)
            {
                Follow(node, submitted);
            }
        }

        Deliver(lie);
        Fire(expires: false);
        Deliver(lie);
        _isOver = true;
        Fire(expires: true);
    }

    private void Begin(int[] order, int side, int round)
    {
        (_order, _side, _round, _isOver, Broken, HasLied) = (order, side, round, round == 0, null, false);
        _flying.Clear();
        _said.Clear();
    }

    private bool IsHere(int node) => (_side >> node & 1) != 0;

    private void Deliver(Func<int, int>? lie)
    {
        for (var at = 0; at < _flying.Count && Broken is null; at++)
        {
            if (at == MaxDeliveries)
            {
                Broken = "MessagesEnd";
                return;
            }

            var number = _flying[at];
            var (from, to, message) = step.Message(number);
            if (_lies[from] && from != to)
            {
                _said.RemoveAll(other => other!.GetType() == message!.GetType());
                _said.Add(message);
                if (lie?.Invoke(number) is >= 0 and var told)
                {
                    number = told;
                    HasLied = true;
                }
            }

            Follow(to, step.Receive(_nodes[to], number));
        }

        _flying.Clear();
    }

    private void Fire(bool expires)
    {
        foreach (var node in _order)
        {
            if (!IsHere(node))
            {
                continue;
            }

            foreach (var timer in step[_nodes[node]].Timers)
            {
                var at = Array.IndexOf(step[_nodes[node]].Timers, timer);
                if (at >= 0 && Broken is null && (Due(_nodes[node], expires) >> at & 1) != 0)
                {
                    Follow(node, step.Fire(_nodes[node], at));
                }
            }
        }
    }

    /// <summary>A bit for each timer that fires.</summary>
    private ulong Due(int node, bool expires)
    {
        if (!_due.TryGetValue((node, expires), out var due))
        {
            var protocol = step.Look(node);
            var timers = step[node].Timers;
            for (var at = 0; at < timers.Length; at++)
            {
                var isDue = expires ? model.Expires(protocol, timers[at], _round) : model.Elapses(protocol, timers[at]);
                due |= isDue ? 1ul << at : 0;
            }

            _due.Add((node, expires), due);
        }

        return due;
    }

    private void Follow(int node, RoundStep<TMessage, TRecord, TCommand, TResult>.Worked worked)
    {
        Broken ??= worked.Broken;
        if (Broken is null)
        {
            _nodes[node] = worked.Node;
            Route(node, worked.Sent);
        }
    }

    /// <summary>What is of this round is heard on this side, or lost; the rest waits.</summary>
    private void Route(int from, int[] sent)
    {
        if (sent.Length == 0)
        {
            return;
        }

        foreach (var receiver in _order)
        {
            foreach (var number in sent)
            {
                if (step.Message(number).To != receiver)
                {
                    continue;
                }

                if (_isOver || IsLater(number))
                {
                    _waiting[from].Add(number);
                }
                else if (IsHere(receiver))
                {
                    _flying.Add(number);
                }
            }
        }
    }

    private bool IsLater(int number)
    {
        if (!_isLater.TryGetValue(number, out var isLater))
        {
            isLater = model.RoundOf(step.Message(number).Message) > _round;
            _isLater.Add(number, isLater);
        }

        return isLater;
    }
}
