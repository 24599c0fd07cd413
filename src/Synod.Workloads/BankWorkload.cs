using System.Globalization;
using Synod.Client;
using Synod.Core;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Workloads;

/// <summary>How large the bank is.</summary>
public sealed record BankOptions
{
    public int Accounts { get; init; } = 48;

    public long Balance { get; init; } = 1_000;

    /// <summary>Ranges of accounts; the transfers' own records are in one more.</summary>
    public int AccountRanges { get; init; } = 3;

    /// <summary>Every so many operations of a worker is an audit.</summary>
    public int AuditEvery { get; init; } = 8;
}

/// <summary>
/// Money moves between accounts of different ranges; each transfer also writes its own record, keyed by its id, in a third range.
/// Audits at a timestamp must always see the same total; at the end, each acknowledged transfer must have its record, no aborted
/// one may, and the records must explain every balance.
/// </summary>
public sealed class BankWorkload(BankOptions options) : IWorkload
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Outcome> _outcomes = new(StringComparer.Ordinal);
    private readonly List<TimedTransaction> _history = [];
    private readonly List<Anomaly> _anomalies = [];
    private long _audits;
    private long _wrongAudits;

    public string Name => "bank";

    public BankOptions Options { get; } = options;

    public long Total => Options.Accounts * Options.Balance;

    public long Audits => Interlocked.Read(ref _audits);

    public long WrongAudits => Interlocked.Read(ref _wrongAudits);

    /// <summary>The total as read at the end; null until then.</summary>
    public long? TotalAfter { get; private set; }

    /// <summary>Acknowledged transfers whose record was missing at the end.</summary>
    public long AcknowledgedLost { get; private set; }

    /// <summary>Transfers reported as unknown that turned out to be committed.</summary>
    public long UnknownCommitted { get; private set; }

    public async Task SetUpAsync(WorkloadContext context)
    {
        var client = context.Client(0);
        for (var range = 1; range < Options.AccountRanges; range++)
        {
            await client.SplitAsync(AccountKey(FirstOf(range)), context.LeaderOf(range));
        }

        await client.SplitAsync("transfer/", context.LeaderOf(Options.AccountRanges));
        for (var range = 0; range < Options.AccountRanges; range++)
        {
            var result = await client.TransactAsync(transaction =>
            {
                for (var account = FirstOf(range); account < FirstOf(range + 1); account++)
                {
                    transaction.Put(AccountKey(account), Number(Options.Balance));
                }

                return Task.CompletedTask;
            });
            result.EnsureCommitted();
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
                if (random.Below(Options.AuditEvery) == 0)
                {
                    await AuditAsync(context, worker);
                }
                else
                {
                    await TransferAsync(context, worker, operation, random);
                }
            }
            catch (SynodUnavailableException)
            {
                context.Statistics.CountUnavailable();
            }
        }
    }

    public async Task ReadBackAsync(WorkloadContext context)
    {
        var balances = Enumerable.Repeat(Options.Balance, Options.Accounts).ToArray();
        var found = new HashSet<string>(StringComparer.Ordinal);
        var snapshot = context.Client(0).Snapshot();
        await foreach (var entry in snapshot.ScanAsync("transfer/", "transfer0"))
        {
            found.Add(entry.KeyText);
            var (from, to, amount) = Transfer.Parse(entry.ValueText);
            balances[from] -= amount;
            balances[to] += amount;
        }

        var actual = new long[Options.Accounts];
        await foreach (var entry in snapshot.ScanAsync("account/", "account0"))
        {
            actual[AccountOf(entry.KeyText)] = long.Parse(entry.ValueText, CultureInfo.InvariantCulture);
        }

        TotalAfter = actual.Sum();
        Add(StateChecks.Total(actual, Total));
        for (var account = 0; account < actual.Length; account++)
        {
            if (actual[account] != balances[account])
            {
                Add(new Anomaly("unexplained-balance", $"account {account} has {actual[account]}, its transfers say {balances[account]}"));
            }
        }

        CompareOutcomes(found);
    }

    public string AnyKey(SeededRandom random) => AccountKey(random.Below(Options.Accounts));

    public IReadOnlyList<Anomaly> Judge()
    {
        lock (_gate)
        {
            return [.. _anomalies, .. TimestampChecker.Check(_history)];
        }
    }

    private async Task TransferAsync(WorkloadContext context, int worker, int operation, SeededRandom random)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"transfer/{random.Next():x16}-{worker}-{operation}");
        var range = random.Below(Options.AccountRanges);
        var other = (range + 1 + random.Below(Math.Max(1, Options.AccountRanges - 1))) % Options.AccountRanges;
        var transfer = new Transfer(AccountIn(range, random), AccountIn(other, random), random.Between(1, 50));
        if (transfer.From == transfer.To)
        {
            return;
        }

        var start = context.Now;
        List<TimedItem> written = [];
        TransactionResult result;
        try
        {
            result = await context.Client(worker).TransactAsync(
                async transaction => written = await MoveAsync(transaction, id, transfer));
        }
        catch (SynodUnavailableException)
        {
            Record(id, Outcome.Aborted, null);
            throw;
        }

        var end = context.Now;
        context.Statistics.Count(result, start, end);
        var isKept = context.KeepsHistory && result.IsCommitted;
        Record(
            id,
            OutcomeOf(result),
            isKept
                ? new TimedTransaction(worker, start, end, new Timestamp(result.Timestamp), false, false, written)
                : null);
    }

    private static async Task<List<TimedItem>> MoveAsync(SynodTransaction transaction, string id, Transfer transfer)
    {
        var from = await BalanceAsync(transaction, transfer.From);
        var to = await BalanceAsync(transaction, transfer.To);
        var moved = transfer with { Amount = Math.Min(transfer.Amount, from) };
        List<(string Key, string Value)> writes =
        [
            (AccountKey(moved.From), Number(from - moved.Amount)),
            (AccountKey(moved.To), Number(to + moved.Amount)),
            (id, moved.ToString()),
        ];
        foreach (var (key, value) in writes)
        {
            transaction.Put(key, value);
        }

        return writes.ConvertAll(write => new TimedItem(write.Key, write.Value, Timestamp.Zero));
    }

    private static async Task<long> BalanceAsync(SynodTransaction transaction, int account)
    {
        var entry = await transaction.GetAsync(AccountKey(account))
            ?? throw new WorkloadBroken($"account {account} does not exist");
        return long.Parse(entry.ValueText, CultureInfo.InvariantCulture);
    }

    private async Task AuditAsync(WorkloadContext context, int worker)
    {
        var start = context.Now;
        var snapshot = context.Client(worker).Snapshot();
        var items = new List<TimedItem>(Options.Accounts);
        long total = 0;
        await foreach (var entry in snapshot.ScanAsync("account/", "account0"))
        {
            total += long.Parse(entry.ValueText, CultureInfo.InvariantCulture);
            items.Add(new TimedItem(entry.KeyText, entry.ValueText, new Timestamp(entry.Timestamp)));
        }

        context.Statistics.CountRead();
        Interlocked.Increment(ref _audits);
        lock (_gate)
        {
            if (total != Total || items.Count != Options.Accounts)
            {
                Interlocked.Increment(ref _wrongAudits);
                Add(new Anomaly("wrong-audit", $"{items.Count} accounts hold {total} instead of {Total} at {snapshot.Timestamp}"));
            }

            if (context.KeepsHistory)
            {
                _history.Add(new TimedTransaction(
                    worker, start, context.Now, new Timestamp(snapshot.Timestamp), true, false, items));
            }
        }
    }

    private void Record(string id, Outcome outcome, TimedTransaction? transaction)
    {
        lock (_gate)
        {
            _outcomes[id] = outcome;
            if (transaction is not null)
            {
                _history.Add(transaction);
            }
        }
    }

    private void CompareOutcomes(HashSet<string> found)
    {
        lock (_gate)
        {
            foreach (var (id, outcome) in _outcomes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                switch (outcome)
                {
                    case Outcome.Committed when !found.Contains(id):
                        AcknowledgedLost++;
                        Add(new Anomaly("acknowledged-lost", id));
                        break;
                    case Outcome.Aborted when found.Contains(id):
                        Add(new Anomaly("aborted-applied", id));
                        break;
                    case Outcome.Unknown when found.Contains(id):
                        UnknownCommitted++;
                        break;
                }
            }
        }
    }

    private void Add(Anomaly? anomaly)
    {
        lock (_gate)
        {
            if (anomaly is not null)
            {
                _anomalies.Add(anomaly);
            }
        }
    }

    private int FirstOf(int range) => Options.Accounts * range / Options.AccountRanges;

    private int AccountIn(int range, SeededRandom random) =>
        (int)random.Between(FirstOf(range), FirstOf(range + 1) - 1);

    internal static Outcome OutcomeOf(TransactionResult result) => result.Outcome switch
    {
        TransactionOutcome.Committed => Outcome.Committed,
        TransactionOutcome.Aborted => Outcome.Aborted,
        _ => Outcome.Unknown,
    };

    private static string AccountKey(int account) => string.Create(CultureInfo.InvariantCulture, $"account/{account:d6}");

    private static int AccountOf(string key) => int.Parse(key.AsSpan("account/".Length), CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed record Transfer(int From, int To, long Amount)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{From} {To} {Amount}");

        public static Transfer Parse(string text)
        {
            var parts = text.Split(' ');
            return new(
                int.Parse(parts[0], CultureInfo.InvariantCulture),
                int.Parse(parts[1], CultureInfo.InvariantCulture),
                long.Parse(parts[2], CultureInfo.InvariantCulture));
        }
    }
}
