using System.Globalization;
using Synod.Client;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Workloads;

/// <summary>Single keys are read, written and compared-and-set by everyone; each must behave as one atomic register.</summary>
public sealed class RegisterWorkload(int registers = 6) : IWorkload
{
    private readonly Lock _gate = new();
    private readonly List<RegisterOperation> _history = [];
    private long _lastValue;

    public string Name => "register";

    public async Task SetUpAsync(WorkloadContext context)
    {
        await context.Client(0).SplitAsync(KeyOf(registers / 2), context.LeaderOf(1));
        for (var register = 0; register < registers; register++)
        {
            (await context.Client(0).PutAsync(KeyOf(register), "0")).EnsureCommitted();
        }
    }

    public async Task WorkAsync(WorkloadContext context, int worker)
    {
        var random = context.Random(worker);
        while (!context.IsStopping)
        {
            await context.PaceAsync(random);
            var key = KeyOf(random.Below(registers));
            try
            {
                await (random.Below(5) switch
                {
                    0 or 1 => WriteAsync(context, worker, key),
                    2 => SwapAsync(context, worker, key),
                    _ => ReadAsync(context, worker, key),
                });
            }
            catch (SynodUnavailableException)
            {
                context.Statistics.CountUnavailable();
            }
        }
    }

    public async Task ReadBackAsync(WorkloadContext context)
    {
        for (var register = 0; register < registers; register++)
        {
            await ReadAsync(context, 0, KeyOf(register));
        }
    }

    public string AnyKey(SeededRandom random) => KeyOf(random.Below(registers));

    public IReadOnlyList<Anomaly> Judge()
    {
        lock (_gate)
        {
            return LinearizabilityChecker.Check(_history) is { } wrong ? [new Anomaly("not-linearizable", wrong)] : [];
        }
    }

    private async Task WriteAsync(WorkloadContext context, int worker, string key)
    {
        var value = Interlocked.Increment(ref _lastValue);
        var start = context.Now;
        var result = await context.Client(worker).PutAsync(key, Text(value));
        context.Statistics.Count(result, start, context.Now);
        Add(new(key, worker, start, context.Now, RegisterAction.Write, value, BankWorkload.OutcomeOf(result)));
    }

    private async Task ReadAsync(WorkloadContext context, int worker, string key)
    {
        var start = context.Now;
        var entry = await context.Client(worker).GetAsync(key);
        context.Statistics.CountRead();
        Add(new(key, worker, start, context.Now, RegisterAction.Read, Value(entry), Outcome.Committed));
    }

    // Reads and then writes in one transaction: whatever it read must still be there when it writes.
    private async Task SwapAsync(WorkloadContext context, int worker, string key)
    {
        var value = Interlocked.Increment(ref _lastValue);
        var start = context.Now;
        var result = await context.Client(worker).TransactAsync(async transaction =>
        {
            var found = Value(await transaction.GetAsync(key));
            transaction.Put(key, Text(value));
            return found;
        });
        context.Statistics.Count(result, start, context.Now);
        Add(new(
            key, worker, start, context.Now, RegisterAction.CompareAndSet, value, BankWorkload.OutcomeOf(result), result.Value));
    }

    private void Add(RegisterOperation operation)
    {
        lock (_gate)
        {
            _history.Add(operation);
        }
    }

    private static string KeyOf(int register) => string.Create(CultureInfo.InvariantCulture, $"register/{register:d4}");

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static long Value(Entry? entry) =>
        entry is null ? 0 : long.Parse(entry.ValueText, CultureInfo.InvariantCulture);
}
