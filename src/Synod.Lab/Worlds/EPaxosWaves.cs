using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Worlds;

/// <summary>
/// A command that only its coordinator has accepted in the second round trip, and replicas that recover it one after the other. Each
/// asks others than the one before and tells nobody of its decision, as in Sutra's (2019) schedule.
/// </summary>
internal static class EPaxosWaves
{
    private const int Recoveries = 3;
    private const int RoundTrips = 2;

    private static readonly NodeSet s_members = NodeSet.Of(new(1), new(2), new(3));

    /// <exception cref="InvariantViolation">Two decisions differ.</exception>
    public static void Run(ulong seed, EPaxosMutation mutation)
    {
        var (group, options) = (new EPaxosGroup(s_members), new EPaxosOptions { Mutation = mutation });
        var told = new SortedDictionary<EPaxos.InstanceId, EPaxos.Message.Commit>();
        var waves = new Waves<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>(
            seed, s_members, node => new EPaxos(node, group, options, new ReplicatedMap()))
        {
            Watch = (_, outbox) =>
            {
                foreach (var sent in outbox.Messages)
                {
                    if (sent.Message is EPaxos.Message.Commit commit && !told.TryAdd(commit.Id, commit))
                    {
                        Invariant.Check(commit.Equals(told[commit.Id]), EPaxos.Agreement, $"{commit} after {told[commit.Id]}");
                    }
                }
            },
        };
        var (coordinator, other) = (new NodeId(1), new NodeId(2));
        waves.Submit(other, Put(1));
        waves.LoseAll();
        waves.Submit(coordinator, Put(2));
        waves.Roll(NodeSet.Of(other));
        waves.Roll(NodeSet.Of(coordinator));
        for (var recovery = 0; recovery < Recoveries; recovery++)
        {
            waves.LoseAll();
            var leader = waves.AnyNode();
            waves.Submit(leader, new EPaxos.Command.Suspect(new(coordinator, 1)));
            for (var trip = 0; trip < RoundTrips; trip++)
            {
                waves.Roll(waves.Draw());
                waves.Roll(NodeSet.Of(leader));
            }
        }
    }

    private static EPaxos.Command.Invoke Put(int session) =>
        new(new EPaxos.ClientCommand(session, 1, ReplicatedMap.Put(Key.Of("x"), Key.Of("1").Memory)));
}
