using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Tests.EPaxosRoom.Configuration;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Model = Model<Synod.Protocols.Consensus.EPaxos.Message, Synod.Protocols.Consensus.EPaxos.Record, Synod.Protocols.Consensus.EPaxos.Command, Synod.Protocols.Consensus.EPaxos.Result>;
using Room = Synod.Protocols.Consensus.EPaxos;
using World = World<Synod.Protocols.Consensus.EPaxos.Message, Synod.Protocols.Consensus.EPaxos.Record, Synod.Protocols.Consensus.EPaxos.Command, Synod.Protocols.Consensus.EPaxos.Result>;

/// <summary>
/// Three replicas with interfering commands: every run within the bounds; and many of five (epaxos.md §7). A message that is never
/// delivered is a lost one, and a replica that hears nothing any more is a dead one; a crash in the budget is one that forgets.
/// </summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    /// <summary>§5.1: whoever recovers, and if two do at once, the command and its dependencies are the same or it is the Nop everywhere.</summary>
    [Fact]
    public void One_command_and_two_recoveries_agree() => Report(
        Thrifty(Bounded(0), Put(1, "a"), Suspect(2, 1), Suspect(3, 1))
            .Sometimes("the command is recovered", RecoversTheCommand)
            .Sometimes("the Nop is decided", DecidesTheNop),
        30_598);

    [Fact]
    public void Two_commands_and_the_recovery_of_one_agree() => Report(
        Thrifty(Bounded(0), Put(1, "a"), Put(3, "b"), Suspect(2, 1))
            .Sometimes("a recovery waits", world => world.Nodes.Any(node => ((Room)node.Protocol).MayBeWaiting))
            .Sometimes("both take the slow path", world => Pairs(world).Any(pair => pair.After && pair.Before))
            .Sometimes("one takes the fast path", world => Pairs(world).Any(pair => pair.After != pair.Before))
            .Sometimes("the command is recovered", RecoversTheCommand)
            .Sometimes("the Nop is decided", DecidesTheNop),
        396_647);

    /// <summary>The same without thrift, where everybody is asked: many more messages.</summary>
    [Fact]
    public void One_command_that_all_are_asked_about_and_a_recovery_agree() => Report(
        Of(3, Bounded(0), EPaxosMutation.None, Put(1, "a"), Suspect(2, 1))
            .Sometimes("the command is recovered", RecoversTheCommand)
            .Sometimes("the Nop is decided", DecidesTheNop),
        22_012);

    [Fact]
    public void Two_commands_that_all_are_asked_about_agree() => Report(
        Of(3, Bounded(0), EPaxosMutation.None, Put(1, "a"), Put(3, "b"))
            .Sometimes("both take the slow path", world => Pairs(world).Any(pair => pair.After && pair.Before))
            .Sometimes("one takes the fast path", world => Pairs(world).Any(pair => pair.After != pair.Before)),
        613_681);

    [Theory]
    [InlineData(1, 81_504)]
    [InlineData(2, 86_612)]
    [InlineData(3, 122_939)]
    public void A_recovery_and_a_crash_that_forgets_agree(int crashing, int states) => Report(
        Of(3, Bounded(crashing), EPaxosMutation.None, Put(1, "a"), Suspect(2, 1))
            .Sometimes("the Nop is decided", DecidesTheNop),
        states);

    [Theory]
    [InlineData(3, 2_000)]
    [InlineData(5, 4_000)]
    [InlineData(7, 1_000)]
    public void Random_runs_agree_and_end(int replicas, int runs) => Try(replicas, 1, runs);

    [Fact]
    public void A_hundred_thousand_random_runs_of_five_agree_and_end() => Try(5, 1_000_000, 100_000);

    /// <summary>§9.1: the waves in which Sutra's schedule comes up again and again.</summary>
    [Fact]
    public void Recoveries_that_cross_each_other_agree()
    {
        for (var seed = 0ul; seed < 20_000; seed++)
        {
            EPaxosWaves.Run(seed, EPaxosMutation.None);
        }
    }

    [Theory]
    [InlineData((int)EPaxosMutation.NoValidate, 5)]
    [InlineData((int)EPaxosMutation.NoWaiting, 5)]
    [InlineData((int)EPaxosMutation.VolatilePreAccept, 3)]
    [InlineData((int)EPaxosMutation.VolatileJoin, 3)]
    [InlineData((int)EPaxosMutation.LostDependency, 5)]
    [InlineData((int)EPaxosMutation.EqualRepliesSuffice, 3)]
    [InlineData((int)EPaxosMutation.VolatileCommit, 3)]
    [InlineData((int)EPaxosMutation.VolatileAccept, 3)]
    [InlineData((int)EPaxosMutation.MajorityFastQuorum, 7)]
    public void Random_runs_find(int mutation, int replicas)
    {
        for (var seed = 0ul; seed < 10_000; seed++)
        {
            if (Fault(seed, replicas, (EPaxosMutation)mutation, out _) is { } fault)
            {
                output.WriteLine($"seed {seed}: {fault}");
                return;
            }
        }

        Assert.Fail($"{(EPaxosMutation)mutation} was not found");
    }

    private static string? Fault(ulong seed, int replicas, EPaxosMutation mutation, out EPaxosRun run)
    {
        run = new EPaxosRun(seed, replicas, mutation);
        try
        {
            run.Run();
            return null;
        }
        catch (InvariantViolation violation)
        {
            return violation.Message;
        }
    }

    private void Try(int replicas, ulong first, int runs)
    {
        var (waits, nops, cycles) = (0, 0, 0);
        for (var seed = first; seed < first + (ulong)runs; seed++)
        {
            var fault = Fault(seed, replicas, EPaxosMutation.None, out var run);
            Assert.True(fault is null, $"seed {seed}: {fault}");
            waits += run.Waited ? 1 : 0;
            nops += run.Nops;
            cycles += run.Cycles;
        }

        output.WriteLine($"{runs} runs of {replicas}: {waits} with a wait, {nops} Nops, {cycles} cycles");
        Assert.True((waits > 0 || replicas < 5) && nops > 0 && cycles > 0, "the runs are too tame");
    }

    private static Budgets Bounded(int crashing) => new()
    {
        Crashes = crashing == 0 ? 0 : 1,
        MayCrash = crashing == 0 ? NodeSet.Empty : NodeSet.Of(Sites.Node(crashing)),
        MaxStates = 700_000,
    };

    private static bool RecoversTheCommand(World world) =>
        Decided(world).Any(item => item.Id == Sites.Id(1) && !item.Value.IsNop)
        && Held((Room)world[Sites.Node(1)].Protocol).Any(item => item.Id == Sites.Id(1) && item.Phase == Room.Phase.PreAccepted);

    private static bool DecidesTheNop(World world) => Decided(world).Any(item => item.Value.IsNop);

    private void Report(Model model, int states)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }
}
