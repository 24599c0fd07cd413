using System.Text;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Xunit;
using Inner = Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

using Command = ReconfigurablePaxos.Command;
using Message = ReconfigurablePaxos.Message;
using Model = Model<ReconfigurablePaxos.Message, ReconfigurablePaxos.Record, ReconfigurablePaxos.Command, ReconfigurablePaxos.Result>;
using World = World<ReconfigurablePaxos.Message, ReconfigurablePaxos.Record, ReconfigurablePaxos.Command, ReconfigurablePaxos.Result>;

/// <summary>
/// Every run of three replicas whose leader ends its epoch while another stands for election in it: for each slot one configuration
/// decides, and one command (paxos.md §7).
/// </summary>
public sealed class EpochExplorationTests(ITestOutputHelper output)
{
    private static readonly NodeId s_first = new(1);
    private static readonly NodeId s_second = new(2);
    private static readonly QuorumSystem s_before = SizedQuorums.Majority(TestCluster.Members(3));
    private static readonly QuorumSystem s_after = new SizedQuorums(NodeSet.Of(s_first, s_second), 1, 2);

    [Fact]
    public void An_end_that_is_challenged_ends_the_epoch_once_or_not_at_all_also_with_a_crash() =>
        Explore(new Budgets { Crashes = 1, MayCrash = NodeSet.Of(s_second), MaxDepth = 13 }, 138_072);

    [Theory]
    [InlineData("StopIgnored")]
    [InlineData("BeginsBeforeChosen")]
    public void The_explorer_finds_the_mistake(string mutation)
    {
        var result = Configure(new Budgets { MaxStates = 200_000 }, Enum.Parse<EpochMutation>(mutation)).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
    }

    private void Explore(Budgets budgets, int states)
    {
        var result = Configure(budgets)
            .Sometimes("both in the next epoch", world => world.Nodes.Take(2).All(node => At(node).Configuration!.Epoch == 2))
            .Sometimes("somebody leads the next epoch", world =>
                world.Nodes.Any(node => At(node) is { Configuration.Epoch: 2, Replica.Role: PaxosRole.Leader }))
            .Sometimes("the end was chosen again by another", world => world.Nodes.Any(node =>
                At(node).Configuration!.Epoch == 2 && node.Durable.OfType<ReconfigurablePaxos.Record.OfGroup>()
                    .Any(record => record is { Epoch: 1, Inner: Inner.Record.Accepted { Ballot.Node.Value: 2, Value.Length: > 2 } })))
            .Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.Equal(states, result.States);
    }

    private static Model Configure(Budgets budgets, EpochMutation mutation = EpochMutation.None) => new Model
    {
        Nodes = [.. s_before.Members],
        Make = node => new ReconfigurablePaxos(
            node, new MultiPaxosOptions { LeasesEnabled = false, PreVoteEnabled = false }, new Beginning(Configuration.First(s_before)), mutation),
        Messages = new ReconfigurablePaxos.MessageWire(),
        Records = new ReconfigurablePaxos.RecordWire(),
        Commands = new TextWire(),
        Submissions =
        [
            Ask(s_first, new Inner.Command.Campaign()),
            new(s_first, new Command.Reconfigure(s_after)),
            Ask(s_second, new Inner.Command.Campaign()),
            Ask(s_second, new Inner.Command.Propose(Values.Of("b"))),
        ],
        SettledSubmissions = 1,
        SubmitWhen = static (node, command) => command is not (Command.Reconfigure or Command.Ask { Inner: Inner.Command.Propose })
            || node is ReconfigurablePaxos { Replica.Role: PaxosRole.Leader },
        AlwaysLost = static message => message is Message.Ended or Message.Started
            or Message.OfGroup { Inner: Inner.Message.Heartbeat or Inner.Message.Reject },
        Budgets = budgets,
    }
    .Always("OneCommandForEachSlot", OneCommandForEachSlot)
    .Always("DecidedByItsEpoch", DecidedByItsEpoch);

    private static bool OneCommandForEachSlot(World world)
    {
        var seen = new SortedDictionary<Slot, string>();
        return world.Nodes.SelectMany(node => node.Executions).All(executed =>
        {
            var text = executed.Command.ToString()!;
            return seen.TryAdd(executed.Position, text) || seen[executed.Position] == text;
        });
    }

    /// <summary>What anybody executed above the end of the first epoch was accepted in the second.</summary>
    private static bool DecidedByItsEpoch(World world)
    {
        var executed = world.Nodes.SelectMany(node => node.Executions).ToList();
        var end = executed.Where(item => $"{item.Command}".Contains("Adopt", StringComparison.Ordinal)).Select(item => item.Position).DefaultIfEmpty().Min();
        var accepted = world.Nodes.SelectMany(node => node.Durable).OfType<ReconfigurablePaxos.Record.OfGroup>()
            .Where(record => record.Epoch == 2).Select(record => record.Inner).OfType<Inner.Record.Accepted>().ToList();
        return end == Slot.None || executed.Where(item => item.Position > end).All(
            item => accepted.Any(record => record.Slot.Value == item.Position.Value - end.Value && !record.Value.IsEmpty));
    }

    private static Submission<Command> Ask(NodeId node, Inner.Command command) => new(node, new Command.Ask(command));

    private static ReconfigurablePaxos At(
        NodeView<Message, ReconfigurablePaxos.Record, Command, ReconfigurablePaxos.Result> node) => (ReconfigurablePaxos)node.Protocol;

    /// <summary>A state machine that applies nothing, so that every restart executes from the first slot on.</summary>
    private sealed class Beginning(Configuration first) : IConfiguredState
    {
        public Slot Applied => Slot.None;

        public Configuration? Configuration => first;

        public SnapshotChunk? ReadSnapshot(NodeId reader, int index) => null;

        public void InstallSnapshot(SnapshotChunk chunk) => throw new NotSupportedException("There are no snapshots here.");
    }

    /// <summary>Only what is executed is written, as its text.</summary>
    private sealed class TextWire : IWire<Command>
    {
        public void Write(CodecWriter writer, Command value) => writer.String(value.ToString()!);

        public Command Read(ref CodecReader reader) => new Command.Apply(Encoding.UTF8.GetBytes(reader.String()));
    }
}
