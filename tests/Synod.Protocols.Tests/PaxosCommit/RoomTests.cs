using System.Reflection;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Hunts;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;

namespace Synod.Protocols.Tests.PaxosCommitRoom;

/// <summary>Traces, explorations, drawn faults, known mistakes and binary forms of Paxos Commit.</summary>
public sealed class RoomTests(ITestOutputHelper output)
{
    private static readonly NodeId One = new(1);
    private static readonly NodeSet Two = NodeSet.Of(new NodeId(2), new NodeId(3));

    public static TheoryData<string> Traces() => GoldenTraces.Files();

    public static TheoryData<string> Hunted() => [.. PaxosCommitBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => GoldenTraces.Check(
        name,
        script => CommitTraces.Play<PaxosCommit.Message, PaxosCommit.Record, PaxosCommit.Timer>(CommitRooms.Paxos(3), 3, script));

    /// <summary>
    /// F = 0 and F = 1, acceptors beside the leader and the managers: crashes of a manager with restart, and leaders of higher ballots.
    /// </summary>
    [Theory]
    [InlineData(1, 2, 1, 1, 0, 883)]
    [InlineData(1, 2, 1, 1, 1, 434_409)]
    [InlineData(3, 1, 0, 1, 0, 17_467)]
    [InlineData(3, 1, 1, 1, 0, 71_718)]
    [InlineData(3, 2, 0, 1, 0, 661_737)]
    public void Every_run_agrees(int acceptors, int managers, int crashes, int ballots, int inquiries, int states)
    {
        var members = managers == 1 ? NodeSet.Of(new NodeId(2)) : Two;
        var model = Model(acceptors, members, PaxosCommitMutation.None, new Budgets
        {
            Crashes = crashes,
            MayCrash = NodeSet.Of(new NodeId(2)),
            TimersOfKind = Firings(ballots, inquiries),
            MaxStates = 700_000,
        })
        .Sometimes("committed", world => world.Nodes.Count(node => node.Executions.Count > 0) == managers)
        .Sometimes("aborted", world => members.All(node =>
            ((PaxosCommit)world[node].Protocol).Ledger.EndingOf(new(One, 1, 1)) == Ending.Aborted))
        .Eventually("everybody ended", world => world.Nodes.All(node =>
            ((ICommitProtocol)node.Protocol) is { Ledger.InDoubt.Count: 0, Open.Count: 0 }));
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    /// <summary>What is too much to visit whole, at random: crashes of anyone, and up to four leaders of higher ballots.</summary>
    [Fact]
    public void Random_runs_agree()
    {
        var result = Model(3, Two, PaxosCommitMutation.None, new Budgets { Crashes = 2, Duplicates = 1, TimersOfKind = Firings(2, 2) })
            .Wander(seed: 1, walks: 4_000, length: 70);
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.True(result.States > 50_000, "the walks are too short");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void Faults_of_every_kind_and_progress_after_them(int acceptors)
    {
        var total = new CommitRun(0, 0, 0, 0, 0, 0, "");
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var options = CommitRooms.Acceptors(acceptors) with { IsFaster = seed % 3 == 0, Leader = seed % 4 == 0 ? One : NodeId.None };
            total += CommitWorld<PaxosCommit.Message, PaxosCommit.Record>.RunAnywhere(
                seed, CommitRooms.Paxos(options, PaxosCommitMutation.None), 5);
        }

        output.WriteLine(total.ToString());
        Assert.True(total is { Committed: > 1_000, Aborted: > 100, Unknown: > 10, Crashes: > 20 }, total.ToString());
    }

    [Fact]
    public void A_storm_and_progress_after_it()
    {
        var total = new CommitRun(0, 0, 0, 0, 0, 0, "");
        for (ulong seed = 1; seed <= 10; seed++)
        {
            total += CommitWorld<PaxosCommit.Message, PaxosCommit.Record>.RunStormy(
                seed, CommitRooms.Paxos(3), 5, checkpointBytes: 16 << 10);
        }

        output.WriteLine(total.ToString());
        Assert.True(total is { Committed: > 500, Aborted: > 100, Unknown: > 10, Crashes: > 100, Checkpoints: > 50 }, total.ToString());
    }

    [Theory]
    [MemberData(nameof(Hunted))]
    public void The_simulator_finds_the_mistake(string name)
    {
        var bug = PaxosCommitBugs.All.Single(item => item.Name == name);
        for (ulong seed = 1; seed <= 160; seed++)
        {
            if (bug.Run(seed) is { } failure)
            {
                output.WriteLine($"{seed}: {failure.Message}");
                return;
            }
        }

        Assert.Fail("not found in 160 seeds");
    }

    [Theory]
    [InlineData("VoteBeforeDurable", PaxosCommit.OneValueChosen, 11)]
    [InlineData("DefaultToCommit", "CommitValidity", 12)]
    [InlineData("TimeoutMeansAbort", PaxosCommit.OneValueChosen, 8)]
    [InlineData("RecoverWithoutLocks", Ledger.LocksCoverWindow, 5)]
    [InlineData("NoFallback", "nobody is blocked", 9)]
    public void The_explorer_finds_the_mistake(string name, string property, int steps)
    {
        var found = Explore(Enum.Parse<PaxosCommitMutation>(name));
        output.WriteLine(found.ToString());
        Assert.NotNull(found.Counterexample);
        Assert.Contains(property, found.Counterexample.Property, StringComparison.Ordinal);
        Assert.Equal(steps, found.Counterexample.Steps.Count - 1);
    }

    [Fact]
    public void Every_mutation_is_hunted()
    {
        MethodInfo[] hunts =
        [
            typeof(RoomTests).GetMethod(nameof(The_explorer_finds_the_mistake))!,
            typeof(MutantScheduleTests).GetMethod(nameof(MutantScheduleTests.The_schedule_shows_the_mistake))!,
        ];
        var hunted = hunts.SelectMany(method => method.GetCustomAttributesData())
            .Where(data => data.AttributeType == typeof(InlineDataAttribute))
            .Select(data => (string)((IReadOnlyList<CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)[0].Value!);
        Assert.Equal(
            Enum.GetNames<PaxosCommitMutation>().Where(name => name != "None").Order(),
            hunted.Union(PaxosCommitBugs.Mutations.Concat(TruncationTests.Mistakes).Select(mutation => mutation.ToString())).Order());
    }

    [Fact]
    public void Every_message_and_record_survives_its_binary_form()
    {
        var id = new TransactionId(One, 1, 1);
        var begin = CommitModels.Begin(Two);
        var ballot = new Ballot(1 << 24 | 3, new NodeId(2));
        WireChecks.All<PaxosCommit.Message>(
            new PaxosCommit.MessageWire(),
            new PaxosCommit.Message.BeginCommit(id, id, id with { Epoch = 0 }, Two, begin.Branches, [new(One, 3)]),
            new PaxosCommit.Message.Prepare(id, id with { Epoch = 0 }, Two, 0, begin.Branches[0].Writes),
            new PaxosCommit.Message.Prepare(id, id with { Epoch = 0 }, Two, 7, []),
            new PaxosCommit.Message.Phase1a(id, ballot, Two),
            new PaxosCommit.Message.Phase1b(id, ballot, Ballot.None, Two, NodeSet.Of(One)),
            new PaxosCommit.Message.Phase2a(id, ballot, Two, Two),
            new PaxosCommit.Message.Phase2a(id, Ballot.None, Two, Two, id),
            new PaxosCommit.Message.Phase2b(id, ballot, Two, NodeSet.Empty, id),
            new PaxosCommit.Message.Over(id),
            new PaxosCommit.Message.Outbid(id, ballot),
            new PaxosCommit.Message.Decide(id, true),
            new PaxosCommit.Message.Inquire(id, Two),
            new PaxosCommit.Message.Join(id, 7, true),
            new PaxosCommit.Message.Joined(id, 7),
            new PaxosCommit.Message.Closed(id));
        WireChecks.All<PaxosCommit.Record>(
            new PaxosCommit.RecordWire(),
            new PaxosCommit.Record.Booted(3),
            new PaxosCommit.Record.Prepared(new Promise(id, Two, begin.Branches[0].Writes), id),
            new PaxosCommit.Record.Accepted(id, Two, ballot, Ballot.None, Two),
            new PaxosCommit.Record.Ended(id, false),
            new PaxosCommit.Record.Flushed(new Slot(3)),
            new PaxosCommit.Record.Past([id], [new(One, id)]));
    }

    private static ExplorationResult Explore(PaxosCommitMutation mutation)
    {
        var crashes = mutation is PaxosCommitMutation.VoteBeforeDurable or PaxosCommitMutation.ReuseIds
            or PaxosCommitMutation.RecoverWithoutLocks ? 1 : 0;
        if (mutation == PaxosCommitMutation.NoFallback)
        {
            var room = CommitRooms.Paxos(CommitRooms.Acceptors(3), mutation);
            return CommitModels.Mortal(room, 3, One, Two, NodeSet.Of(One), heard: true, new Budgets { MaxStates = 100_000 })
                .Eventually("nobody is blocked", CommitModels.NobodyIsBlocked)
                .Explore();
        }

        var inquiries = mutation == PaxosCommitMutation.DefaultToCommit ? 0 : 1;
        var model = Model(3, Two, mutation, new Budgets { Crashes = crashes, TimersOfKind = Firings(1, inquiries), MaxStates = 400_000 });
        return (mutation == PaxosCommitMutation.ReuseIds
            ? model with { Submissions = [.. model.Submissions, new(One, CommitModels.Begin(Two, "2", "y"))] }
            : model).Explore();
    }

    private static Model<PaxosCommit.Message, PaxosCommit.Record, CommitCommand, CommitResult> Model(
        int acceptors, NodeSet members, PaxosCommitMutation mutation, Budgets budgets) => CommitModels.Of(
            CommitRooms.Paxos(CommitRooms.Acceptors(acceptors) with { Patience = 0 }, mutation), 3, One, members, budgets)
        .Always(PaxosCommit.OneValueChosen, world => PaxosCommit.ChoiceIsKept(
            [.. world.Nodes.Select(node => (PaxosCommit)node.Protocol)]))
        .Always(PaxosCommit.ForgottenIsOver, world => PaxosCommit.ForgetWhatIsOver(
            [.. world.Nodes.Select(node => (PaxosCommit)node.Protocol)]));

    private static SortedDictionary<int, int> Firings(int ballots, int inquiries) => new()
    {
        [(int)PaxosCommit.Timer.Ballot] = ballots,
        [(int)PaxosCommit.Timer.Inquire] = inquiries,
    };
}
