using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Nodes;
using Synod.Database.Ranges;
using Synod.Protocols.Consensus;
using Synod.Storage;

namespace Synod.Database;

/// <summary>A node's own timers; those of its replicas come after, one set for each group.</summary>
internal enum NodeTimer
{
    /// <summary>Heartbeats to the other nodes, and a look at transactions, leaders and silent peers.</summary>
    Tick,

    /// <summary>A group's next command may have become visible.</summary>
    Apply,

    /// <summary>A client's commit timestamp may have passed.</summary>
    Answer,

    /// <summary>A group has something to propose.</summary>
    Propose,

    /// <summary>The first of the timers of consensus; those of gossip come after, at <see cref="NodeGossip.FirstTimer"/>.</summary>
    Consensus,
}

/// <summary>
/// A whole node of the database as one state machine: it multiplexes the consensus of many groups and stacks a range on each. A
/// simulator and a process run this same object.
/// </summary>
public sealed partial class DatabaseNode : Protocol<NodeMessage, NodeRecord, Api.Request, Api.Response>
{
    /// <summary>The group of the range that a new cluster begins with.</summary>
    public const ulong FirstGroup = 1;

    private static readonly RequestId Internal = new(-1);

    private readonly DatabaseOptions _options;
    private readonly IStore _store;
    private readonly RangeDirectory _directory;
    private readonly StepScope _step;
    private readonly SortedList<ulong, RangeReplica> _replicas = [];
    private readonly SortedDictionary<ulong, List<MultiPaxos.Record>> _orphans = [];
    private readonly Queue<RangeReplica> _touched = [];
    private readonly List<RangeReplica> _settled = [];
    private readonly Outbox<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result> _inner = new();
    private readonly NodeGossip _gossip;
    private NodeSet _others;
    private long _boot;
    private long _groupsDrawn;
    private bool _checkpointBegun;

    /// <param name="store">Holds what survived of the applied state; the node is its only user.</param>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public DatabaseNode(DatabaseOptions options, IStore store)
    {
        var ids = options.Nodes.Select(node => node.Id).ToArray();
        if (ids.Distinct().Count() != ids.Length || ids.Any(id => id.Value is < 1 or >= NodeSet.Capacity))
        {
            throw new ArgumentException($"Node ids are numbers from 1 to {NodeSet.Capacity - 1}, each used once.");
        }

        if (!ids.Contains(options.Self))
        {
            throw new ArgumentException($"Node {options.Self.Value} is not among the nodes of the cluster: {string.Join(", ", ids)}.");
        }

        _options = options;
        _store = store;
        _others = NodeSet.Of(ids).Without(options.Self);
        _directory = new RangeDirectory { Mutation = options.Mutation };
        _step = new StepScope(options.Self, _directory, new NodeBook(options.Nodes));
        _gossip = new NodeGossip(options, _step);
        InitialReplicas = options.InitialReplicas ?? NodeSet.Of([.. ids.Order().Take(options.ReplicationFactor)]);
        _ = options.Quorums(InitialReplicas).Validated();
    }

    /// <summary>The replicas of the range that a new cluster begins with.</summary>
    public NodeSet InitialReplicas { get; }

    /// <summary>How often this node has started, this time included.</summary>
    public long BootEpoch => _boot;

    /// <summary>The state of this node's replica of a group.</summary>
    internal RangeState StateOf(ulong group) => _replicas[group].State;

    public override void State(StateVisitor visitor)
    {
        visitor.Visit("boot", ref _boot);
        visitor.Visit("drawn", ref _groupsDrawn);
        _gossip.State(visitor);
        foreach (var replica in _replicas.Values)
        {
            replica.Paxos.State(visitor);
        }
    }

    public override void CheckInvariants()
    {
        foreach (var replica in _settled)
        {
            replica.CheckInvariants();
        }

        _settled.Clear();
    }

    public override void BeginCheckpoint()
    {
        _checkpointBegun = true;
        foreach (var replica in _replicas.Values)
        {
            replica.Paxos.BeginCheckpoint();
        }
    }

    public override void Checkpoint(StepContext context, Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> outbox)
    {
        _step.Enter(context, outbox);
        _checkpointBegun = false;
        outbox.Persist(new NodeRecord.Boot(_boot));
        foreach (var node in _step.Nodes.Met)
        {
            outbox.Persist(new NodeRecord.Met(node));
        }

        _gossip.Checkpoint();
        foreach (var (group, records) in _orphans)
        {
            foreach (var record in records)
            {
                outbox.Persist(new NodeRecord.Consensus(group, record));
            }
        }

        foreach (var replica in _replicas.Values)
        {
            replica.Paxos.Checkpoint(context, _inner);
            Carry(replica);
        }
    }

    protected override void OnRecover(
        IEnumerable<NodeRecord> records, StepContext context, Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> outbox)
    {
        _step.Enter(context, outbox);
        List<NodeRecord> gossip = [];
        foreach (var record in records)
        {
            switch (record)
            {
                case NodeRecord.Boot boot:
                    _boot = Math.Max(_boot, boot.Epoch);
                    break;
                case NodeRecord.Consensus consensus:
                    if (!_orphans.TryGetValue(consensus.Group, out var list))
                    {
                        _orphans.Add(consensus.Group, list = []);
                    }

                    list.Add(consensus.Record);
                    break;
                case NodeRecord.Met met:
                    Meet(met.Node);
                    break;
                case NodeRecord.Membership or NodeRecord.Rumor or NodeRecord.Average:
                    gossip.Add(record);
                    break;
            }
        }

        // Durable before anything drawn from it can be told: every send waits for the records before it.
        outbox.Persist(new NodeRecord.Boot(++_boot));
        foreach (var group in StoredGroups())
        {
            Open(group);
        }

        if (_directory.Find(FirstGroup) is null && InitialReplicas.Contains(_options.Self) && _options.Incarnation == 0)
        {
            var first = new RangeDescriptor(FirstGroup, KeySpan.All, 1, InitialReplicas, InitialReplicas.First());
            RangeState.Create(_store, first, Slot.None);
            Open(FirstGroup);
        }

        StartTicking();
        _gossip.Recover(gossip, _others);
        Settle();
    }

    protected override void OnReceive(
        NodeId from, NodeMessage message, StepContext context, Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> outbox)
    {
        _step.Enter(context, outbox);
        if (message is NodeMessage.Gossip gossip)
        {
            _gossip.Receive(from, gossip);
            Settle();
            return;
        }

        if (from != _options.Self && !_others.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        Heard(from);
        switch (message)
        {
            case NodeMessage.Consensus m:
                if (FindOrAdopt(m.Group) is { } replica)
                {
                    replica.Paxos.Receive(from, m.Message, context, _inner);
                    Carry(replica);
                }
                else
                {
                    outbox.Refuse(Refusal.Unknown);
                }

                break;
            case NodeMessage.Heartbeat m:
                OnHeartbeat(from, m);
                break;
            case NodeMessage.Ranges or NodeMessage.Leads:
                OnNews(message);
                break;
            case NodeMessage.ToLeader m:
                OnToLeader(from, m);
                break;
            case NodeMessage.AskState m:
                OnAskState(from, m);
                break;
            case NodeMessage.HasState m:
                OnHasState(from, m);
                break;
        }

        Settle();
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> outbox)
    {
        _step.Enter(context, outbox);
        switch ((NodeTimer)timer.Kind)
        {
            case NodeTimer.Tick:
                Tick();
                break;
            case NodeTimer.Apply or NodeTimer.Answer:
                if (_replicas.TryGetValue((ulong)timer.Key, out var waiting))
                {
                    _touched.Enqueue(waiting);
                }

                break;
            case NodeTimer.Propose:
                if (_replicas.TryGetValue((ulong)timer.Key, out var leading))
                {
                    Propose(leading);
                }

                break;
            case >= (NodeTimer)NodeGossip.FirstTimer:
                _gossip.Fire(timer);
                break;
            default:
                if (_replicas.TryGetValue((ulong)timer.Key, out var replica))
                {
                    replica.Paxos.Fire(new TimerId(timer.Kind - (int)NodeTimer.Consensus), context, _inner);
                    Carry(replica);
                }

                break;
        }

        Settle();
    }

    protected override void OnSubmit(
        RequestId request, Api.Request command, StepContext context, Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> outbox)
    {
        _step.Enter(context, outbox);
        Serve(request, command);
        Settle();
    }
}
