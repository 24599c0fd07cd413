using System.Runtime.CompilerServices;
using Google.Protobuf;
using Synod.Api;
using Synod.Client.Routing;

namespace Synod.Client;

/// <summary>A read-only transaction: every read sees the same moment. Takes no locks and never conflicts.</summary>
public sealed class SynodSnapshot
{
    private readonly Lock _gate = new();
    private readonly Router _router;
    private TaskCompletionSource? _choosing;
    private long _at;

    internal SynodSnapshot(Router router, long at)
    {
        _router = router;
        _at = at;
    }

    /// <summary>The moment it reads, in nanoseconds since the Unix epoch; 0 until the first read if none was given.</summary>
    public long Timestamp => Interlocked.Read(ref _at);

    /// <summary>The value of a key at that moment; null if there was none.</summary>
    /// <exception cref="ArgumentException">The key is beyond its limit.</exception>
    /// <exception cref="SynodRefusedException">The moment is too far in the past, or in the future.</exception>
    /// <exception cref="SynodUnavailableException">No node served it in time.</exception>
    public async Task<Entry?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        var start = Limits.Key(key);
        var (result, _) = await ReadAsync(start, new Read { Start = start, Single = true }, null, cancellationToken);
        return result.Items.Count == 0 ? null : Entry.Of(result.Items[0]);
    }

    /// <summary>
    /// Streams the keys from <paramref name="start"/> up to but without <paramref name="end"/> (empty: no bound) in order.
    /// At most <paramref name="limit"/> of them; 0 for all.
    /// </summary>
    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public async IAsyncEnumerable<Entry> ScanAsync(
        ReadOnlyMemory<byte> start,
        ReadOnlyMemory<byte> end,
        int limit = 0,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var cursor = Limits.Bound(start);
        var stop = Limits.Bound(end);
        var left = limit > 0 ? limit : int.MaxValue;
        while (left > 0 && ByteOrder.Below(cursor, stop))
        {
            var page = new Read { Start = cursor, Limit = (uint)Math.Min(left, _router.Options.PageKeys) };
            var (result, range) = await ReadAsync(cursor, page, stop, cancellationToken);
            foreach (var item in result.Items)
            {
                yield return Entry.Of(item);
            }

            left -= result.Items.Count;
            var bound = result.More && result.Items.Count > 0
                ? ByteOrder.Successor(result.Items[^1].Key)
                : ByteOrder.LowerEnd(stop, range.End);
            if (bound.IsEmpty)
            {
                yield break;
            }

            cursor = bound;
        }
    }

    private async ValueTask<(ReadResult Result, KnownRange Range)> ReadAsync(
        ByteString key, Read read, ByteString? stop, CancellationToken cancellationToken)
    {
        if (await ChoosesAsync(cancellationToken))
        {
            read.ChooseTimestamp = true;
            try
            {
                var first = await _router.ReadAsync(key, read, cancellationToken, stop);
                Interlocked.Exchange(ref _at, first.Result.At);
                return first;
            }
            finally
            {
                TaskCompletionSource chosen;
                lock (_gate)
                {
                    chosen = _choosing!;
                    _choosing = null;
                }

                chosen.SetResult();
            }
        }

        read.At = Timestamp;
        return await _router.ReadAsync(key, read, cancellationToken, stop);
    }

    /// <summary>Whether this read is the one that lets the server choose; the others wait for it to be done.</summary>
    private async ValueTask<bool> ChoosesAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task other;
            lock (_gate)
            {
                if (_at != 0)
                {
                    return false;
                }

                if (_choosing is null)
                {
                    _choosing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    return true;
                }

                other = _choosing.Task;
            }

            await other.WaitAsync(cancellationToken);
        }
    }
}
