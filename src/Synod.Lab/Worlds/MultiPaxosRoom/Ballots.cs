using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Worlds.MultiPaxosRoom;

using Paxos = Synod.Protocols.Consensus.MultiPaxos;
using Model = Model<Synod.Protocols.Consensus.MultiPaxos.Message, Synod.Protocols.Consensus.MultiPaxos.Record, Synod.Protocols.Consensus.MultiPaxos.Command, Synod.Protocols.Consensus.MultiPaxos.Result>;
using World = World<Synod.Protocols.Consensus.MultiPaxos.Message, Synod.Protocols.Consensus.MultiPaxos.Record, Synod.Protocols.Consensus.MultiPaxos.Command, Synod.Protocols.Consensus.MultiPaxos.Result>;

/// <summary>Small groups in which two replicas stand for election and each proposes a value; leases off.</summary>
internal static class Ballots
{
    public static readonly NodeId First = new(1);
    public static readonly NodeId Second = new(2);

    /// <summary>The first leads, settled or not, and proposes; the second stands for election meanwhile.</summary>
    public static IReadOnlyList<Submission<Paxos.Command>> Challenge { get; } = [Campaign(First), Propose(First, 'a'), Campaign(Second)];

    /// <summary>As before, and the second has a value of its own.</summary>
    public static IReadOnlyList<Submission<Paxos.Command>> TwoBallotsTwoValues { get; } = [.. Challenge, Propose(Second, 'b')];

    /// <summary>Which (ballot, value) pairs were chosen in a slot: accepted by a phase-2 quorum, as their durable records say.</summary>
    public static IEnumerable<Paxos.Record.Accepted> Chosen(World world, QuorumSystem quorums)
    {
        var votes = new Dictionary<(Slot, Ballot), (Paxos.Record.Accepted Vote, NodeSet Voters)>();
        foreach (var node in world.Nodes)
        {
            foreach (var vote in node.Durable.OfType<Paxos.Record.Accepted>())
            {
                var voters = votes.TryGetValue((vote.Slot, vote.Ballot), out var known) ? known.Voters : NodeSet.Empty;
                votes[(vote.Slot, vote.Ballot)] = (vote, voters.With(node.Id));
            }
        }

        return votes.Values.Where(item => quorums.IsPhase2(item.Voters)).Select(item => item.Vote);
    }

    /// <summary>Agreement and stability: no slot ever has two chosen values. Records are never dropped here, so this is over all time.</summary>
    public static bool OneValueIsChosen(World world, QuorumSystem quorums)
    {
        var values = new SortedDictionary<Slot, ReadOnlyMemory<byte>>();
        foreach (var vote in Chosen(world, quorums))
        {
            if (!values.TryAdd(vote.Slot, vote.Value) && !values[vote.Slot].Span.SequenceEqual(vote.Value.Span))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Validity: what anyone ever executed was proposed and is chosen.</summary>
    public static bool ExecutedIsChosen(World world, QuorumSystem quorums)
    {
        if (world.Nodes.All(node => node.Executions.Count == 0))
        {
            return true;
        }

        var chosen = Chosen(world, quorums).ToList();
        return world.Nodes.SelectMany(node => node.Executions).All(executed =>
            chosen.Any(vote => vote.Slot == executed.Position
                && vote.Value.Span.SequenceEqual(((Paxos.Command.Propose)executed.Command).Value.Span)));
    }

    /// <summary>No two replicas executed different commands in a slot, before or after crashes.</summary>
    public static bool ExecutedTheSame(World world)
    {
        var seen = new SortedDictionary<Slot, ReadOnlyMemory<byte>>();
        foreach (var executed in world.Nodes.SelectMany(node => node.Executions))
        {
            var value = ((Paxos.Command.Propose)executed.Command).Value;
            if (!seen.TryAdd(executed.Position, value) && !seen[executed.Position].Span.SequenceEqual(value.Span))
            {
                return false;
            }
        }

        return true;
    }

    public static Model Model(
        QuorumSystem quorums,
        Budgets budgets,
        MultiPaxosMutation mutation = MultiPaxosMutation.None,
        int settled = 0,
        IReadOnlyList<Submission<Paxos.Command>>? script = null)
    {
        var options = new MultiPaxosOptions { LeasesEnabled = false, PreVoteEnabled = false, Mutation = mutation };
        return new Model
        {
            Nodes = [.. quorums.Members],
            Make = node => Paxos.WithUnsafeQuorums(node, quorums, options, new Nothing()),
            Messages = new Paxos.MessageWire(),
            Records = new Paxos.RecordWire(),
            Commands = new ProposalWire(),
            NameTimer = timer => ((MultiPaxosTimer)timer.Kind).ToString(),
            FiringTime = new Instant(options.ElectionTimeout.Nanoseconds),
            Submissions = script ?? Challenge,
            SettledSubmissions = settled,
            SubmitWhen = static (replica, command) => command is not Paxos.Command.Propose || ((Paxos)replica).Role == PaxosRole.Leader,
            AlwaysLost = static message => message is Paxos.Message.Heartbeat or Paxos.Message.Reject,
            Budgets = budgets,
        }
        .Always("OneValueIsChosen", world => OneValueIsChosen(world, quorums))
        .Always("ExecutedIsChosen", world => ExecutedIsChosen(world, quorums))
        .Always("ExecutedTheSame", ExecutedTheSame);
    }

    public static bool Executed(World world, char value) => world.Nodes.SelectMany(node => node.Executions)
        .Any(executed => ((Paxos.Command.Propose)executed.Command).Value.Span[0] == (byte)value);

    public static Submission<Paxos.Command> Campaign(NodeId node) => new(node, new Paxos.Command.Campaign());

    public static Submission<Paxos.Command> Propose(NodeId node, char value) =>
        new(node, new Paxos.Command.Propose(new[] { (byte)value }));

    public static NodeSet Members(int count) => NodeSet.Of([.. Enumerable.Range(1, count).Select(id => new NodeId(id))]);

    public static Paxos Instance(
        NodeView<Paxos.Message, Paxos.Record, Paxos.Command, Paxos.Result> node) => (Paxos)node.Protocol;

    /// <summary>A state machine that applies nothing, so that every restart executes from the first slot on.</summary>
    private sealed class Nothing : IReplicatedState
    {
        public Slot Applied => Slot.None;

        public SnapshotChunk? ReadSnapshot(NodeId reader, int index) => null;

        public void InstallSnapshot(SnapshotChunk chunk) => throw new NotSupportedException("There are no snapshots here.");
    }

    /// <summary>Only executed commands are written.</summary>
    private sealed class ProposalWire : IWire<Paxos.Command>
    {
        public void Write(CodecWriter writer, Paxos.Command value) => writer.Bytes(((Paxos.Command.Propose)value).Value.Span);

        public Paxos.Command Read(ref CodecReader reader) => new Paxos.Command.Propose(reader.Bytes());
    }
}
