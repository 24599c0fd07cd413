using Synod.Core;
using Synod.Lab.Hunts;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.EPaxosRoom;

/// <summary>Seeds and fault plans; then the faults stop and everything must get done, everywhere alike.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(3, false)]
    [InlineData(5, false)]
    [InlineData(7, true)]
    [InlineData(4, true)]
    public void Replicas_survive_machines_and_links(int replicas, bool thrifty)
    {
        var setting = new EPaxosSetting
        {
            Replicas = replicas,
            Options = EPaxosSetting.Impatient with { IsThrifty = thrifty },
            Rumours = true,
        };
        Run(setting, 100, 10, plan: null);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void Replicas_survive_storms(int replicas) =>
        Run(new EPaxosSetting { Replicas = replicas, Rumours = true }, 200, 10, EPaxosSetting.Storm);

    [Fact]
    public void In_calm_weather_nothing_is_recovered()
    {
        var world = new EPaxosWorld(1, new EPaxosSetting { Plan = FaultPlan.Calm, Replicas = 5 });
        world.Run(Duration.FromSeconds(2), Duration.FromSeconds(10));
        output.WriteLine(Describe(world));
        Assert.Equal(0, world.Judge.Nops);
        Assert.True(world.Completed > 500 && world.Judge.Cycles > 0);
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Trace()
        {
            var text = new StringWriter();
            new EPaxosWorld(5, new EPaxosSetting { Rumours = true }, text).Run(Duration.FromSeconds(1), Duration.FromSeconds(60));
            return text.ToString();
        }

        Assert.Equal(Trace(), Trace());
    }

    public static TheoryData<string> Bugs => [.. EPaxosBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void The_storm_finds(string name)
    {
        var bug = EPaxosBugs.All.Single(item => item.Name == name);
        for (var seed = 0ul; seed < 60; seed++)
        {
            if (bug.Run(seed) is { } failure)
            {
                output.WriteLine($"seed {seed}: {failure.Message}");
                return;
            }
        }

        Assert.Fail($"{name} was not found in 60 seeds");
    }

    [Fact]
    public void Every_mutation_is_hunted() => Assert.Equal(
        Enum.GetValues<EPaxosMutation>().Where(mutation => mutation != EPaxosMutation.None).Order(), EPaxosBugs.Mutations.Order());

    [Fact]
    public void A_stream_of_any_size_has_a_bounded_tail()
    {
        for (var seed = 0ul; seed < 40; seed++)
        {
            EPaxosStream.Run(seed, EPaxosMutation.None);
        }
    }

    private void Run(EPaxosSetting setting, ulong first, int seeds, FaultPlan? plan)
    {
        var (completed, nops, cycles, batches, crashes, checkpoints) = (0, 0, 0, 0, 0L, 0L);
        for (var seed = first; seed < first + (ulong)seeds; seed++)
        {
            var world = new EPaxosWorld(seed, setting with { Plan = plan });
            world.Run(Duration.FromSeconds(3), Duration.FromSeconds(60));
            completed += world.Completed;
            nops += world.Judge.Nops;
            cycles += world.Judge.Cycles;
            batches += world.Judge.Batches;
            crashes += world.Crashes;
            checkpoints += world.Checkpoints;
        }

        output.WriteLine($"{completed} answers, {nops} Nops, {cycles} cycles, {batches} batches, {crashes} crashes, {checkpoints} checkpoints");
        Assert.True(completed > 100 * seeds && nops > seeds && cycles > seeds && crashes > 0, "the runs are too tame");
    }

    private static string Describe(EPaxosWorld world) =>
        $"{world.Completed} answers, {world.Judge.Nops} Nops, {world.Judge.Cycles} cycles, {world.Judge.Batches} batches";
}
