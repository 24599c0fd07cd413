using Synod.Client;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Workloads;

/// <summary>
/// Something that clients do to a cluster, and how to judge what came of it. Written once against <see cref="SynodClient"/>: the
/// same code runs in a simulation, against real processes, and under load.
/// </summary>
public interface IWorkload
{
    string Name { get; }

    /// <summary>Cuts the ranges and writes the first state. The cluster is well.</summary>
    Task SetUpAsync(WorkloadContext context);

    /// <summary>One worker's operations, until <see cref="WorkloadContext.IsStopping"/>. Anything may be broken meanwhile.</summary>
    Task WorkAsync(WorkloadContext context, int worker);

    /// <summary>A key that the workload uses, for whoever cuts ranges meanwhile.</summary>
    string AnyKey(SeededRandom random);

    /// <summary>Reads everything back when the cluster is well again.</summary>
    Task ReadBackAsync(WorkloadContext context);

    /// <summary>What is wrong with everything that was seen; empty if nothing.</summary>
    IReadOnlyList<Anomaly> Judge();
}

/// <summary>What a workload runs on.</summary>
public sealed class WorkloadContext(IReadOnlyList<SynodClient> clients, TimeProvider time, ulong seed)
{
    private readonly long _origin = time.GetTimestamp();
    private volatile bool _isStopping;

    /// <summary>Workers take them in turn.</summary>
    public IReadOnlyList<SynodClient> Clients { get; } = clients;

    public TimeProvider Time { get; } = time;

    public WorkloadStatistics Statistics { get; } = new();

    /// <summary>The nodes that may lead ranges, for spreading them; empty leaves it to the cluster.</summary>
    public IReadOnlyList<int> Leaders { get; init; } = [];

    /// <summary>Whether operations are recorded for the checkers; costs memory for each.</summary>
    public bool KeepsHistory { get; init; } = true;

    /// <summary>How long a worker waits on average between two operations; zero for as fast as it goes.</summary>
    public TimeSpan Pace { get; init; }

    /// <summary>Whether all workers go as fast as they can in the first of every four seconds, whatever their pace.</summary>
    public bool HasBursts { get; init; }

    /// <summary>How long a client may think inside of a transaction, where a workload has such clients; zero for none.</summary>
    public TimeSpan Thinking { get; init; }

    /// <summary>Whether workers start nothing new.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Nanoseconds since the context was made, on one clock for all workers.</summary>
    public long Now
    {
        get
        {
            var ticks = Time.GetTimestamp() - _origin;
            return (long)((Int128)ticks * 1_000_000_000 / Time.TimestampFrequency);
        }
    }

    public SynodClient Client(int worker) => Clients[worker % Clients.Count];

    /// <summary>A worker's own draws: workers may run on different threads.</summary>
    public SeededRandom Random(int worker) => new(seed ^ (0x9e3779b97f4a7c15 * (ulong)(worker + 1)));

    public void Stop() => _isStopping = true;

    /// <summary>The node that should lead the <paramref name="index"/>th range; 0 if it does not matter.</summary>
    public int LeaderOf(int index) => Leaders.Count == 0 ? 0 : Leaders[index % Leaders.Count];

    /// <summary>Waits between two operations of a worker.</summary>
    public Task PaceAsync(SeededRandom random) =>
        Pace == TimeSpan.Zero || (HasBursts && Now / 1_000_000_000 % 4 == 0)
            ? Task.CompletedTask
            : PauseAsync(TimeSpan.FromTicks(random.Below(2 * Pace.Ticks)));

    /// <summary>Waits inside of a transaction, which keeps its locks meanwhile.</summary>
    public Task ThinkAsync(SeededRandom random) => PauseAsync(TimeSpan.FromTicks(random.Below(Thinking.Ticks)));

    /// <summary>Waits a little, on the workload's clock.</summary>
    public Task PauseAsync(TimeSpan length) => Task.Delay(length, Time);
}
