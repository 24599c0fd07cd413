using System.IO.Hashing;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Works out single steps within rounds, each once for what a node is and what comes to it, or once for each answer that it got from a draw of
/// leaders. What nodes are and what is said get numbers, equal ones the same.
/// </summary>
internal sealed class RoundStep<TMessage, TRecord, TCommand, TResult>(
    RoundModel<TMessage, TRecord, TCommand, TResult> model, RoundEssence<TMessage, TRecord, TCommand, TResult> essence, LeaderDraw leaders)
{
    private readonly Model<TMessage, TRecord, TCommand, TResult> _model = model.Model;
    private readonly Submission<TCommand>[][] _scripts =
        [.. model.Model.Nodes.Select(node => model.Model.Submissions.Where(item => item.Node == node).ToArray())];

    private readonly ExplorerContext _context = new(limit: 1);
    private readonly Outbox<TMessage, TRecord, TCommand, TResult> _outbox = new();
    private readonly CodecWriter _writer = new();
    private readonly List<Standing> _nodes = [];
    private readonly Dictionary<UInt128, int> _nodeNumbers = [];
    private readonly List<Waiting<TMessage>> _messages = [];
    private readonly Dictionary<UInt128, int> _messageNumbers = [];
    private readonly Dictionary<ulong, Worked> _known = [];
    private readonly Dictionary<int, bool> _submits = [];

    // The instance that stepped last in each place, and what it is now: the next step is often its own.
    private readonly (int Number, Protocol<TMessage, TRecord, TCommand, TResult>? Protocol)[] _live =
        new (int, Protocol<TMessage, TRecord, TCommand, TResult>?)[model.Model.Nodes.Count];

    /// <summary>Steps that were worked out.</summary>
    public long Count { get; private set; }

    /// <summary>How many states there are numbers for.</summary>
    public int Nodes => _nodes.Count;

    public Standing this[int node] => _nodes[node];

    public Waiting<TMessage> Message(int number) => _messages[number];

    /// <summary>Forgets everything: numbers mean something else from now on.</summary>
    public void Forget()
    {
        _nodes.Clear();
        _nodeNumbers.Clear();
        _messages.Clear();
        _messageNumbers.Clear();
        _known.Clear();
        _submits.Clear();
        Array.Clear(_live);
    }

    public int Number(Protocol<TMessage, TRecord, TCommand, TResult> protocol, int index, TimerId[] timers, int submitted)
    {
        _writer.Clear();
        Standing.WriteHead(_writer, index, timers, submitted);

        essence.WriteWithin(_writer, protocol);
        var print = XxHash128.HashToUInt128(_writer.Span);
        if (!_nodeNumbers.TryGetValue(print, out var number))
        {
            number = _nodes.Count;
            _nodeNumbers.Add(print, number);
            _writer.Clear();
            protocol.State(new StateWriter(_writer));
            _nodes.Add(new(index, _writer.ToArray(), timers, submitted));
        }

        return number;
    }

    public int Number(Waiting<TMessage> message)
    {
        _writer.Clear();
        _writer.Int(message.From);
        _writer.Int(message.To);
        essence.WriteWithin(_writer, message.Message);
        var print = XxHash128.HashToUInt128(_writer.Span);
        if (!_messageNumbers.TryGetValue(print, out var number))
        {
            number = _messages.Count;
            _messageNumbers.Add(print, number);
            _messages.Add(message);
        }

        return number;
    }

    /// <summary>The instance in the state that a number stands for. It may be looked at, and stepped by nobody else.</summary>
    public Protocol<TMessage, TRecord, TCommand, TResult> Look(int number)
    {
        var node = _nodes[number];
        ref var live = ref _live[node.Index];
        if (live.Protocol is null || live.Number != number)
        {
            live = (number, Load(node.Index, node.State));
        }

        return live.Protocol;
    }

    /// <summary>A new instance in some state.</summary>
    public Protocol<TMessage, TRecord, TCommand, TResult> Load(int index, byte[] state) => _model.Load(index, state);

    public Worked Start(int index) => Known(index, Kind.Start, index, 0);

    public Worked Receive(int node, int message) => Known(_nodes[node].Index, Kind.Receive, node, message);

    public Worked Fire(int node, int timer) => Known(_nodes[node].Index, Kind.Fire, node, timer);

    /// <summary>Null if there is nothing to submit to the node now.</summary>
    public Worked? Submit(int node)
    {
        var at = _nodes[node];
        var script = _scripts[at.Index];
        if (at.Submitted == script.Length)
        {
            return null;
        }

        if (!_submits.TryGetValue(node, out var submits))
        {
            submits = _model.SubmitWhen is null || _model.SubmitWhen(Look(node), script[at.Submitted].Command);
            _submits.Add(node, submits);
        }

        return submits ? Known(at.Index, Kind.Submit, node, 0) : null;
    }

    private Worked Known(int index, Kind kind, int node, int argument)
    {
        var key = (ulong)kind << 62 | (ulong)(uint)node << 31 | (uint)argument;
        _known.TryGetValue(key, out var first);
        for (var worked = first; worked is not null; worked = worked.Next)
        {
            if (leaders.Agrees(worked.Asked))
            {
                return worked;
            }
        }

        leaders.Listen();
        var found = Run(index, kind, node, argument) with { Asked = leaders.Heard(), Next = first };
        _known[key] = found;
        return found;
    }

    private Worked Run(int index, Kind kind, int number, int argument)
    {
        Count++;
        var node = kind == Kind.Start ? new Standing(index, [], [], 0) : _nodes[number];
        var protocol = kind == Kind.Start ? _model.Make(_model.Nodes[index]) : Look(number);
        _live[index] = default;
        _outbox.Clear();
        _context.Begin(kind == Kind.Fire ? _model.FiringTime : default, _model.TrueTime);
        try
        {
            switch (kind)
            {
                case Kind.Start:
                    protocol.Recover([], _context, _outbox);
                    break;
                case Kind.Receive:
                    var (from, _, message) = _messages[argument];
                    protocol.Receive(_model.Nodes[from], message, _context, _outbox);
                    break;
                case Kind.Fire:
                    node = node with { Timers = [.. node.Timers.Where((_, at) => at != argument)] };
                    protocol.Fire(_nodes[number].Timers[argument], _context, _outbox);
                    break;
                default:
                    node = node with { Submitted = node.Submitted + 1 };
                    protocol.Submit(new RequestId(node.Submitted), _scripts[index][node.Submitted - 1].Command, _context, _outbox);
                    break;
            }
        }
        catch (Exception failure)
        {
            // Whatever a step throws is a finding: the search reports it with the way that led there.
            return new Worked(-1, [], failure is InvariantViolation ? failure.Message : failure.ToString());
        }

        var sent = new List<int>(_outbox.Messages.Length);
        for (var receiver = 0; receiver < _model.Nodes.Count; receiver++)
        {
            foreach (var (to, message, _) in _outbox.Messages)
            {
                if (to == _model.Nodes[receiver] && _model.AlwaysLost?.Invoke(message) != true)
                {
                    sent.Add(Number(new Waiting<TMessage>(index, receiver, message)));
                }
            }
        }

        var after = Number(protocol, index, Rearmed(node.Timers), node.Submitted);
        _live[index] = (after, protocol);
        return new Worked(after, [.. sent], null);
    }

    private TimerId[] Rearmed(TimerId[] timers)
    {
        if (_outbox.Timers.IsEmpty)
        {
            return timers;
        }

        var armed = new SortedSet<TimerId>(timers);
        foreach (var change in _outbox.Timers)
        {
            _ = change.Set ? armed.Add(change.Timer) : armed.Remove(change.Timer);
        }

        return [.. armed];
    }

    private enum Kind : byte
    {
        Receive,
        Fire,
        Submit,
        Start,
    }

    /// <summary>What a step led to while leaders were as it was told, and what it led to otherwise.</summary>
    /// <param name="Node">What the node is then.</param>
    /// <param name="Sent">What it says, by receivers.</param>
    /// <param name="Broken">The claim that broke.</param>
    internal sealed record Worked(int Node, int[] Sent, string? Broken)
    {
        public (int Round, int Leader)[] Asked { get; init; } = [];

        public Worked? Next { get; init; }
    }
}

/// <summary>What a node is within a round. Never changed.</summary>
/// <param name="Index">The position in the model's list of nodes.</param>
/// <param name="State">The instance.</param>
/// <param name="Timers">Armed timers in ascending order.</param>
/// <param name="Submitted">How many of the node's submissions were made.</param>
internal sealed record Standing(int Index, byte[] State, TimerId[] Timers, int Submitted)
{
    /// <summary>Writes what tells nodes apart beside what the essence says of them.</summary>
    public static void WriteHead(CodecWriter writer, int index, TimerId[] timers, int submitted)
    {
        writer.Int(index);
        writer.Int(submitted);
        writer.Int(timers.Length);
        foreach (var timer in timers)
        {
            writer.Int(timer.Kind);
            writer.Signed(timer.Key);
        }
    }
}
