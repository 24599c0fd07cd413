using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// A bounded configuration: which nodes there are, what is submitted to them, which faults the world may do, and what must hold.
/// Time is abstract: an armed timer may fire at any moment, as often as the budgets allow.
/// </summary>
public sealed record Model<TMessage, TRecord, TCommand, TResult>
{
    public required IReadOnlyList<NodeId> Nodes { get; init; }

    /// <summary>A new instance of a node, before its recovery. Called at every start, restart and step.</summary>
    public required Func<NodeId, Protocol<TMessage, TRecord, TCommand, TResult>> Make { get; init; }

    public required IWire<TMessage> Messages { get; init; }

    public required IWire<TRecord> Records { get; init; }

    /// <summary>Set if properties look at executions: a node then remembers which it ever made. Null: they are not part of a world.</summary>
    public IWire<TCommand>? Commands { get; init; }

    /// <summary>Set if properties look at answers: a node then remembers which it ever gave. Null: they are not part of a world.</summary>
    public IWire<TResult>? Results { get; init; }

    /// <summary>Each is submitted once, at any moment, those of one node in this order. The n-th of a node has request id n.</summary>
    public IReadOnlyList<Submission<TCommand>> Submissions { get; init; } = [];

    /// <summary>
    /// The first so many submissions are made one after the other and settled without faults before the search starts, which then
    /// explores what comes after.
    /// </summary>
    public int SettledSubmissions { get; init; }

    /// <summary>Whether a node is given its next command now; null means always. Waiting loses the runs in which it is refused.</summary>
    public Func<Protocol<TMessage, TRecord, TCommand, TResult>, TCommand, bool>? SubmitWhen { get; init; }

    /// <summary>Messages that are always lost, to keep a model small: a part of the behaviours, none that could not happen.</summary>
    public Func<TMessage, bool>? AlwaysLost { get; init; }

    public Budgets Budgets { get; init; } = new();

    /// <summary>
    /// Nodes that may change names without changing anything else, so that one of several mirrored worlds suffices. Sound only
    /// where the protocol compares no ids and nothing is submitted to these nodes.
    /// </summary>
    public NodeSet Interchangeable { get; init; }

    /// <summary>Choices among at most this many alternatives are explored; in wider ones 0 is taken.</summary>
    public int ChoiceLimit { get; init; } = 1;

    /// <summary>The name of a timer in counterexamples.</summary>
    public Func<TimerId, string> NameTimer { get; init; } = timer => $"timer {timer.Kind}";

    /// <summary>What a monotonic clock shows while a timer fires; it shows zero in every other step.</summary>
    public Instant FiringTime { get; init; }

    /// <summary>The interval of true time at the start. Each tick moves it by one nanosecond.</summary>
    public TimeInterval TrueTime { get; init; } = new(new Timestamp(1), new Timestamp(1), ClockStatus.Synchronized);

    public IReadOnlyList<Property<TMessage, TRecord, TCommand, TResult>> Properties { get; init; } = [];

    /// <summary>Must hold in every world.</summary>
    public Model<TMessage, TRecord, TCommand, TResult> Always(
        string name, Func<World<TMessage, TRecord, TCommand, TResult>, bool> holds) => With(PropertyKind.Always, name, holds);

    /// <summary>Must hold in some world, or the model shows nothing.</summary>
    public Model<TMessage, TRecord, TCommand, TResult> Sometimes(
        string name, Func<World<TMessage, TRecord, TCommand, TResult>, bool> holds) => With(PropertyKind.Sometimes, name, holds);

    /// <summary>
    /// Must come to hold from every world once the faults stop: everything is delivered and made durable, and timers fire in
    /// turn for as many rounds as <see cref="Budgets.FairRounds"/>.
    /// </summary>
    public Model<TMessage, TRecord, TCommand, TResult> Eventually(
        string name, Func<World<TMessage, TRecord, TCommand, TResult>, bool> holds) => With(PropertyKind.Eventually, name, holds);

    private Model<TMessage, TRecord, TCommand, TResult> With(
        PropertyKind kind, string name, Func<World<TMessage, TRecord, TCommand, TResult>, bool> holds) =>
        this with { Properties = [.. Properties, new(kind, name, holds)] };

    /// <summary>A new instance of the node at a position of <see cref="Nodes"/>, in a state that one of it had.</summary>
    internal Protocol<TMessage, TRecord, TCommand, TResult> Load(int node, byte[] state)
    {
        var protocol = Make(Nodes[node]);
        var reader = new StateReader(state);
        protocol.State(reader);
        reader.Complete();
        return protocol;
    }
}

/// <summary>A command submitted to a node.</summary>
public sealed record Submission<TCommand>(NodeId Node, TCommand Command);

/// <summary>When a property is expected to hold.</summary>
public enum PropertyKind
{
    Always,
    Sometimes,
    Eventually,
}

/// <summary>A named claim about worlds. It may look at everything and change nothing.</summary>
public sealed record Property<TMessage, TRecord, TCommand, TResult>(
    PropertyKind Kind, string Name, Func<World<TMessage, TRecord, TCommand, TResult>, bool> Holds);

/// <summary>How often the world may do what, along one path.</summary>
public sealed record Budgets
{
    /// <summary>Crashes, each followed by a restart: what is not durable is lost, with everything volatile.</summary>
    public int Crashes { get; init; }

    /// <summary>Which nodes may crash; empty means all.</summary>
    public NodeSet MayCrash { get; init; }

    /// <summary>Messages lost on the way.</summary>
    public int Drops { get; init; }

    /// <summary>Messages delivered with a copy left in the network.</summary>
    public int Duplicates { get; init; }

    /// <summary>Firings of timers whose kind has no budget of its own.</summary>
    public int Timers { get; init; }

    /// <summary>Firings by kind of timer.</summary>
    public IReadOnlyDictionary<int, int> TimersOfKind { get; init; } = new SortedDictionary<int, int>();

    /// <summary>Advances of true time.</summary>
    public int Ticks { get; init; }

    /// <summary>Whether a part of a node's waiting records may become durable before the rest; otherwise all do at once.</summary>
    public bool PartialWrites { get; init; }

    /// <summary>Worlds this many steps from the start are not expanded.</summary>
    public int MaxDepth { get; init; } = int.MaxValue;

    /// <summary>The search ends when it has seen this many worlds.</summary>
    public int MaxStates { get; init; } = int.MaxValue;

    /// <summary>How many times every timer fires before "eventually" is over.</summary>
    public int FairRounds { get; init; } = 16;
}
