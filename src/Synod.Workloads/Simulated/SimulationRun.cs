using Synod.Client;
using Synod.Core;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>
/// A workload on a simulated cluster: set up in calm, work under faults, then no faults and progress demanded, then everything
/// read back and judged. One thread, one seed, one verdict.
/// </summary>
public static class SimulationRun
{
    private static readonly Duration SetUpLimit = Duration.FromSeconds(60);
    private static readonly Duration RecoveryLimit = Duration.FromSeconds(120);
    private static readonly Duration Settling = Duration.FromSeconds(6);

    /// <summary>The workloads by name.</summary>
    public static IReadOnlyDictionary<string, Func<IWorkload>> Workloads { get; } =
        new SortedDictionary<string, Func<IWorkload>>(StringComparer.Ordinal)
        {
            ["bank"] = () => new BankWorkload(new BankOptions()),
            ["list-append"] = () => new ListAppendWorkload(),
            ["register"] = () => new RegisterWorkload(),
            ["ring"] = () => new RingWorkload(),
            ["tickets"] = () => new TicketWorkload(),
        };

    /// <exception cref="ArgumentException">There is no such workload.</exception>
    public static SimulationVerdict Execute(SimulationOptions options)
    {
        if (!Workloads.TryGetValue(options.Workload, out var make))
        {
            throw new ArgumentException(
                $"There is no workload '{options.Workload}'. Use one of: {string.Join(", ", Workloads.Keys)}.");
        }

        var plan = options.Plan ?? FaultPlan.Swarm(options.Seed);
        plan = options.Bug?.Adapt(plan) ?? plan;
        var database = new SimulatedDatabase(options, plan);
        var workload = make();
        WorkloadContext? context = null;
        var failure = Find(database.World, () =>
        {
            context = Prepare(database, options);
            Run(database, workload, context, options, plan.Faults.Any(fault => fault is LostDisks));
        });
        return new SimulationVerdict
        {
            Seed = options.Seed,
            Workload = workload.Name,
            Plan = plan.ToString(),
            Failure = failure,
            TraceHash = database.World.Trace.HashText,
            Simulated = database.World.Elapsed,
            Events = database.World.Events,
            Progress = (context?.Statistics ?? new WorkloadStatistics()).Progress(),
            Faults = database.CountFaults(),
        };
    }

    private static SimulationFailure? Find(SimulatedWorld world, Action run)
    {
        try
        {
            run();
            return null;
        }
        catch (SimulationFailure failure)
        {
            return failure;
        }
        catch (InvariantViolation violation)
        {
            return world.Failure(violation.Invariant, NodeId.None, violation.Message, violation);
        }
        catch (SynodUnavailableException unavailable)
        {
            return world.Failure("ProgressWithoutFaults", NodeId.None, unavailable.Message, unavailable);
        }
        catch (Exception thrown)
        {
            return world.Failure($"No{thrown.GetType().Name}", NodeId.None, thrown.Message, thrown);
        }
    }

    private static WorkloadContext Prepare(SimulatedDatabase database, SimulationOptions options)
    {
        // Some seeds have impatient clients, who report more outcomes as unknown.
        var random = database.World.Random;
        var patience = TimeSpan.FromSeconds(random.Below(2) == 0 ? 20 : 4);
        SynodClient[] clients = [database.AddClient(patience), database.AddClient(patience), database.AddClient(patience)];
        return new WorkloadContext(clients, new SimulatedTime(database.World, TimeSpan.Zero), options.Seed)
        {
            // Bursts find other things than a steady trickle; and a run costs what its operations cost.
            HasBursts = random.Below(8) == 0,
            Pace = TimeSpan.FromMilliseconds(random.Between(40, 200)),
            Thinking = options.Bug?.Thinking ?? TimeSpan.FromMilliseconds(random.Below(8) == 0 ? random.Between(50, 500) : 0),
            Leaders = [.. database.Cluster.Nodes.Select(node => node.Value)],
        };
    }

    private static void Run(
        SimulatedDatabase database, IWorkload workload, WorkloadContext context, SimulationOptions options, bool losesDisks)
    {
        var (world, scheduler) = (database.World, database.Scheduler);
        database.Cluster.Start();
        Demand(database, () => workload.SetUpAsync(context), SetUpLimit, "SetUpEnds");
        context.Statistics.Reset(context.Now);

        List<Task> workers = [];
        database.Injector.Start();
        if (losesDisks)
        {
            database.Operator.Start();
        }

        scheduler.Run(
            () =>
            {
                var count = options.Bug?.Workers ?? options.Workers;
                workers.AddRange(Enumerable.Range(0, count).Select(worker => workload.WorkAsync(context, worker)));
                if (world.Random.Below(2) == 0)
                {
                    workers.Add(new Rearrangement(workload, database.Cluster.Nodes).WorkAsync(context, count));
                }

                return context.PauseAsync(TimeSpan.FromTicks(options.Length.Nanoseconds / 100));
            },
            world.Elapsed + options.Length + options.Length);
        ThrowIfBroken(database, workers);

        // Liveness: no fault any more, so the cluster must recover and commit again.
        database.Injector.Stop();
        Demand(database, () => context.PauseAsync(TimeSpan.FromTicks(Settling.Nanoseconds / 100)), RecoveryLimit, "TimePasses");
        var before = context.Statistics.Progress();
        Demand(
            database,
            async () =>
            {
                var progress = before;
                while (progress.Committed == before.Committed && !workers.Exists(worker => worker.IsFaulted))
                {
                    await context.PauseAsync(TimeSpan.FromMilliseconds(100));
                    progress = context.Statistics.Progress();
                }

                context.Stop();
                await Task.WhenAll(workers);
            },
            RecoveryLimit,
            "ProgressAfterFaults");
        if (losesDisks)
        {
            Demand(database, () => Until(context, () => database.Operator.EveryRangeIsWhole), RecoveryLimit, "LostReplicasReturn");
            Demand(database, () => Until(context, () => database.Operator.NewsIsEverywhere), RecoveryLimit, "NewsReachesEveryNode");
            Demand(database, () => Until(context, () => database.RetiredGroupsAreGone), RecoveryLimit, "RetiredGroupsGo");
        }

        Demand(database, () => workload.ReadBackAsync(context), RecoveryLimit, "ReadBackEnds");
        if (workload.Judge() is [var first, ..])
        {
            throw world.Failure(first.Name, NodeId.None, first.Detail);
        }
    }

    private static async Task Until(WorkloadContext context, Func<bool> holds)
    {
        while (!holds())
        {
            await context.PauseAsync(TimeSpan.FromMilliseconds(100));
        }
    }

    private static void Demand(SimulatedDatabase database, Func<Task> work, Duration limit, string name)
    {
        if (!database.Scheduler.Run(work, database.World.Elapsed + limit))
        {
            throw database.World.Failure(name, NodeId.None, $"not done after {limit}");
        }
    }

    private static void ThrowIfBroken(SimulatedDatabase database, List<Task> workers)
    {
        if (workers.Find(worker => worker.IsFaulted) is { Exception.InnerException: { } thrown })
        {
            throw database.World.Failure($"No{thrown.GetType().Name}", NodeId.None, thrown.Message, thrown);
        }
    }
}
