using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;
using Synod.Protocols.Consensus;
using Synod.Protocols.Gossip;
using MembershipRoom = Synod.Protocols.Gossip.Membership;

namespace Synod.Database;

/// <summary>What nodes say to each other.</summary>
public abstract record NodeMessage
{
    /// <summary>
    /// Any node to any, every tick: I am alive; this is how much I know of the ranges; this is which incarnation of the node I am.
    /// </summary>
    public sealed record Heartbeat(ulong DirectoryVersions, ulong Incarnation) : NodeMessage;

    /// <summary>Any node to one that knows less of the ranges, and to all as a rumor when a range changes.</summary>
    public sealed record Ranges(IReadOnlyList<RangeDescriptor> Known) : NodeMessage;

    /// <summary>A node to all as a rumor when it has become a group's leader, and to one that took it for the leader.</summary>
    public sealed record Leads(ulong Group, NodeId Leader, Ballot Term) : NodeMessage;

    /// <summary>A node with a replica of a retired group to each member of a group that serves its keys since: have you its state?</summary>
    public sealed record AskState(ulong Group) : NodeMessage;

    /// <summary>
    /// The answer, when it is durable: this incarnation of the node has a state of the group, and makes it again by itself after a crash.
    /// </summary>
    public sealed record HasState(ulong Group, ulong Incarnation) : NodeMessage;

    /// <summary>What is heard from whoever has the cluster's key, whether or not this node knows it.</summary>
    public abstract record Gossip : NodeMessage, IGossipMessage
    {
        public virtual Transport Transport => Transport.Datagram;
    }

    /// <summary>Who is there.</summary>
    public sealed record Membership(MembershipRoom.Message Message) : Gossip
    {
        public override Transport Transport => Message.Transport;
    }

    /// <summary>What changed in the directory.</summary>
    public sealed record Rumor(Plumtree.Message Message) : Gossip;

    /// <summary>How the cluster fares.</summary>
    public sealed record Average(Aggregation.Message Message) : Gossip;

    /// <summary>A replica to another one of the same group.</summary>
    public sealed record Consensus(ulong Group, MultiPaxos.Message Message) : NodeMessage;

    /// <summary>To the leader of a group, about a transaction; a node that does not lead it answers with <see cref="Leads"/>.</summary>
    public abstract record ToLeader(ulong Group, TransactionId Id) : NodeMessage;

    /// <summary>Coordinator to participant: vote. Safe to repeat.</summary>
    public sealed record Prepare(
        ulong Group, TransactionId Id, Age Age, ulong Coordinator, Ballot ReadTerm, IReadOnlyList<KeyWrite> Writes)
        : ToLeader(Group, Id);

    /// <summary>
    /// Participant to coordinator: yes, with the promise of its Prepare record, after that is chosen; or no, which binds nobody: it
    /// asks a coordinator that has told nobody of a commit to abort.
    /// </summary>
    public sealed record Vote(ulong Group, TransactionId Id, ulong Participant, bool Yes, Promise Promise) : ToLeader(Group, Id);

    /// <summary>
    /// Coordinator to participant, when a new leader has found the transaction staged: is it prepared? Answered by a yes vote, or by
    /// <see cref="Prevented"/>. Safe to repeat.
    /// </summary>
    public sealed record QueryPrepare(ulong Group, TransactionId Id, ulong Coordinator) : ToLeader(Group, Id);

    /// <summary>Participant to coordinator, after its Fence is chosen: the transaction is not prepared there and never will be.</summary>
    public sealed record Prevented(ulong Group, TransactionId Id, ulong Participant) : ToLeader(Group, Id);

    /// <summary>Coordinator to participant, after the decision is chosen and, for a commit, its timestamp has passed.</summary>
    public sealed record Resolve(ulong Group, TransactionId Id, ulong Coordinator, Outcome Outcome) : ToLeader(Group, Id);

    /// <summary>Participant to coordinator: the outcome is applied here and never asked for again.</summary>
    public sealed record Resolved(ulong Group, TransactionId Id, ulong Participant) : ToLeader(Group, Id);

    /// <summary>A participant that waits for an outcome to the coordinator's group.</summary>
    public sealed record Inquire(ulong Group, TransactionId Id, ulong Participant) : ToLeader(Group, Id);
}

/// <summary>What a node makes durable.</summary>
public abstract record NodeRecord
{
    /// <summary>A start of the node: counts up, so that nothing drawn from it is drawn twice.</summary>
    public sealed record Boot(long Epoch) : NodeRecord;

    /// <summary>A record of one of its replicas.</summary>
    public sealed record Consensus(ulong Group, MultiPaxos.Record Record) : NodeRecord;

    /// <summary>Where another node is, so that those who come back after a stop of all find each other, whoever is missing.</summary>
    public sealed record Met(NodeDescriptor Node) : NodeRecord;

    /// <summary>Of its membership.</summary>
    public sealed record Membership(MembershipRoom.Record Record) : NodeRecord;

    /// <summary>Of the rumors that it started.</summary>
    public sealed record Rumor(RumorRecord Record) : NodeRecord;

    /// <summary>Of its part in averages.</summary>
    public sealed record Average(Aggregation.Record Record) : NodeRecord;
}
