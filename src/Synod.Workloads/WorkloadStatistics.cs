using Synod.Client;

namespace Synod.Workloads;

/// <summary>What is known so far. Times in nanoseconds.</summary>
/// <param name="Committed">Transactions acknowledged as committed.</param>
/// <param name="Aborted">Transactions that had no effect, after all their attempts.</param>
/// <param name="Retried">Attempts beyond the first.</param>
/// <param name="Unknown">Transactions whose outcome was not learned.</param>
/// <param name="Unavailable">Operations that no node served in time.</param>
/// <param name="Reads">Read-only transactions and reads that returned.</param>
/// <param name="LongestGap">The longest time between two acknowledgements of commits.</param>
public sealed record WorkloadProgress(
    long Committed,
    long Aborted,
    long Retried,
    long Unknown,
    long Unavailable,
    long Reads,
    long LongestGap,
    long P50,
    long P99);

/// <summary>Counts what a workload's workers see, on any number of threads.</summary>
public sealed class WorkloadStatistics
{
    private readonly Lock _gate = new();
    private readonly List<long> _latencies = [];
    private long _committed;
    private long _aborted;
    private long _retried;
    private long _unknown;
    private long _unavailable;
    private long _reads;
    private long _lastCommit = -1;
    private long _longestGap;

    public long Committed => Interlocked.Read(ref _committed);

    public void Count(TransactionResult result, long start, long end)
    {
        lock (_gate)
        {
            _retried += result.Attempts - 1;
            switch (result.Outcome)
            {
                case TransactionOutcome.Committed:
                    _committed++;
                    _latencies.Add(end - start);
                    NoteCommit(end);
                    break;
                case TransactionOutcome.Aborted:
                    _aborted++;
                    break;
                default:
                    _unknown++;
                    break;
            }
        }
    }

    public void CountRead()
    {
        lock (_gate)
        {
            _reads++;
        }
    }

    public void CountUnavailable()
    {
        lock (_gate)
        {
            _unavailable++;
        }
    }

    /// <summary>Forgets everything, at the end of the set-up.</summary>
    public void Reset(long now)
    {
        lock (_gate)
        {
            _latencies.Clear();
            _committed = _aborted = _retried = _unknown = _unavailable = _reads = _longestGap = 0;
            _lastCommit = now;
        }
    }

    public WorkloadProgress Progress()
    {
        lock (_gate)
        {
            var sorted = _latencies.ToArray();
            Array.Sort(sorted);
            return new WorkloadProgress(
                _committed, _aborted, _retried, _unknown, _unavailable, _reads, _longestGap, At(50), At(99));

            long At(int percent) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, sorted.Length * percent / 100)];
        }
    }

    private void NoteCommit(long at)
    {
        if (_lastCommit >= 0)
        {
            _longestGap = Math.Max(_longestGap, at - _lastCommit);
        }

        _lastCommit = Math.Max(_lastCommit, at);
    }
}
