using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>The protocol with one known mistake each: the random schedules must find it, or they prove nothing.</summary>
public sealed class MutantTests
{
    private const int Seeds = 2_000;

    /// <summary>Mistakes that only leases or snapshots can bring to light; the others show best where leaders change fast.</summary>
    private const MultiPaxosMutation Calm = MultiPaxosMutation.LeaseVoteNotDurable | MultiPaxosMutation.LeaseIgnoredByAcceptor
        | MultiPaxosMutation.StaleLeaseRead | MultiPaxosMutation.SnapshotRegresses | MultiPaxosMutation.NoBarrier;

    /// <summary>Mistakes that need so rare a schedule that it is written by hand, in <see cref="MutantScheduleTests"/>.</summary>
    private const MultiPaxosMutation ByHand = MultiPaxosMutation.PromiseBeforeDurable | MultiPaxosMutation.OldBallotCounted;

    public static TheoryData<int> Mutations =>
        [.. Enum.GetValues<MultiPaxosMutation>()
            .Where(mutation => mutation != MultiPaxosMutation.None && (mutation & ByHand) == 0)
            .Select(mutation => (int)mutation)];

    [Theory]
    [MemberData(nameof(Mutations))]
    public void Random_schedules_find(int mutation)
    {
        var seed = FirstFailure("majority of 3", (MultiPaxosMutation)mutation, out var found);
        Assert.True(seed >= 0, $"{(MultiPaxosMutation)mutation} was not found in {Seeds} seeds");
        TestContext.Current.TestOutputHelper?.WriteLine($"{(MultiPaxosMutation)mutation}: seed {seed}: {found}");
    }

    [Fact]
    public void Quorums_that_need_not_meet_are_found()
    {
        Assert.True(FirstFailure("2/2 of 4", MultiPaxosMutation.None, out _) >= 0);
    }

    private static int FirstFailure(string system, MultiPaxosMutation mutation, out string found)
    {
        found = "";
        for (var seed = 0; seed < Seeds; seed++)
        {
            try
            {
                Run(SimulationTests.System(system), mutation, seed);
            }
            catch (Exception failure) when (failure is InvariantViolation or Xunit.Sdk.XunitException)
            {
                found = failure.Message;
                return seed;
            }
        }

        return -1;
    }

    private static void Run(QuorumSystem quorums, MultiPaxosMutation mutation, int seed)
    {
        if ((mutation & Calm) != 0)
        {
            new RandomCluster(quorums, RandomCluster.Options(mutation), seed).RunBriefly(Duration.FromSeconds(3));
        }
        else
        {
            new RandomCluster(quorums, RandomCluster.Duelling(mutation), seed, stormy: true).RunBriefly(Duration.FromSeconds(1));
        }
    }
}
