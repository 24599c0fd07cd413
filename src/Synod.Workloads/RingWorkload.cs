using System.Globalization;
using Synod.Client;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Workloads;

/// <summary>
/// Keys that point to each other in one ring; every transaction turns three links around, so that any lost, torn or doubled one
/// breaks the ring (FoundationDB's Cycle).
/// </summary>
public sealed class RingWorkload(int keys = 24) : IWorkload
{
    private readonly Lock _gate = new();
    private readonly List<Anomaly> _anomalies = [];

    public string Name => "ring";

    public async Task SetUpAsync(WorkloadContext context)
    {
        var client = context.Client(0);
        for (var part = 1; part < 4; part++)
        {
            await client.SplitAsync(KeyOf(keys * part / 4), context.LeaderOf(part));
        }

        var result = await client.TransactAsync(transaction =>
        {
            for (var key = 0; key < keys; key++)
            {
                transaction.Put(KeyOf(key), Text((key + 1) % keys));
            }

            return Task.CompletedTask;
        });
        result.EnsureCommitted();
    }

    public async Task WorkAsync(WorkloadContext context, int worker)
    {
        var random = context.Random(worker);
        while (!context.IsStopping)
        {
            await context.PaceAsync(random);
            try
            {
                if (random.Below(6) == 0)
                {
                    await InspectAsync(context, worker);
                }
                else
                {
                    await TurnAsync(context, worker, random.Below(keys));
                }
            }
            catch (SynodUnavailableException)
            {
                context.Statistics.CountUnavailable();
            }
        }
    }

    public Task ReadBackAsync(WorkloadContext context) => InspectAsync(context, 0);

    public string AnyKey(SeededRandom random) => KeyOf(random.Below(keys));

    public IReadOnlyList<Anomaly> Judge()
    {
        lock (_gate)
        {
            return [.. _anomalies];
        }
    }

    // a -> b -> c -> d becomes a -> c -> b -> d.
    private static async Task TurnAsync(WorkloadContext context, int worker, int first)
    {
        var start = context.Now;
        var result = await context.Client(worker).TransactAsync(async transaction =>
        {
            var second = await NextAsync(transaction, first);
            var third = await NextAsync(transaction, second);
            var fourth = await NextAsync(transaction, third);
            transaction.Put(KeyOf(first), Text(third));
            transaction.Put(KeyOf(third), Text(second));
            transaction.Put(KeyOf(second), Text(fourth));
        });
        context.Statistics.Count(result, start, context.Now);
    }

    private static async Task<int> NextAsync(SynodTransaction transaction, int key)
    {
        var entry = await transaction.GetAsync(KeyOf(key)) ?? throw new WorkloadBroken($"key {key} of the ring does not exist");
        return int.Parse(entry.ValueText, CultureInfo.InvariantCulture);
    }

    private async Task InspectAsync(WorkloadContext context, int worker)
    {
        var next = new List<int>(keys);
        await foreach (var entry in context.Client(worker).Snapshot().ScanAsync("ring/", "ring0"))
        {
            next.Add(int.Parse(entry.ValueText, CultureInfo.InvariantCulture));
        }

        context.Statistics.CountRead();
        var broken = next.Count == keys
            ? StateChecks.Ring(next)
            : new Anomaly("broken-ring", $"{next.Count} of {keys} keys are there");
        if (broken is not null)
        {
            lock (_gate)
            {
                _anomalies.Add(broken);
            }
        }
    }

    private static string KeyOf(int key) => string.Create(CultureInfo.InvariantCulture, $"ring/{key:d4}");

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
