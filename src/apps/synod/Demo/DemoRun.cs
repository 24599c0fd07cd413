using System.Diagnostics;
using System.Globalization;
using Synod.Client;
using Synod.Workloads;

namespace Synod.App.Demo;

/// <summary>What the demo is asked for.</summary>
internal sealed record DemoSettings(double Seconds, int Accounts, int Nodes, int Clients, ulong Seed);

/// <summary>The story: a bank over several ranges, a node killed in the middle, and the books checked at the end.</summary>
internal sealed class DemoRun(DemoSettings settings, DemoCluster cluster, IReadOnlyList<SynodClient> clients)
{
    private const int AccountRanges = 4;

    /// <summary>How far into the run the node is killed.</summary>
    private const double KillAt = 0.4;

    private static readonly TimeSpan Downtime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(500);

    private readonly BankWorkload _bank = new(new BankOptions { Accounts = settings.Accounts, AccountRanges = AccountRanges });
    private readonly WorkloadContext _context = new(clients, TimeProvider.System, settings.Seed)
    {
        Leaders = [.. cluster.Nodes.Select(node => node.Id)],
        KeepsHistory = false,
    };

    private int _killed;
    private bool _caughtUp;

    /// <param name="say">Takes what happens, a line at a time.</param>
    /// <param name="progress">Takes how far it is, from 0 to 1, and the numbers so far.</param>
    public async Task<DemoReport> RunAsync(
        Action<string> say, Action<double, WorkloadProgress> progress, CancellationToken cancellationToken)
    {
        say($"starting {settings.Nodes} node processes in {cluster.Folder}");
        say("all nodes share this machine's clock, so the true bound between their clocks is zero, and that is what they are told");
        await cluster.StartAsync(clients[0], cancellationToken);
        say($"cutting the key space: {AccountRanges} ranges of accounts, one of transfer records");
        await _bank.SetUpAsync(_context);
        var before = await TotalAsync(cancellationToken);
        say(string.Create(CultureInfo.InvariantCulture, $"{settings.Accounts} accounts hold {before:N0}; {settings.Clients} clients begin to transfer"));
        _context.Statistics.Reset(_context.Now);
        var watch = Stopwatch.StartNew();
        var workers = Enumerable.Range(0, settings.Clients)
            .Select(worker => Task.Run(() => _bank.WorkAsync(_context, worker), cancellationToken))
            .ToArray();
        var disaster = DisasterAsync(say, cancellationToken);
        await FollowAsync(watch, progress, workers, cancellationToken);
        _context.Stop();
        await Task.WhenAll(workers);
        var seconds = watch.Elapsed.TotalSeconds;
        var final = _context.Statistics.Progress();
        progress(1, final);
        await disaster;
        await LetCatchUpAsync(say, cancellationToken);
        say("reading back every record and every account");
        await _bank.ReadBackAsync(_context);
        return Report(final, seconds, before);
    }

    private DemoReport Report(WorkloadProgress final, double seconds, long before) => new()
    {
        Progress = final,
        Seconds = seconds,
        Audits = _bank.Audits,
        AuditsWrong = _bank.WrongAudits,
        TotalBefore = before,
        TotalAfter = _bank.TotalAfter ?? 0,
        AckedLost = _bank.AcknowledgedLost,
        KilledNode = _killed,
        CaughtUp = _caughtUp,
        Anomalies = [.. _bank.Judge().Select(anomaly => anomaly.ToString())],
    };

    private async Task FollowAsync(
        Stopwatch watch, Action<double, WorkloadProgress> progress, Task[] workers, CancellationToken cancellationToken)
    {
        while (watch.Elapsed.TotalSeconds < settings.Seconds)
        {
            await Task.Delay(ProgressInterval, cancellationToken);
            if (Array.Find(workers, worker => worker.IsFaulted) is { } broken)
            {
                await broken;
            }

            progress(Math.Min(1, watch.Elapsed.TotalSeconds / settings.Seconds), _context.Statistics.Progress());
        }
    }

    private async Task DisasterAsync(Action<string> say, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromSeconds(settings.Seconds * KillAt), cancellationToken);
        var (node, leads) = await cluster.BusiestAsync(clients[0], cancellationToken);
        await node.KillAsync();
        _killed = node.Id;
        say($"killed node {node.Id} with SIGKILL: it led {leads} ranges, more than any other");
        var downtime = TimeSpan.FromSeconds(Math.Min(Downtime.TotalSeconds, settings.Seconds * 0.2));
        await Task.Delay(downtime, cancellationToken);
        node.Start();
        say($"restarted node {node.Id} from its disk");
    }

    private async Task LetCatchUpAsync(Action<string> say, CancellationToken cancellationToken)
    {
        var node = cluster.Nodes.First(item => item.Id == _killed);
        _caughtUp = await cluster.CatchesUpAsync(clients[0], node, cancellationToken);
        say(_caughtUp ? $"node {node.Id} has caught up" : $"node {node.Id} did not catch up; its log is {node.LogFile}");
    }

    private async Task<long> TotalAsync(CancellationToken cancellationToken)
    {
        var total = 0L;
        await foreach (var entry in clients[0].ScanAsync("account/", "account0", cancellationToken: cancellationToken))
        {
            total += long.Parse(entry.ValueText, CultureInfo.InvariantCulture);
        }

        return total;
    }
}
