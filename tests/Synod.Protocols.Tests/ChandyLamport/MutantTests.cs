using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Hunts;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Model = Model<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;
using Process = Snapshots.ChandyLamport;

/// <summary>
/// The protocol with one known mistake each (snapshots.md §8). A test fails if the explorer, or a random world, does not find the
/// mistake: then it is the tool, or the model, that cannot see.
/// </summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("MarkersOnIncoming", "taken")]
    [InlineData("OwnChannelRecorded", Process.OwnChannelEmpty)]
    [InlineData("RecordStopsLate", Process.OwnChannelEmpty)]
    [InlineData("RecordStopsEarly", Process.CutConsistency)]
    [InlineData("ChannelsIgnored", Process.CutConsistency)]
    [InlineData("StateSavedLate", Process.Conservation)]
    [InlineData("MarkersWithoutOrder", Process.CutConsistency)]
    [InlineData("CountIgnored", Process.CutConsistency)]
    [InlineData("RecordAfterColoured", Process.CutConsistency)]
    [InlineData("SnapshotsConfused", Process.CutConsistency)]
    [InlineData("NoTombstone", Process.RecordedOnce)]
    [InlineData("RecordsUnsettled", Process.Conservation)]
    [InlineData("LaterEpochReceived", Process.Conservation)]
    [InlineData("PieceBeforeDurable", Process.CutIsPast)]
    [InlineData("CompleteBeforeDurable", "ReportedIsKept")]
    [InlineData("DuplicatesDelivered", Process.CutConsistency)]
    public void The_explorer_finds_the_mistake(string mutation, string property)
    {
        var mistake = Enum.Parse<ChandyLamportMutation>(mutation);
        var result = Configuration(mistake, mistake).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(property, result.Counterexample.Property, StringComparison.Ordinal);
        Assert.Null(Configuration(ChandyLamportMutation.None, mistake).Explore().Counterexample);
    }

    public static TheoryData<string> Bugs => [.. ChandyLamportBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void Random_worlds_find_the_mistake(string name)
    {
        var bug = ChandyLamportBugs.All.Single(item => item.Name == name);
        for (var seed = 0ul; seed < 60; seed++)
        {
            if (bug.Run(seed) is { } failure)
            {
                output.WriteLine($"{seed}: {failure.Message}");
                return;
            }
        }

        Assert.Fail("no world shows it");
    }

    /// <summary>By the explorer, by worlds, or by both: some need a rare moment, others a history that is long.</summary>
    [Fact]
    public void Every_mutation_is_hunted()
    {
        var explored = typeof(MutantTests).GetMethod(nameof(The_explorer_finds_the_mistake))!
            .GetCustomAttributesData().Where(data => data.AttributeType == typeof(InlineDataAttribute))
            .Select(data => (string)((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)[0].Value!);
        var hunted = ChandyLamportBugs.All.Select(bug => bug.Name.Replace("snapshot-", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal));
        Assert.Equal(
            Enum.GetNames<ChandyLamportMutation>().Where(name => name != "None").Order(),
            Enum.GetNames<ChandyLamportMutation>().Where(name => explored.Contains(name) || hunted.Contains(name, StringComparer.OrdinalIgnoreCase)).Order());
    }

    /// <summary>The configuration in which <paramref name="shown"/> shows, over a protocol with <paramref name="mutation"/>.</summary>
    private static Model Configuration(ChandyLamportMutation mutation, ChandyLamportMutation shown)
    {
        var small = new Budgets { MaxStates = 40_000 };
        var pair = Topology.Mesh(1, NodeSet.Of(A, B));
        var oneWay = new Topology(2, pair.Members, [new Edge(A, B)]);
        return shown switch
        {
            ChandyLamportMutation.MarkersOnIncoming => Model(Ring, small, mutation: mutation, submissions: [(A, Begin)])
                .Eventually("taken", world => Cuts(world).Any()),
            ChandyLamportMutation.RecordStopsEarly => Model(Mesh, small, mutation: mutation, submissions: [(A, Begin), (C, Transfer(3, B))]),
            ChandyLamportMutation.RecordAfterColoured => Model(
                pair, small, ChannelOrder.Unordered, mutation, (A, Begin), (A, Transfer(2, B))),
            ChandyLamportMutation.CompleteBeforeDurable => (Model(pair, small with { Crashes = 1 }, mutation: mutation, submissions: [(A, Begin)])
                with { Results = new TakenWire() })
                .Always("ReportedIsKept", world => world.Nodes.All(node => node.Answers.All(answer =>
                    node.Durable.OfType<Process.Record.Closed>().Any(closed => closed.Number == answer.Key.Value)))),
            ChandyLamportMutation.MarkersWithoutOrder => Model(
                pair, small, mutation == shown ? ChannelOrder.Unordered : ChannelOrder.Fifo, mutation, (A, Begin), (B, Transfer(1, A))),
            ChandyLamportMutation.CountIgnored => Model(
                pair, small, ChannelOrder.Unordered, mutation, (A, Begin), (A, Transfer(2, B)), (B, Transfer(1, A))),
            ChandyLamportMutation.SnapshotsConfused => Model(
                pair, small, mutation: mutation, submissions: [(A, Begin), (A, Begin), (B, Transfer(1, A)), (B, Begin)]),
            ChandyLamportMutation.NoTombstone => Model(
                pair, small with { TimersOfKind = new SortedDictionary<int, int> { [Limit] = 1 } }, mutation: mutation, submissions: [(A, Begin), (A, Begin)]),
            ChandyLamportMutation.PieceBeforeDurable => Model(
                new Topology(1, NodeSet.Of(A, B), [new Edge(A, B)]),
                small with { Crashes = 1 },
                mutation: mutation,
                submissions: [(A, Transfer(1, B)), (A, Begin)]),
            ChandyLamportMutation.RecordsUnsettled => Model(
                pair,
                small,
                mutation: mutation,
                submissions: [(A, Enter(oneWay)), (A, Begin), (B, Transfer(1, A)), (B, Enter(oneWay))])
                .Sometimes("taken", world => Cuts(world).Any()),
            ChandyLamportMutation.LaterEpochReceived => Model(
                oneWay with { Members = Mesh.Members, Channels = [new(A, B), new(B, A), new(B, C), new(C, B)] },
                small,
                mutation: mutation,
                submissions: [(B, Begin), (A, Enter(Mesh with { Epoch = 3 })), (A, Transfer(1, C))])
                .Sometimes("taken", world => Cuts(world).Any()),
            ChandyLamportMutation.DuplicatesDelivered => Model(
                pair, small with { Duplicates = 1 }, mutation: mutation, submissions: [(B, Transfer(1, A)), (A, Begin)]),
            _ => Model(
                Mesh, small, mutation: mutation, submissions: [(A, Begin), (A, Transfer(1, B)), (B, Transfer(2, A)), (C, Transfer(3, A))]),
        };
    }

    private static Process.Command.Reconfigure Enter(Topology topology) => new(topology, default);

    /// <summary>All that is told here is a snapshot, under the number of its request.</summary>
    private sealed class TakenWire : IWire<Process.Result>
    {
        public void Write(CodecWriter writer, Process.Result value) => writer.Bool(value is Process.Result.Taken);

        public Process.Result? Read(ref CodecReader reader) => reader.Bool() ? new Process.Result.Taken(new Cut(default, default, Mesh, [])) : null;
    }
}
