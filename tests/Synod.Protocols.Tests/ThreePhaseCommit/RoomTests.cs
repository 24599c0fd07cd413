using System.Reflection;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Hunts;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.ThreePhaseCommitRoom;

/// <summary>Traces, drawn faults, known mistakes and binary forms of three-phase commit.</summary>
public sealed class RoomTests(ITestOutputHelper output)
{
    private static readonly NodeId K = new(1);
    private static readonly NodeSet Two = NodeSet.Of(new NodeId(2), new NodeId(3));

    public static TheoryData<string> Traces() => GoldenTraces.Files();

    public static TheoryData<string> Hunted() => [.. ThreePhaseCommitBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => GoldenTraces.Check(
        name,
        script => CommitTraces.Play<ThreePhaseCommit.Message, ThreePhaseCommit.Record, ThreePhaseCommit.Timer>(
            CommitRooms.ThreePhase(), 4, script));

    [Fact]
    public void Crashes_that_are_detected_and_progress_after_them()
    {
        var total = new CommitRun(0, 0, 0, 0, 0, 0, "");
        for (ulong seed = 1; seed <= 60; seed++)
        {
            total += CommitWorld<ThreePhaseCommit.Message, ThreePhaseCommit.Record>.RunSynchronous(
                seed, CommitRooms.ThreePhase(), 4, checkpointBytes: seed % 2 == 0 ? 8 << 10 : long.MaxValue);
        }

        output.WriteLine(total.ToString());
        Assert.True(total is { Committed: > 5_000, Aborted: > 500, Unknown: > 100, Crashes: > 500, Checkpoints: > 100 }, total.ToString());
    }

    /// <summary>
    /// The same protocol where detectors take a cut, or a slow message, for a crash: chance meets the split of commit.md §2.3 as well.
    /// </summary>
    [Fact]
    public void Suspicion_that_is_wrong_splits_it_by_chance()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            try
            {
                CommitWorld<ThreePhaseCommit.Message, ThreePhaseCommit.Record>.RunAnywhere(seed, CommitRooms.ThreePhase(), 4);
            }
            catch (SimulationFailure failure) when (failure.Invariant == Ledger.Agreement)
            {
                output.WriteLine(failure.Message);
                return;
            }
            catch (SimulationFailure)
            {
                // Another way to show that the outcome was not one.
            }
        }

        Assert.Fail("not split in 20 seeds");
    }

    [Theory]
    [MemberData(nameof(Hunted))]
    public void The_simulator_finds_the_mistake(string name)
    {
        var bug = ThreePhaseCommitBugs.All.Single(item => item.Name == name);
        for (ulong seed = 1; seed <= 60; seed++)
        {
            if (bug.Run(seed) is { } failure)
            {
                output.WriteLine($"{seed}: {failure.Message}");
                return;
            }
        }

        Assert.Fail("not found in 60 seeds");
    }

    [Theory]
    [InlineData("CommitWithoutAcks", "AnswerTold", 7)]
    [InlineData("CommitOverWaiting", Ledger.Agreement, 11)]
    [InlineData("AbortOverPreCommitted", "AnswerTold", 10)]
    [InlineData("FirstBackDecides", "AnswerTold", 16)]
    [InlineData("ObeysTheOld", Ledger.Agreement, 11)]
    [InlineData("RecoverWithoutLocks", Ledger.LocksCoverWindow, 5)]
    public void The_explorer_finds_the_mistake(string name, string property, int steps)
    {
        var found = Explore(Enum.Parse<ThreePhaseCommitMutation>(name));
        output.WriteLine(found.ToString());
        Assert.NotNull(found.Counterexample);
        Assert.Contains(property, found.Counterexample.Property, StringComparison.Ordinal);
        Assert.Equal(steps, found.Counterexample.Steps.Count - 1);
    }

    [Fact]
    public void Every_mutation_is_hunted()
    {
        var hunted = typeof(RoomTests).GetMethod(nameof(The_explorer_finds_the_mistake))!.GetCustomAttributesData()
            .Where(data => data.AttributeType == typeof(InlineDataAttribute))
            .Select(data => (string)((IReadOnlyList<CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)[0].Value!);
        Assert.Equal(
            Enum.GetNames<ThreePhaseCommitMutation>().Where(name => name != "None").Order(),
            hunted.Union(ThreePhaseCommitBugs.Mutations.Append(TruncationTests.Mistake).Concat(ForgettingTests.Mistakes).Select(mutation => mutation.ToString())).Order());
    }

    [Fact]
    public void Every_message_and_record_survives_its_binary_form()
    {
        var id = new TransactionId(K, 1, 1);
        var promise = new Promise(id, Two, CommitModels.Begin(Two).Branches[0].Writes);
        WireChecks.All<ThreePhaseCommit.Message>(
            new ThreePhaseCommit.MessageWire(),
            new ThreePhaseCommit.Message.CanCommit(id, id with { Epoch = 0 }, [new Settlement(K, id)], Two, 0, promise.Writes),
            new ThreePhaseCommit.Message.CanCommit(id, id, [], Two, 7, []),
            new ThreePhaseCommit.Message.Join(id, 7, false),
            new ThreePhaseCommit.Message.Joined(id, 7),
            new ThreePhaseCommit.Message.Closed(id),
            new ThreePhaseCommit.Message.Vote(id, Choice.Yes, id with { Epoch = 0 }),
            new ThreePhaseCommit.Message.PreCommit(id),
            new ThreePhaseCommit.Message.AckPre(id),
            new ThreePhaseCommit.Message.Decide(id, true),
            new ThreePhaseCommit.Message.StateReq(id),
            new ThreePhaseCommit.Message.StateRep(id, ThreePhaseCommit.Standing.Forgotten),
            new ThreePhaseCommit.Message.Inquire(id, true));
        WireChecks.All<ThreePhaseCommit.Record>(
            new ThreePhaseCommit.RecordWire(),
            new ThreePhaseCommit.Record.Booted(3),
            new ThreePhaseCommit.Record.Prepared(promise, id with { Epoch = 0 }),
            new ThreePhaseCommit.Record.PreCommitted(id),
            new ThreePhaseCommit.Record.Ended(id, true, Two),
            new ThreePhaseCommit.Record.Decided(id, Two),
            new ThreePhaseCommit.Record.Flushed(new Slot(3)),
            new ThreePhaseCommit.Record.Past([id]));
    }

    /// <summary>The configuration in which the mistake shows: processes that come back, or processes that do not.</summary>
    private static ExplorationResult Explore(ThreePhaseCommitMutation mutation)
    {
        var room = CommitRooms.ThreePhase(mutation);
        return mutation is ThreePhaseCommitMutation.FirstBackDecides or ThreePhaseCommitMutation.RecoverWithoutLocks
            ? CommitModels.Of(room, 3, K, Two, new Budgets { Crashes = 2, Timers = 2, MaxStates = 300_000 }).Explore()
            : CommitModels.Mortal(
                room, 3, K, Two, NodeSet.Of(K, new NodeId(2)), heard: true, new Budgets { MaxStates = 300_000 }).Explore();
    }
}
