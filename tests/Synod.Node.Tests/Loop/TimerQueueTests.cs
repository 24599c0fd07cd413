using CsCheck;
using Synod.Core;

namespace Synod.Node.Tests;

public sealed class TimerQueueTests
{
    private static readonly Gen<(int Kind, int Timer, int Time)> Action = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 5], Gen.Int[0, 50]);

    [Fact]
    public void It_fires_what_a_sorted_list_would() => Action.Array[0, 200].Sample(actions =>
    {
        var queue = new TimerQueue();
        var model = new SortedDictionary<TimerId, long>();
        foreach (var (kind, key, time) in actions)
        {
            var timer = new TimerId(1, key);
            if (kind <= 1)
            {
                queue.Apply(new TimerChange(timer, new Instant(time), true));
                model[timer] = time;
            }
            else if (kind == 2)
            {
                queue.Apply(new TimerChange(timer, default, false));
                _ = model.Remove(timer);
            }
            else
            {
                TakeAll(queue, model, time);
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.Equal(model.Count == 0 ? null : new Instant(model.Values.Min()), queue.NextDue);
        }

        TakeAll(queue, model, 50);
        Assert.Equal(0, queue.Count);
    });

    private static void TakeAll(TimerQueue queue, SortedDictionary<TimerId, long> model, long now)
    {
        var last = long.MinValue;
        while (queue.TryTake(new Instant(now), out var timer))
        {
            var due = model[timer];
            Assert.InRange(due, last, now);
            last = due;
            _ = model.Remove(timer);
        }

        Assert.DoesNotContain(model.Values, due => due <= now);
    }
}
