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
        var versions = new SortedDictionary<string, SortedDictionary<Timestamp, string?>>(StringComparer.Ordinal);
        foreach (var transaction in history)
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

        foreach (var read in history.Where(transaction => transaction.IsSnapshot))
        {
            foreach (var item in read.Items)
            {
                CheckItem(read, item, versions.GetValueOrDefault(item.Key), anomalies);
            }
        }
    }

    private static void CheckItem(
        TimedTransaction read, TimedItem item, SortedDictionary<Timestamp, string?>? versions, List<Anomaly> anomalies)
    {
        if (item.Version > read.At)
        {
            anomalies.Add(new Anomaly("read-of-the-future", $"{item.Key} of {item.Version} in {read}"));
            return;
        }

        var newest = (versions ?? []).LastOrDefault(version => version.Key <= read.At);

        // A tombstone is seen as absence, which carries no version.
        if (newest.Key > item.Version && !(newest.Value is null && item.Value is null))
        {
            anomalies.Add(new Anomaly("missed-version", $"{item.Key} '{newest.Value}' of {newest.Key} is not in {read}"));
        }
    }
}
