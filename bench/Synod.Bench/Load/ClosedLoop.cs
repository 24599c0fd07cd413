using System.Diagnostics;

namespace Synod.Bench.Load;

/// <summary>
/// A number of clients, each of which has one operation under way at any time and starts the next when it is acknowledged. An
/// operation counts if it began and ended inside the measured time.
/// </summary>
internal sealed class ClosedLoop(ITarget target, int clients, int seed)
{
    private readonly List<string> _failures = [];
    private LoadResult? _measured;
    private long _operations;
    private long _failed;
    private long _retried;
    private volatile bool _stopping;

    /// <summary>Warms up, then measures into <paramref name="result"/>.</summary>
    /// <exception cref="OperationFailedException">Not one operation of the measured time succeeded.</exception>
    public async Task RunAsync(TimeSpan warmUp, TimeSpan measure, LoadResult result)
    {
        var loops = Enumerable.Range(0, clients).Select(client => Task.Run(() => LoopAsync(client))).ToArray();
        await Task.Delay(warmUp);
        Volatile.Write(ref _measured, result);
        var began = Stopwatch.GetTimestamp();
        await Task.Delay(measure);
        Volatile.Write(ref _measured, null);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        _stopping = true;
        await Task.WhenAll(loops);
        if (_operations == 0)
        {
            var why = _failures.Count > 0 ? _failures[0] : "none ended in time";
            throw new OperationFailedException($"{target.Name}: no operation succeeded ({why})");
        }

        result.AddStretch(seconds, _operations, _failed, _retried);
    }

    private async Task LoopAsync(int client)
    {
        var random = new Random(seed + client);
        while (!_stopping)
        {
            var into = Volatile.Read(ref _measured);
            var began = Stopwatch.GetTimestamp();
            var retried = await TryAsync(client, random);
            var microseconds = (long)Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            if (into is null || Volatile.Read(ref _measured) != into)
            {
                continue;
            }

            if (retried is not { } retries)
            {
                Interlocked.Increment(ref _failed);
                continue;
            }

            into.Latencies.RecordValue(Math.Max(1, microseconds));
            Interlocked.Increment(ref _operations);
            Interlocked.Add(ref _retried, retries);
        }
    }

    private async Task<int?> TryAsync(int client, Random random)
    {
        try
        {
            return await target.OperateAsync(client, random);
        }
        catch (OperationFailedException failure)
        {
            lock (_failures)
            {
                _failures.Add(failure.Message);
            }

            return null;
        }
    }
}
