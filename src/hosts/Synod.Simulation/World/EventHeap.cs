using System.Runtime.CompilerServices;

namespace Synod.Simulation;

/// <summary>Something that events happen to: a node, a client's end of the network, a fault, a scheduler of tasks.</summary>
public interface IEventTarget
{
    void Handle(in SimulatedEvent happened);
}

/// <summary>One event of a run. <paramref name="Order"/> breaks ties, so that equal times have one order.</summary>
/// <param name="At">Nanoseconds of virtual time.</param>
/// <param name="Kind">What it means to the target.</param>
public readonly record struct SimulatedEvent(
    long At, long Order, IEventTarget Target, int Kind, long Argument, object? Payload);

/// <summary>The events to come, earliest first: a heap with four children a node in one array.</summary>
internal sealed class EventHeap
{
    private SimulatedEvent[] _events = new SimulatedEvent[1024];

    public int Count { get; private set; }

    public long EarliestAt => _events[0].At;

    public void Push(in SimulatedEvent added)
    {
        if (Count == _events.Length)
        {
            Array.Resize(ref _events, Count * 2);
        }

        var at = Count++;
        while (at > 0)
        {
            var parent = (at - 1) / 4;
            if (!IsBefore(added, _events[parent]))
            {
                break;
            }

            _events[at] = _events[parent];
            at = parent;
        }

        _events[at] = added;
    }

    public SimulatedEvent Pop()
    {
        var first = _events[0];
        var last = _events[--Count];
        _events[Count] = default;
        if (Count > 0)
        {
            SiftDown(last);
        }

        return first;
    }

    private void SiftDown(in SimulatedEvent moved)
    {
        var at = 0;
        while (true)
        {
            var child = at * 4 + 1;
            if (child >= Count)
            {
                break;
            }

            var end = Math.Min(child + 4, Count);
            for (var other = child + 1; other < end; other++)
            {
                if (IsBefore(_events[other], _events[child]))
                {
                    child = other;
                }
            }

            if (!IsBefore(_events[child], moved))
            {
                break;
            }

            _events[at] = _events[child];
            at = child;
        }

        _events[at] = moved;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBefore(in SimulatedEvent left, in SimulatedEvent right) =>
        left.At != right.At ? left.At < right.At : left.Order < right.Order;
}
