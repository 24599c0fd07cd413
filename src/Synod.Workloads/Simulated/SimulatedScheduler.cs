using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>
/// Runs asynchronous code as events of a simulated world: continuations are queued like everything else, so that clients, timers
/// and nodes have one order under one seed.
/// </summary>
public sealed class SimulatedScheduler(SimulatedWorld world) : SynchronizationContext, IEventTarget
{
    public override void Post(SendOrPostCallback d, object? state) => world.Schedule(world.Now, this, 0, 0, new Posted(d, state));

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    public void Handle(in SimulatedEvent happened)
    {
        var posted = (Posted)happened.Payload!;
        posted.Callback(posted.State);
    }

    /// <summary>Runs <paramref name="work"/> in the world until it is done or <paramref name="deadline"/> has come.</summary>
    /// <returns>Whether it is done.</returns>
    public bool Run(Func<Task> work, Core.Duration deadline)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            var task = work();
            if (!world.RunUntil(() => task.IsCompleted, deadline))
            {
                return false;
            }

            task.GetAwaiter().GetResult();
            return true;
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    private sealed record Posted(SendOrPostCallback Callback, object? State);
}

/// <summary>Virtual time for code that takes a <see cref="TimeProvider"/>.</summary>
/// <param name="offset">How far this client's wall clock is from true time; clients need no bound.</param>
public sealed class SimulatedTime(SimulatedWorld world, TimeSpan offset) : TimeProvider
{
    public override long TimestampFrequency => 1_000_000_000;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => world.Now;

    public override DateTimeOffset GetUtcNow() =>
        DateTimeOffset.UnixEpoch.AddTicks(world.TrueTime.Nanoseconds / 100) + offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(world, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class VirtualTimer(SimulatedWorld world, TimerCallback callback, object? state) : ITimer, IEventTarget
    {
        private long _setting;
        private TimeSpan _period;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _setting++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                world.Schedule(world.Now + dueTime.Ticks * 100, this, 0, _setting);
            }

            return true;
        }

        public void Handle(in SimulatedEvent happened)
        {
            if (happened.Argument != _setting)
            {
                return;
            }

            if (_period > TimeSpan.Zero)
            {
                world.Schedule(world.Now + _period.Ticks * 100, this, 0, _setting);
            }

            callback(state);
        }

        public void Dispose() => _setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
