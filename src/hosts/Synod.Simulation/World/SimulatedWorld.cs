using Synod.Core;

namespace Synod.Simulation;

/// <summary>
/// Virtual time, one queue of events, one seed, one thread. Everything of a run hangs on one of these, so that the same seed gives
/// the same run to the last event.
/// </summary>
public sealed class SimulatedWorld
{
    /// <summary>True time at the start of every run.</summary>
    public static readonly Timestamp Start = new(1_800_000_000_000_000_000);

    private readonly EventHeap _events = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _order;

    public SimulatedWorld(ulong seed, TextWriter? trace = null)
    {
        Seed = seed;
        Random = new SeededRandom(seed);
        Trace = new SimulationTrace(trace);
    }

    public ulong Seed { get; }

    /// <summary>Draws of the world itself; parts of it fork their own.</summary>
    public SeededRandom Random { get; }

    public SimulationTrace Trace { get; }

    /// <summary>Nanoseconds since the start.</summary>
    public long Now { get; private set; }

    /// <summary>Time since the start.</summary>
    public Duration Elapsed => new(Now);

    /// <summary>What a perfect clock would show.</summary>
    public Timestamp TrueTime => new(Start.Nanoseconds + Now);

    /// <summary>How many events have happened.</summary>
    public long Events { get; private set; }

    /// <summary>More events than any sound run has: beyond it, processes keep each other busy without end.</summary>
    public long MostEvents { get; init; } = long.MaxValue;

    /// <summary>Lets an event happen at <paramref name="at"/>, or now if that is past.</summary>
    /// <exception cref="InvariantViolation">Called from another thread: the run would not be reproducible.</exception>
    public void Schedule(long at, IEventTarget target, int kind, long argument = 0, object? payload = null)
    {
        Invariant.Check(Environment.CurrentManagedThreadId == _thread, "OneThread");
        _events.Push(new SimulatedEvent(Math.Max(at, Now), ++_order, target, kind, argument, payload));
    }

    /// <summary>Lets an event happen after <paramref name="delay"/>.</summary>
    public void After(Duration delay, IEventTarget target, int kind, long argument = 0, object? payload = null) =>
        Schedule(Now + delay.Nanoseconds, target, kind, argument, payload);

    /// <summary>Lets the next event happen; false if there is none.</summary>
    public bool Step()
    {
        if (_events.Count == 0)
        {
            return false;
        }

        var next = _events.Pop();
        Now = next.At;
        if (++Events > MostEvents)
        {
            throw Failure("RunsEnd", NodeId.None, $"more than {MostEvents} events");
        }

        Trace.Note(next.At, next.Kind);
        next.Target.Handle(next);
        return true;
    }

    /// <summary>Runs every event up to <paramref name="time"/> since the start; time is then there.</summary>
    public void RunUntil(Duration time)
    {
        while (_events.Count > 0 && _events.EarliestAt <= time.Nanoseconds)
        {
            Step();
        }

        Now = Math.Max(Now, time.Nanoseconds);
    }

    /// <summary>Runs until <paramref name="done"/> holds after an event, or time is up; whether it held.</summary>
    public bool RunUntil(Func<bool> done, Duration deadline)
    {
        while (!done())
        {
            if (_events.Count == 0 || _events.EarliestAt > deadline.Nanoseconds)
            {
                Now = Math.Max(Now, deadline.Nanoseconds);
                return done();
            }

            Step();
        }

        return true;
    }

    /// <summary>A failure at this moment, to be thrown.</summary>
    public SimulationFailure Failure(string invariant, NodeId node, string detail, Exception? cause = null) =>
        new(Seed, invariant, Elapsed, node, detail, cause);
}
