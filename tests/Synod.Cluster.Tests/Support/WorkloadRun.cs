using Synod.Client;
using Synod.Workloads;

namespace Synod.Cluster.Tests.Support;

/// <summary>A workload at work on a cluster while a test breaks something, and judged in the end.</summary>
internal sealed class WorkloadRun : IAsyncDisposable
{
    private readonly IWorkload _workload;
    private readonly WorkloadContext _context;
    private readonly IReadOnlyList<SynodClient> _clients;
    private readonly Task[] _workers;

    private WorkloadRun(IWorkload workload, WorkloadContext context, IReadOnlyList<SynodClient> clients, int workers)
    {
        _workload = workload;
        _context = context;
        _clients = clients;
        _workers = [.. Enumerable.Range(0, workers).Select(worker => Task.Run(() => workload.WorkAsync(context, worker)))];
    }

    public static async Task<WorkloadRun> StartAsync(TestCluster cluster, IWorkload workload, int workers = 4)
    {
        SynodClient[] clients = [cluster.NewClient(), cluster.NewClient()];
        var context = new WorkloadContext(clients, TimeProvider.System, seed: 1) { Leaders = [.. cluster.Nodes.Select(node => node.Id)] };
        await workload.SetUpAsync(context);
        return new WorkloadRun(workload, context, clients, workers);
    }

    /// <summary>Waits until so many more transactions have been acknowledged.</summary>
    public async Task CommitsAsync(long more = 50)
    {
        var goal = _context.Statistics.Committed + more;
        await Await.UntilAsync($"{goal} transactions are committed", async () =>
        {
            await ThrowIfBrokenAsync();
            return _context.Statistics.Committed >= goal;
        });
    }

    /// <summary>Stops the workers, reads back everything that was acknowledged, and checks the history.</summary>
    public async Task FinishAsync()
    {
        _context.Stop();
        await Await.UntilAsync("the workers are done", () => _workers.All(worker => worker.IsCompleted));
        await Task.WhenAll(_workers);
        await _workload.ReadBackAsync(_context);
        Assert.Empty(_workload.Judge());
    }

    public async ValueTask DisposeAsync()
    {
        _context.Stop();
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        // In a test that failed they fail as well, since their clients are gone; in one that passed they have been awaited.
        await Task.WhenAll(_workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ThrowIfBrokenAsync()
    {
        if (Array.Find(_workers, worker => worker.IsFaulted) is { } broken)
        {
            await broken;
        }
    }
}
