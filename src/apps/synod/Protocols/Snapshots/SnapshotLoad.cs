using System.Diagnostics;
using Google.Protobuf;
using HdrHistogram;
using Synod.Api;
using Synod.App.Protocols.Load;
using Synod.App.Protocols.Nodes;
using Synod.Protocols.Snapshots;

namespace Synod.App.Protocols.Snapshots;

/// <summary>What snapshots showed that were taken while money moved.</summary>
/// <param name="Taken">Complete snapshots.</param>
/// <param name="Failed">Those that their initiator gave up, by the reason that it says.</param>
/// <param name="Unknown">Those whose initiator was killed, or was not there to be asked.</param>
/// <param name="Latencies">Of complete ones, from the wish to the cut.</param>
/// <param name="InChannels">Messages that were found in channels, over all cuts.</param>
/// <param name="MostInChannels">In one cut.</param>
/// <param name="Inconsistent">Cuts that no run of the system passes through.</param>
/// <param name="WrongTotal">Cuts with another sum than the bank has.</param>
internal sealed record SnapshotTally(
    long Taken, IReadOnlyDictionary<string, long> Failed, long Unknown, HistogramBase Latencies, long InChannels, long MostInChannels, long Inconsistent, long WrongTotal)
{
    /// <summary>A percentile in milliseconds.</summary>
    public double At(double percentile) => Taken == 0 ? 0 : Math.Round(Latencies.GetValueAtPercentile(percentile) / 1_000.0, 3);
}

/// <summary>What the last cut shows, and what the bank was after it had been put back.</summary>
/// <param name="Acknowledged">Transfers.</param>
/// <param name="Lost">Acknowledged, and of no branch.</param>
/// <param name="Repeated">Sent more often than asked for.</param>
/// <param name="Money">In accounts and channels.</param>
/// <param name="Checkpoints">Of all nodes, each since it was started last.</param>
/// <param name="RestoredInChannels">Messages in channels of the cut that everything was put back to.</param>
/// <param name="IsRestored">Whether every branch then has what it had, and what was on its way to it.</param>
internal sealed record SnapshotAudit(long Acknowledged, long Lost, long Repeated, long Money, long Checkpoints, int RestoredInChannels, bool IsRestored);

/// <summary>Clients that move money between branches, and snapshots meanwhile, one after the other from each of several places.</summary>
internal sealed class SnapshotLoad(ProtocolCluster cluster, ProtocolRunOptions options, int initiators, TimeSpan pause)
{
    private const int MostAmount = 100;
    private const long LongestMicroseconds = 600_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly LongHistogram _latencies = new(LongestMicroseconds, 3);
    private readonly InvariantMonitor _consistent = new("CutConsistency", cut => cut.Inconsistency() is null);
    private readonly InvariantMonitor _conserved = new("Conservation", cut => Branch.Money(cut) == options.Nodes * SnapshotNode.Money);
    private readonly SortedDictionary<string, long> _failed = new(StringComparer.Ordinal);
    private long _unknown;
    private long _inChannels;
    private long _mostInChannels;
    private Cut? _fullest;

    /// <summary>All the money that there is.</summary>
    public long Total => options.Nodes * SnapshotNode.Money;

    /// <summary>Runs the load, with snapshots from before its measured time until its end.</summary>
    public async Task<(ProtocolLoad Load, LoadResult Result, SnapshotTally Snapshots)> RunAsync(
        TimeSpan warmup, TimeSpan length, IReadOnlyList<int> killed, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var taking = Enumerable.Range(0, initiators).Select(first => TakeAsync(first, over.Token)).ToArray();
        var load = new ProtocolLoad(cluster, options, Transfer);
        var result = await load.RunAsync(warmup, length, killed, cancellationToken);
        await over.CancelAsync();
        await Task.WhenAll(taking);
        return (load, result, new SnapshotTally(
            _consistent.Observed, _failed, _unknown, _latencies, _inChannels, _mostInChannels, _consistent.Broken.Count, _conserved.Broken.Count));
    }

    /// <summary>Looks at a cut in which everything has come to rest, then puts the system back to the fullest one of the run.</summary>
    public async Task<SnapshotAudit> AuditAsync(ProtocolLoad load, CancellationToken cancellationToken)
    {
        var last = await RestAsync(cancellationToken);
        var sent = Branch.Sent(last);
        var (lost, repeated) = (0L, 0L);
        for (var worker = 0; worker < options.Clients; worker++)
        {
            var (tally, count) = (load.Tallies[worker], sent.GetValueOrDefault(ProtocolSettings.FirstClient + worker));
            lost = Math.Max(lost, tally.Done - count);
            repeated = Math.Max(repeated, count - tally.Done - tally.AllUnknown);
        }

        var checkpoints = 0L;
        foreach (var node in cluster.Connections)
        {
            checkpoints += (await node.CountAsync(cancellationToken)).Checkpoints;
        }

        return new(
            load.Tallies.Sum(tally => tally.Done),
            lost,
            repeated,
            Branch.Money(last),
            checkpoints,
            _fullest?.InChannels.Count() ?? 0,
            _fullest is { } cut && await RestoreAsync(cut, cancellationToken));
    }

    /// <summary>To any branch but the one that is asked.</summary>
    private byte[] Transfer(int client, long sequence, Random random) => SnapshotOperation.Of(
        Branch.Transfer(client, 1 + random.Next(MostAmount), 1 + random.Next(options.Nodes - 1)));

    private async Task TakeAsync(int first, CancellationToken over)
    {
        for (var node = first; !over.IsCancellationRequested; node++)
        {
            var start = Stopwatch.GetTimestamp();
            var outcome = await AskAsync(node % options.Nodes, SnapshotOperation.Snapshot, over);
            if (over.IsCancellationRequested)
            {
                return;
            }

            Take(outcome, Stopwatch.GetElapsedTime(start));
            await Task.Delay(pause, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(OperationOutcome? outcome, TimeSpan latency)
    {
        lock (_gate)
        {
            if (outcome is null)
            {
                _unknown++;
                return;
            }

            if (outcome.Kind != OperationOutcome.Types.Kind.Done)
            {
                var reason = outcome.Reply.ToStringUtf8();
                _failed[reason] = _failed.GetValueOrDefault(reason) + 1;
                return;
            }

            var cut = CutIn(outcome);
            _consistent.Observe(cut);
            _conserved.Observe(cut);
            _latencies.RecordValue(Math.Clamp((long)latency.TotalMicroseconds, 1, LongestMicroseconds));
            var inChannels = cut.InChannels.Count();
            _inChannels += inChannels;
            if (_fullest is null || inChannels > _mostInChannels)
            {
                (_fullest, _mostInChannels) = (cut, inChannels);
            }
        }
    }

    /// <summary>A cut without a message in a channel: no client asks any more, so there is one soon.</summary>
    private async Task<Cut> RestAsync(CancellationToken cancellationToken)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Patience;)
        {
            if (await AskAsync(0, SnapshotOperation.Snapshot, cancellationToken) is { Kind: OperationOutcome.Types.Kind.Done } outcome
                && CutIn(outcome) is var cut && !cut.InChannels.Any())
            {
                return cut;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        cluster.Keep = true;
        throw new InvalidOperationException($"Nobody sends money, and there is no cut without some in a channel after {Patience.TotalSeconds} s: the nodes' logs in {cluster.Folder} may say why.");
    }

    private async Task<bool> RestoreAsync(Cut cut, CancellationToken cancellationToken)
    {
        if (await AskAsync(options.Nodes - 1, SnapshotOperation.BackTo(cut), cancellationToken) is not { Kind: OperationOutcome.Types.Kind.Done })
        {
            return false;
        }

        var restored = await RestAsync(cancellationToken);
        return Branch.Money(restored) == Total
            && Branch.Accounts(restored, arrived: true).SequenceEqual(Branch.Accounts(cut, arrived: true))
            && Branch.Sent(restored).OrderBy(item => item.Key).SequenceEqual(Branch.Sent(cut).OrderBy(item => item.Key));
    }

    private async Task<OperationOutcome?> AskAsync(int node, byte[] operation, CancellationToken cancellationToken)
    {
        var told = new TaskCompletionSource<OperationOutcome?>(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Connections[node].Send(
            new Operation { Client = ProtocolSettings.FirstClient, Payload = UnsafeByteOperations.UnsafeWrap(operation) }, outcome => told.TrySetResult(outcome));
        try
        {
            return await told.Task.WaitAsync(Patience, cancellationToken);
        }
        catch (Exception waited) when (waited is TimeoutException or OperationCanceledException)
        {
            // What becomes of it is nothing to anyone here.
            return null;
        }
    }

    private static Cut CutIn(OperationOutcome outcome) =>
        SnapshotOperation.ReadCut(outcome.Reply.Memory) ?? throw new InvalidOperationException("A node answered with bytes that are no cut.");
}
