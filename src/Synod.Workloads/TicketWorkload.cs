using System.Globalization;
using Synod.Client;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Workloads;

/// <summary>
/// Numbered tickets: whoever draws one counts those that its show has and takes the next number, under a key of its own. No two
/// transactions write the same key, so only locks on the gaps between keys keep two from taking the same number (phantoms).
/// </summary>
public sealed class TicketWorkload(int shows = 6) : IWorkload
{
    /// <summary>A show is sold out at this many tickets and another takes its place: long scans cost what they read.</summary>
    private const int MostTickets = 25;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Outcome> _outcomes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, SortedDictionary<string, int>> _found = [];
    private int _soldOut;

    public string Name => "tickets";

    public async Task SetUpAsync(WorkloadContext context)
    {
        await context.Client(0).SplitAsync(PrefixOf(shows / 2), context.LeaderOf(1));
        for (var show = 0; show < shows; show++)
        {
            (await DrawAsync(context.Client(0), show, $"{PrefixOf(show)}first")).EnsureCommitted();
        }
    }

    public async Task WorkAsync(WorkloadContext context, int worker)
    {
        var random = context.Random(worker);
        for (var operation = 0; !context.IsStopping; operation++)
        {
            await context.PaceAsync(random);
            try
            {
                await SellAsync(context, worker, operation, random);
            }
            catch (SynodUnavailableException)
            {
                context.Statistics.CountUnavailable();
            }
        }
    }

    public async Task ReadBackAsync(WorkloadContext context)
    {
        await foreach (var entry in context.Client(0).Snapshot().ScanAsync("ticket/", "ticket0"))
        {
            var show = int.Parse(entry.KeyText.Split('/')[1], CultureInfo.InvariantCulture);
            if (!_found.TryGetValue(show, out var tickets))
            {
                _found.Add(show, tickets = new(StringComparer.Ordinal));
            }

            tickets.Add(entry.KeyText, int.Parse(entry.ValueText, CultureInfo.InvariantCulture));
        }
    }

    public string AnyKey(SeededRandom random) => PrefixOf(random.Below(shows));

    public IReadOnlyList<Anomaly> Judge()
    {
        lock (_gate)
        {
            List<Anomaly> anomalies = [];
            foreach (var (show, tickets) in _found)
            {
                if (!tickets.Values.Order().SequenceEqual(Enumerable.Range(1, tickets.Count)))
                {
                    anomalies.Add(new Anomaly("number-taken-twice", $"show {show} has {string.Join(' ', tickets.Values.Order())}"));
                }
            }

            foreach (var (key, outcome) in _outcomes)
            {
                var isThere = _found.Values.Any(tickets => tickets.ContainsKey(key));
                if (outcome == (isThere ? Outcome.Aborted : Outcome.Committed))
                {
                    anomalies.Add(new Anomaly(isThere ? "aborted-applied" : "acknowledged-lost", key));
                }
            }

            return anomalies;
        }
    }

    private async Task SellAsync(WorkloadContext context, int worker, int operation, SeededRandom random)
    {
        var show = Interlocked.CompareExchange(ref _soldOut, 0, 0) + random.Below(shows);
        var key = string.Create(CultureInfo.InvariantCulture, $"{PrefixOf(show)}{random.Next():x16}-{worker}-{operation}");
        var start = context.Now;
        TransactionResult<int> result;
        try
        {
            result = await DrawAsync(context.Client(worker), show, key);
        }
        catch (SynodUnavailableException)
        {
            Add(key, Outcome.Aborted);
            throw;
        }

        context.Statistics.Count(result, start, context.Now);
        Add(key, BankWorkload.OutcomeOf(result));
        if (result is { IsCommitted: true, Value: >= MostTickets })
        {
            Interlocked.Increment(ref _soldOut);
        }
    }

    private static Task<TransactionResult<int>> DrawAsync(SynodClient client, int show, string key) => client.TransactAsync(async transaction =>
    {
        var number = 1;
        await foreach (var _ in transaction.ScanAsync(PrefixOf(show), PrefixOf(show + 1)))
        {
            number++;
        }

        transaction.Put(key, number.ToString(CultureInfo.InvariantCulture));
        return number;
    });

    private void Add(string key, Outcome outcome)
    {
        lock (_gate)
        {
            _outcomes[key] = outcome;
        }
    }

    private static string PrefixOf(int show) => string.Create(CultureInfo.InvariantCulture, $"ticket/{show:d6}/");
}
