using Synod.Core;

namespace Synod.Simulation.Histories;

/// <summary>A key as a transaction wrote or saw it.</summary>
/// <param name="Value">Null if deleted or absent.</param>
/// <param name="Version">Commit timestamp of the version seen; zero for what a transaction writes, or if nothing was there.</param>
public sealed record TimedItem(string Key, string? Value, Timestamp Version);

/// <summary>A transaction with its timestamp. Times are virtual true time in nanoseconds.</summary>
/// <param name="At">The commit timestamp of writes, or the snapshot that was read.</param>
/// <param name="IsSnapshot">Whether it only read, at <paramref name="At"/>.</param>
/// <param name="IsPast">Whether its client asked for a timestamp of the past: then it may miss what was acknowledged before.</param>
public sealed record TimedTransaction(
    int Process, long Start, long End, Timestamp At, bool IsSnapshot, bool IsPast, IReadOnlyList<TimedItem> Items)
{
    public override string ToString() =>
        $"p{Process} {(IsSnapshot ? "read" : "commit")} at {At} [{Start}, {End}] {string.Join(", ", Items.Select(item => $"{item.Key}={item.Value ?? "-"}"))}";
}

/// <summary>
/// External consistency by timestamps (Spanner §1; time.md §8): what was acknowledged before another transaction started has
/// the smaller timestamp, and a read at t shows for each key exactly the newest version at or below t.
/// </summary>
public static class TimestampChecker
{
    /// <summary>Everything found; empty if all is well. Give it acknowledged transactions only.</summary>
    public static IReadOnlyList<Anomaly> Check(IReadOnlyList<TimedTransaction> history)
    {
        var anomalies = new List<Anomaly>();
        CheckOrder(history, anomalies);
        CheckSnapshots(history, anomalies);
        return anomalies;
    }

    private static void CheckOrder(IReadOnlyList<TimedTransaction> history, List<Anomaly> anomalies)
    {
        var byEnd = history.OrderBy(transaction => transaction.End).ToArray();
        TimedTransaction? newest = null;
        var newestAt = Timestamp.Zero;
        var ended = 0;
        foreach (var next in history.OrderBy(transaction => transaction.Start))
        {
            for (; ended < byEnd.Length && byEnd[ended].End < next.Start; ended++)
            {
                var shown = Shown(byEnd[ended]);
                if (newest is null || shown > newestAt)
                {
                    (newest, newestAt) = (byEnd[ended], shown);
                }
            }

            if (newest is null || next.IsPast)
            {
                continue;
            }

            if (next.IsSnapshot ? next.At < newestAt : next.At <= newestAt)
            {
                anomalies.Add(new Anomaly("external-consistency", $"{newest} ended before {next} started"));
            }
        }
    }

    // What a snapshot proves to exist is the newest version in it, not the timestamp at which it was taken.
    private static Timestamp Shown(TimedTransaction transaction) =>
        transaction.IsSnapshot
            ? transaction.Items.Select(item => item.Version).DefaultIfEmpty().Max()
            : transaction.At;

    private static void CheckSnapshots(IReadOnlyList<TimedTransaction> history, List<Anomaly> anomalies)
    {
        var versions = Versions(history, anomalies);
        foreach (var read in history.Where(transaction => transaction.IsSnapshot))
        {
            foreach (var item in read.Items)
            {
                CheckItem(read, item, versions.GetValueOrDefault(item.Key), anomalies);
            }
        }
    }

    /// <summary>Everything known to have been committed, from acknowledgements and from what reads saw, oldest first.</summary>
    private static Dictionary<string, SortedList<Timestamp, string?>> Versions(
        IReadOnlyList<TimedTransaction> history, List<Anomaly> anomalies)
    {
        var versions = new Dictionary<string, SortedList<Timestamp, string?>>(StringComparer.Ordinal);
        foreach (var transaction in history.OrderBy(transaction => transaction.At))
        {
            foreach (var item in transaction.Items)
            {
                var at = transaction.IsSnapshot ? item.Version : transaction.At;
                if (at == Timestamp.Zero)
                {
                    continue;
                }

                if (!versions.TryGetValue(item.Key, out var known))
                {
                    versions.Add(item.Key, known = []);
                }

                if (!known.TryAdd(at, item.Value) && known[at] != item.Value)
                {
                    anomalies.Add(new Anomaly("two-values", $"{item.Key} at {at} is '{known[at]}' and '{item.Value}'"));
                }
            }
        }

        return versions;
    }

    private static void CheckItem(
        TimedTransaction read, TimedItem item, SortedList<Timestamp, string?>? versions, List<Anomaly> anomalies)
    {
        if (item.Version > read.At)
        {
            anomalies.Add(new Anomaly("read-of-the-future", $"{item.Key} of {item.Version} in {read}"));
            return;
        }

        var newest = versions is null ? -1 : NewestAt(versions, read.At);
        if (newest < 0)
        {
            return;
        }

        // A tombstone is seen as absence, which carries no version.
        var (at, value) = (versions!.Keys[newest], versions.Values[newest]);
        if (at > item.Version && !(value is null && item.Value is null))
        {
            anomalies.Add(new Anomaly("missed-version", $"{item.Key} '{value}' of {at} is not in {read}"));
        }
    }

    /// <summary>The place of the newest version at or below <paramref name="at"/>; -1 if there is none.</summary>
    private static int NewestAt(SortedList<Timestamp, string?> versions, Timestamp at)
    {
        var (low, high) = (0, versions.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (versions.Keys[middle] <= at)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }
}
