using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Membership;

using Command = Synod.Protocols.Gossip.Membership.Command;
using Message = Synod.Protocols.Gossip.Membership.Message;
using Process = Synod.Protocols.Gossip.Membership;
using Record = Synod.Protocols.Gossip.Membership.Record;
using Result = Synod.Protocols.Gossip.Membership.Result;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>Every run of three members within budgets (gossip.md §2.5). The numbers of states are part of the claim: a change of them wants a reason.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    private static readonly NodeId[] s_nodes = [new(1), new(2), new(3)];

    [Fact]
    public void Two_members_accuse_bury_and_refute() => Explore(
        Model(2, (Timer.Period, 2), (Timer.Timeout, 1), (Timer.Suspicion, 1), (Timer.Gossip, 2))
            .Sometimes("suspected", world => Sees(world, MemberStatus.Suspect))
            .Sometimes("dead", world => Sees(world, MemberStatus.Dead))
            .Sometimes("refuted", world => world.Nodes.Any(node => At(node).Incarnation > 1)),
        states: 2_174);

    [Fact]
    public void Three_members_with_helpers() => Explore(
        Model(3, (Timer.Period, 2), (Timer.Timeout, 1), (Timer.Suspicion, 1), (Timer.Gossip, 1))
            .Sometimes("dead", world => Sees(world, MemberStatus.Dead)),
        states: 9_866);

    [Fact]
    public void Three_members_and_more_gossip() => Explore(
        Model(3, (Timer.Period, 2), (Timer.Timeout, 1), (Timer.Suspicion, 1), (Timer.Gossip, 2))
            .Sometimes("dead", world => Sees(world, MemberStatus.Dead))
            .Sometimes("refuted", world => world.Nodes.Any(node => At(node).Incarnation > 1)),
        states: 45_402);

    [Fact]
    public void A_restart_exceeds_its_past()
    {
        Explore(
            Crashing(MembershipMutation.None)
            .Sometimes("restarted", world => world.Crashes == 1 && world.Nodes.Any(node => At(node).Incarnation > 1)),
            states: 31_716);
    }

    internal static Model<Message, Record, Command, Result> Crashing(MembershipMutation mutation)
    {
        var model = Model(2, mutation, (Timer.Period, 2), (Timer.Timeout, 1), (Timer.Gossip, 2));
        return model with { Budgets = model.Budgets with { Crashes = 1, PartialWrites = true } };
    }

    private static Process At(NodeView<Message, Record, Command, Result> node) => (Process)node.Protocol;

    private static bool Sees(World<Message, Record, Command, Result> world, MemberStatus status) =>
        world.Nodes.Any(node => At(node).Members.Any(member => member.Status == status));

    internal static Model<Message, Record, Command, Result> Model(int nodes, params (Timer Kind, int Budget)[] timers) =>
        Model(nodes, MembershipMutation.None, timers);

    internal static Model<Message, Record, Command, Result> Model(int nodes, MembershipMutation mutation, params (Timer Kind, int Budget)[] timers)
    {
        var roster = Roster.Numbered(nodes);
        var options = new MembershipOptions { Helpers = 1, GossipFanOut = 1, Confirmations = 1, IncarnationReserve = 1, WorstHealth = 1, Mutation = mutation };
        var budgets = new SortedDictionary<int, int>(Enum.GetValues<Timer>().ToDictionary(kind => (int)kind, _ => 0));
        foreach (var (kind, budget) in timers)
        {
            budgets[(int)kind] = budget;
        }

        return new Model<Message, Record, Command, Result>
        {
            Nodes = [.. s_nodes.Take(nodes)],
            Make = node => new Process(node, MemberDescription.At($"{node.Value}"), options, roster),
            Messages = new Process.MessageWire(),
            Records = new Process.RecordWire(),
            NameTimer = timer => ((Timer)timer.Kind).ToString(),
            Budgets = new Budgets { TimersOfKind = budgets, MaxStates = 150_000 },
        }
        .Always(Process.OnlySelfRaises, world => world.Nodes.All(observer => world.Nodes.All(node =>
            At(observer).Find(node.Id) is not { } member || member.Incarnation <= At(node).Incarnation)))
        .Always(Process.IncarnationIsDurable, world => world.Nodes.All(observer => world.Nodes.All(node =>
            observer.Id == node.Id || At(observer).Find(node.Id) is not { Incarnation: > 1 } member
            || node.Durable.OfType<Record.Reserved>().Any(record => record.Incarnation >= member.Incarnation))))
        .Eventually("ViewsBecomeTrue", world => world.Nodes.All(observer => world.Nodes.All(node =>
            At(observer).Find(node.Id) is { Status: MemberStatus.Alive } member && member.Incarnation == At(node).Incarnation)));
    }

    private void Explore(Model<Message, Record, Command, Result> model, int states)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }
}
