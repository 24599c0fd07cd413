using System.Globalization;
using Synod.Client;
using Synod.Core;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Workloads;

/// <summary>
/// Transactions of a few reads and appends on lists, judged for strict serializability (Elle's list-append). Some are read-only
/// at a timestamp that the cluster chooses. Timestamps are judged too: what a transaction read under locks is what a snapshot just
/// below its commit shows, or somebody could take that snapshot and see an order that is none.
/// </summary>
public sealed class ListAppendWorkload(int lists = 8) : IWorkload
{
    /// <summary>A list is retired at this length and another takes its place: long ones cost the square of their length.</summary>
    private const int MostAppends = 40;

    private readonly Lock _gate = new();
    private readonly List<ListTransaction> _history = [];
    private readonly List<TimedTransaction> _timed = [];
    private readonly SortedDictionary<int, int> _appends = [];
    private long _lastValue;

    public string Name => "list-append";

    public async Task SetUpAsync(WorkloadContext context)
    {
        for (var part = 1; part < 4; part++)
        {
            await context.Client(0).SplitAsync(KeyOf(lists * part / 4), context.LeaderOf(part));
        }
    }

    public async Task WorkAsync(WorkloadContext context, int worker)
    {
        var random = context.Random(worker);
        while (!context.IsStopping)
        {
            await context.PaceAsync(random);
            try
            {
                await (random.Below(4) == 0
                    ? SnapshotAsync(context, worker, random)
                    : TransactAsync(context, worker, random));
            }
            catch (SynodUnavailableException)
            {
                context.Statistics.CountUnavailable();
            }
        }
    }

    public async Task ReadBackAsync(WorkloadContext context)
    {
        var start = context.Now;
        var attempt = new Attempt();
        var snapshot = context.Client(0).Snapshot();
        await foreach (var entry in snapshot.ScanAsync("list/", "list0"))
        {
            attempt.Read(entry.KeyText, entry);
        }

        Add(new ListTransaction(0, start, context.Now, Outcome.Committed, attempt.Steps));
        AddSeen(0, start, context.Now, new Timestamp(snapshot.Timestamp), attempt);
    }

    public string AnyKey(SeededRandom random) => KeyOf(random.Below(lists));

    public IReadOnlyList<Anomaly> Judge()
    {
        lock (_gate)
        {
            return [.. StrictSerializabilityChecker.Check(_history), .. TimestampChecker.Check(_timed)];
        }
    }

    private async Task TransactAsync(WorkloadContext context, int worker, SeededRandom random)
    {
        // Who thinks does so over one list, under a lock that keeps those waiting who want to append to it.
        var thinks = context.Thinking > TimeSpan.Zero && random.Below(4) == 0;
        var plan = new List<(string Key, long Append)>();
        for (var left = thinks ? 1 : 1 + random.Below(4); left > 0; left--)
        {
            plan.Add((Pick(random), !thinks && random.Below(2) == 0 ? Interlocked.Increment(ref _lastValue) : 0));
        }

        var start = context.Now;
        var attempt = new Attempt();
        TransactionResult result;
        try
        {
            result = await context.Client(worker).TransactAsync(async transaction =>
                attempt = await RunAsync(transaction, plan, () => thinks ? context.ThinkAsync(random) : Task.CompletedTask));
        }
        catch (SynodUnavailableException)
        {
            Add(new ListTransaction(worker, start, context.Now, Outcome.Aborted, [.. Appends(plan)]));
            throw;
        }

        var end = context.Now;
        context.Statistics.Count(result, start, end);
        var outcome = BankWorkload.OutcomeOf(result);
        Add(new ListTransaction(worker, start, end, outcome, outcome == Outcome.Aborted ? [.. Appends(plan)] : attempt.Steps));

        // One that read once and wrote nothing has no timestamp.
        if (outcome == Outcome.Committed && result.Timestamp != 0)
        {
            var at = new Timestamp(result.Timestamp);
            AddSeen(worker, start, end, at.Previous, attempt);
            Add(new TimedTransaction(worker, start, end, at, IsSnapshot: false, IsPast: false, [.. attempt.Written]));
        }
    }

    private static IEnumerable<ListStep> Appends(List<(string Key, long Append)> plan) =>
        plan.Where(step => step.Append != 0).Select(step => new ListStep.Append(step.Key, step.Append));

    private static async Task<Attempt> RunAsync(
        SynodTransaction transaction, List<(string Key, long Append)> plan, Func<Task> think)
    {
        var attempt = new Attempt();
        foreach (var (key, append) in plan)
        {
            var entry = await transaction.GetAsync(key);
            attempt.Read(key, entry);
            if (append != 0)
            {
                transaction.Put(key, attempt.Append(key, entry, append));
            }

            await think();
        }

        return attempt;
    }

    private async Task SnapshotAsync(WorkloadContext context, int worker, SeededRandom random)
    {
        var start = context.Now;
        var snapshot = context.Client(worker).Snapshot();
        var attempt = new Attempt();
        for (var left = 1 + random.Below(4); left > 0; left--)
        {
            var key = Pick(random);
            attempt.Read(key, await snapshot.GetAsync(key));
        }

        context.Statistics.CountRead();
        Add(new ListTransaction(worker, start, context.Now, Outcome.Committed, attempt.Steps));
        AddSeen(worker, start, context.Now, new Timestamp(snapshot.Timestamp), attempt);
    }

    private string Pick(SeededRandom random)
    {
        var place = random.Below(lists);
        lock (_gate)
        {
            var appends = _appends.GetValueOrDefault(place);
            _appends[place] = appends + 1;
            return $"{KeyOf(place)}/{(appends / MostAppends).ToString("d4", CultureInfo.InvariantCulture)}";
        }
    }

    private void Add(ListTransaction transaction)
    {
        lock (_gate)
        {
            _history.Add(transaction);
        }
    }

    private void Add(TimedTransaction transaction)
    {
        lock (_gate)
        {
            _timed.Add(transaction);
        }
    }

    private void AddSeen(int worker, long start, long end, Timestamp at, Attempt attempt) =>
        Add(new TimedTransaction(worker, start, end, at, IsSnapshot: true, IsPast: false, attempt.Seen));

    private static string KeyOf(int place) => string.Create(CultureInfo.InvariantCulture, $"list/{place:d2}");

    private static List<long> ValuesOf(Entry? entry) => entry is null
        ? []
        : [.. entry.ValueText.Split(' ').Select(text => long.Parse(text, CultureInfo.InvariantCulture))];

    /// <summary>What one run of a transaction's body did. The client runs it again after a conflict.</summary>
    private sealed class Attempt
    {
        private readonly SortedDictionary<string, string> _written = new(StringComparer.Ordinal);

        public List<ListStep> Steps { get; } = [];

        /// <summary>What was read of others, with its version.</summary>
        public List<TimedItem> Seen { get; } = [];

        public IEnumerable<TimedItem> Written => _written.Select(write => new TimedItem(write.Key, write.Value, Timestamp.Zero));

        public void Read(string key, Entry? entry)
        {
            Steps.Add(new ListStep.Read(key, ValuesOf(entry)));
            if (!_written.ContainsKey(key))
            {
                Seen.Add(new TimedItem(key, entry?.ValueText, new Timestamp(entry?.Timestamp ?? 0)));
            }
        }

        /// <summary>The list as it is then.</summary>
        public string Append(string key, Entry? entry, long append)
        {
            var value = append.ToString(CultureInfo.InvariantCulture);
            Steps.Add(new ListStep.Append(key, append));
            return _written[key] = entry is null ? value : $"{entry.ValueText} {value}";
        }
    }
}
