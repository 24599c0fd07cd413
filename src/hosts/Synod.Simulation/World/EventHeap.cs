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

/// <summary>
/// The events to come, earliest first: a heap with four children a node in one array. The heap moves times and places; the events
/// themselves stay where they are put, since each move of a reference costs the garbage collector's note of it.
/// </summary>
internal sealed class EventHeap
{
    private Entry[] _heap = new Entry[1024];
    private SimulatedEvent[] _events = new SimulatedEvent[1024];

    // Places of events that are over; places from Count on were never used.
    private readonly Stack<int> _free = new();

    public int Count { get; private set; }

    public long EarliestAt => _heap[0].At;

    public void Push(in SimulatedEvent added)
    {
        if (Count == _heap.Length)
        {
            Array.Resize(ref _heap, Count * 2);
            Array.Resize(ref _events, Count * 2);
        }

        if (!_free.TryPop(out var place))
        {
            place = Count;
        }

        _events[place] = added;
        var entry = new Entry(added.At, added.Order, place);
        var at = Count++;
        while (at > 0)
        {
            var parent = (at - 1) / 4;
            if (!entry.IsBefore(_heap[parent]))
            {
                break;
            }

            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = entry;
    }

    public SimulatedEvent Pop()
    {
        var place = _heap[0].Place;
        var first = _events[place];
        _events[place] = default;
        _free.Push(place);
        if (--Count > 0)
        {
            SiftDown(_heap[Count]);
        }

        return first;
    }

    private void SiftDown(Entry moved)
    {
        var heap = _heap.AsSpan(0, Count);
        var at = 0;
        while (true)
        {
            var child = at * 4 + 1;
            if (child >= heap.Length)
            {
                break;
            }

            var end = Math.Min(child + 4, heap.Length);
            for (var other = child + 1; other < end; other++)
            {
                // Which one is earlier is chance: choosing without a branch is several times as fast as guessing wrong.
                child += (other - child) * heap[other].ComesFirst(heap[child]);
            }

            if (!heap[child].IsBefore(moved))
            {
                break;
            }

            heap[at] = heap[child];
            at = child;
        }

        heap[at] = moved;
    }

    /// <summary>When an event happens, and where it is kept.</summary>
    private readonly record struct Entry(long At, long Order, int Place)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsBefore(in Entry other) => At < other.At || (At == other.At && Order < other.Order);

        /// <summary>1 if this is before <paramref name="other"/>, else 0.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int ComesFirst(in Entry other) => At < other.At | (At == other.At & Order < other.Order) ? 1 : 0;
    }
}
