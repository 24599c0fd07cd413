using Synod.Core;

namespace Synod.Simulation;

/// <summary>A message's frame or an answer that waits until the records before it are durable.</summary>
internal readonly record struct HeldOutput<TResult>(
    long RecordsBefore, NodeId To, byte[]? Frame, RequestId Request, TResult? Result);

/// <summary>
/// The hold rule: outputs leave in the order in which they were made, each when its records are durable. Early ones never come
/// here, so the queue's head is always the next to leave.
/// </summary>
internal sealed class HeldOutputs<TResult>
{
    private readonly Queue<HeldOutput<TResult>> _queue = new();
    private long _last;

    public int Count => _queue.Count;

    public void Hold(in HeldOutput<TResult> output)
    {
        Invariant.Check(output.RecordsBefore >= _last, "HeldInOrder");
        _last = output.RecordsBefore;
        _queue.Enqueue(output);
    }

    public bool TryRelease(long durable, out HeldOutput<TResult> output)
    {
        if (_queue.TryPeek(out output) && output.RecordsBefore <= durable)
        {
            _queue.Dequeue();
            return true;
        }

        return false;
    }
}
