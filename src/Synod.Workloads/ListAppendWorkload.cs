using System.Globalization;
using Synod.Client;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Workloads;

/// <summary>
/// Transactions of a few reads and appends on lists, judged for strict serializability (Elle's list-append). Some are read-only
/// at a timestamp that the cluster chooses.
/// </summary>
public sealed class ListAppendWorkload(int lists = 8) : IWorkload
{
    /// <summary>A list is retired at this length and another takes its place: long ones cost the square of their length.</summary>
    private const int MostAppends = 40;

    private readonly Lock _gate = new();
    private readonly List<ListTransaction> _history = [];
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
        var steps = new List<ListStep>();
        var snapshot = context.Client(0).Snapshot();
        await foreach (var entry in snapshot.ScanAsync("list/", "list0"))
        {
            steps.Add(new ListStep.Read(entry.KeyText, ValuesOf(entry)));
        }

        Add(new ListTransaction(0, start, context.Now, Outcome.Committed, steps));
    }

    public string AnyKey(SeededRandom random) => KeyOf(random.Below(lists));

    public IReadOnlyList<Anomaly> Judge()
    {
        lock (_gate)
        {
            return StrictSerializabilityChecker.Check(_history);
        }
    }

    private async Task TransactAsync(WorkloadContext context, int worker, SeededRandom random)
    {
        var plan = new List<(string Key, long Append)>();
        for (var left = 1 + random.Below(4); left > 0; left--)
        {
            plan.Add((Pick(random), random.Below(2) == 0 ? Interlocked.Increment(ref _lastValue) : 0));
        }

        var start = context.Now;
        List<ListStep> steps = [];
        TransactionResult result;
        try
        {
            result = await context.Client(worker).TransactAsync(async transaction =>
                steps = await RunAsync(transaction, plan));
        }
        catch (SynodUnavailableException)
        {
            Add(new ListTransaction(worker, start, context.Now, Outcome.Aborted, [.. Appends(plan)]));
            throw;
        }

        context.Statistics.Count(result, start, context.Now);
        var outcome = BankWorkload.OutcomeOf(result);
        Add(new ListTransaction(
            worker, start, context.Now, outcome, outcome == Outcome.Aborted ? [.. Appends(plan)] : steps));
    }

    private static IEnumerable<ListStep> Appends(List<(string Key, long Append)> plan) =>
        plan.Where(step => step.Append != 0).Select(step => new ListStep.Append(step.Key, step.Append));

    private static async Task<List<ListStep>> RunAsync(SynodTransaction transaction, List<(string Key, long Append)> plan)
    {
        var steps = new List<ListStep>();
        foreach (var (key, append) in plan)
        {
            var entry = await transaction.GetAsync(key);
            steps.Add(new ListStep.Read(key, ValuesOf(entry)));
            if (append != 0)
            {
                var value = append.ToString(CultureInfo.InvariantCulture);
                transaction.Put(key, entry is null ? value : $"{entry.ValueText} {value}");
                steps.Add(new ListStep.Append(key, append));
            }
        }

        return steps;
    }

    private async Task SnapshotAsync(WorkloadContext context, int worker, SeededRandom random)
    {
        var start = context.Now;
        var snapshot = context.Client(worker).Snapshot();
        var steps = new List<ListStep>();
        for (var left = 1 + random.Below(4); left > 0; left--)
        {
            var key = Pick(random);
            steps.Add(new ListStep.Read(key, ValuesOf(await snapshot.GetAsync(key))));
        }

        context.Statistics.CountRead();
        Add(new ListTransaction(worker, start, context.Now, Outcome.Committed, steps));
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

    private static string KeyOf(int place) => string.Create(CultureInfo.InvariantCulture, $"list/{place:d2}");

    private static List<long> ValuesOf(Entry? entry) => entry is null
        ? []
        : [.. entry.ValueText.Split(' ').Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
}
