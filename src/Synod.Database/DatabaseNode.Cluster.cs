using System.Text;
using Synod.Core;
using Synod.Database.Nodes;
using Synod.Database.Ranges;
using Synod.Protocols.Consensus;
using Synod.Protocols.Gossip;

namespace Synod.Database;

/// <summary>The node among the others: who lives, who leads what, and where leaders should be.</summary>
public sealed partial class DatabaseNode
{
    private const int BalanceEvery = 10;
    private const int TransfersAtOnce = 8;
    private const int CollectEvery = 600;
    private const int NearlyCaughtUp = 64;

    private readonly SortedList<NodeId, Instant> _heard = [];
    private readonly SortedList<NodeId, ulong> _incarnations = [];
    private readonly List<RequestId> _drainRequests = [];
    private NodeSet _silent;
    private long _ticks;
    private long _met;
    private long _served;
    private bool _isDraining;

    private void StartTicking()
    {
        foreach (var other in _others)
        {
            _heard[other] = _step.Context.Now;
        }

        _step.Outbox.SetTimer(new TimerId((int)NodeTimer.Tick), _step.Context.Now + _options.Tick);
    }

    private void Tick()
    {
        var now = _step.Context.Now;
        _ticks++;
        if (_ticks % BalanceEvery == 0)
        {
            BuryRetired();
        }

        _step.Outbox.SetTimer(new TimerId((int)NodeTimer.Tick), now + _options.Tick);
        var heartbeat = new NodeMessage.Heartbeat(_directory.VersionSum, _options.Incarnation);
        foreach (var other in _others)
        {
            // A heartbeat claims nothing that could be contradicted after a crash.
            _step.Outbox.SendEarly(other, heartbeat);
            if (now - _heard[other] > _options.SilenceLimit && !_silent.Contains(other))
            {
                _silent = _silent.With(other);
                TellReplicas(new MultiPaxos.Command.PeerDown(other));
            }
        }

        foreach (var replica in _replicas.Values)
        {
            if (replica.Leader is { IsBusy: true } leader && replica.HoldsLease)
            {
                leader.Tick();
                _touched.Enqueue(replica);
            }
            else if (replica.WakesForBusiness() || replica.IsClosing)
            {
                _touched.Enqueue(replica);
            }
        }

        if (_isDraining || _ticks % BalanceEvery == 0)
        {
            Balance();
        }

        if (_ticks % BalanceEvery == 0)
        {
            ObserveSelf();
            _gossip.LookFor(_others);
        }

        if (_ticks % CollectEvery == 0)
        {
            CollectOld();
        }
    }

    /// <summary>What this node adds to the averages over the cluster.</summary>
    private void ObserveSelf()
    {
        _gossip.Observe(Metric.Replicas, _replicas.Values.Count(replica => !replica.State.Descriptor.IsRetired));
        _gossip.Observe(Metric.Leads, _replicas.Values.Count(replica => replica.Paxos.Role == PaxosRole.Leader));
        _gossip.Observe(Metric.Requests, _served * 1_000 / (_options.Tick * BalanceEvery).Milliseconds);
        _served = 0;
    }

    private void CollectOld()
    {
        foreach (var replica in _replicas.Values)
        {
            // Without a lease, too: an outdated leader's proposal is not chosen, and an idle range has old versions as well.
            if (replica.Leader is { } leader)
            {
                leader.CollectOld();
                _touched.Enqueue(replica);
            }
        }
    }

    private void Heard(NodeId from)
    {
        if (from == _options.Self)
        {
            return;
        }

        _heard[from] = _step.Context.Now;
        if (_silent.Contains(from))
        {
            _silent = _silent.Without(from);
            TellReplicas(new MultiPaxos.Command.PeerUp(from));
        }
    }

    private void TellReplicas(MultiPaxos.Command command)
    {
        foreach (var replica in _replicas.Values)
        {
            Submit(replica, command);
        }
    }

    private void OnHeartbeat(NodeId from, NodeMessage.Heartbeat message)
    {
        _incarnations[from] = message.Incarnation;
        if (message.DirectoryVersions < _directory.VersionSum)
        {
            _step.Outbox.SendEarly(from, new NodeMessage.Ranges([.. _directory.Ranges]));
        }
    }

    /// <summary>Tells every node what changed in the directory, so that clients hear it from whomever they ask.</summary>
    private void Spread(NodeMessage news)
    {
        if (_options.Mutation.HasFlag(DatabaseMutation.TellNobody) || _gossip.Spread(news))
        {
            return;
        }

        // Keys may be longer than a rumor.
        foreach (var other in _others)
        {
            _step.Outbox.SendEarly(other, news);
        }
    }

    private void AnnounceLeader(RangeReplica replica)
    {
        var leads = new NodeMessage.Leads(replica.Group, _options.Self, replica.Paxos.Ballot);
        _directory.Led(leads.Group, leads.Leader, leads.Term);
        Spread(leads);
    }

    private void OnNews(NodeMessage news)
    {
        if (news is NodeMessage.Leads leads)
        {
            OnLeads(leads);
            return;
        }

        foreach (var range in ((NodeMessage.Ranges)news).Known)
        {
            _directory.Merge(range);
        }
    }

    /// <summary>Takes in what gossip has brought in this step.</summary>
    private void HearGossip()
    {
        while (_gossip.TryTakeNews(out var news))
        {
            OnNews(news);
        }

        while (_gossip.TryTakeChange(out var member))
        {
            OnMember(member);
        }
    }

    /// <summary>Another node is somewhere, or no longer. Where it is goes to the host; what it holds or leads is not for gossip to say.</summary>
    private void OnMember(Member member)
    {
        if (member.Id == _options.Self || member.Id.Value >= NodeSet.Capacity || !member.IsLive)
        {
            return;
        }

        var (address, clients) = (Text(member.Description.Address), Text(member.Description.Tags));
        var node = new NodeDescriptor(member.Id, clients, address);
        if (Meet(node))
        {
            _step.Outbox.Persist(new NodeRecord.Met(node));
        }
    }

    /// <summary>Notes where another node is, and tells the host. True if it was news.</summary>
    private bool Meet(NodeDescriptor node)
    {
        if (!_step.Nodes.Note(node))
        {
            return false;
        }

        _step.Outbox.Execute(new Slot(++_met), new Api.Request { Meet = new Api.Meet { Node = node.Id.Value, Address = node.Address } });
        if (!_others.Contains(node.Id))
        {
            _others = _others.With(node.Id);
            _heard[node.Id] = _step.Context.Now;
        }

        return true;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private void OnLeads(NodeMessage.Leads message)
    {
        if (!_directory.Led(message.Group, message.Leader, message.Term))
        {
            return;
        }

        foreach (var replica in _replicas.Values)
        {
            if (replica.Leader is { IsBusy: true } leader && replica.HoldsLease)
            {
                leader.OnMoved(message.Group);
                _touched.Enqueue(replica);
            }
        }
    }

    private void OnToLeader(NodeId from, NodeMessage.ToLeader message)
    {
        var group = _directory.SpeakerOf(message.Group);
        _replicas.TryGetValue(group, out var replica);
        if (replica is not null && replica.Handle(message))
        {
            _touched.Enqueue(replica);
            return;
        }

        var leader = replica?.Paxos.Leader ?? _directory.LeaderOf(group);
        if (leader == NodeId.None || leader == _options.Self)
        {
            return;
        }

        // A ballot names its leader. One that was promised to somebody else says nothing of when the leader known here began.
        var term = replica?.Paxos.Ballot is { } ballot && ballot.Node == leader ? ballot : Ballot.None;
        if (from == _options.Self)
        {
            _directory.Led(group, leader, term);
        }
        else
        {
            _step.Outbox.SendEarly(from, new NodeMessage.Leads(group, leader, term));
        }
    }

    /// <summary>Moves leaders to where they are preferred, or away from a node that drains. A few at a time: each pauses its range.</summary>
    private void Balance()
    {
        var moving = 0;
        var leads = 0;
        foreach (var replica in _replicas.Values)
        {
            if (replica.Paxos.Role != PaxosRole.Leader)
            {
                LeaveStranger(replica);
                continue;
            }

            leads++;
            if (Comeback(replica) is { } comeback && moving++ < TransfersAtOnce)
            {
                replica.BeginSuccession(comeback, _incarnations[comeback]);
                _touched.Enqueue(replica);
                continue;
            }

            if (Successor(replica) is not { } to)
            {
                continue;
            }

            if (moving++ < TransfersAtOnce)
            {
                replica.BeginTransfer(to);
                _touched.Enqueue(replica);
            }
        }

        if (_isDraining && (leads == 0 || moving == 0))
        {
            foreach (var request in _drainRequests)
            {
                _step.Answer(request, Responses.Done());
            }

            _drainRequests.Clear();
        }
    }

    /// <summary>
    /// Whoever led the group came back without its disk, as another incarnation: it is no member, and leads nothing here any more. Nobody
    /// would miss it in a group that has fallen silent, for the node itself is heard.
    /// </summary>
    private void LeaveStranger(RangeReplica replica)
    {
        var leader = replica.Paxos.Leader;
        if (_incarnations.TryGetValue(leader, out var incarnation)
            && replica.State.Descriptor.IncarnationOf(leader) != incarnation
            && !_options.Mutation.HasFlag(DatabaseMutation.FollowStrangers))
        {
            Submit(replica, new MultiPaxos.Command.PeerDown(leader));
        }
    }

    /// <summary>A member that lost its disk and is back as another incarnation, which the group does not know.</summary>
    private NodeId? Comeback(RangeReplica replica)
    {
        var range = replica.State.Descriptor;
        foreach (var (node, incarnation) in _incarnations)
        {
            if (!range.IsRetired && range.Replicas.Contains(node) && range.IncarnationOf(node) != incarnation && !_silent.Contains(node))
            {
                return node;
            }
        }

        return null;
    }

    private NodeId? Successor(RangeReplica replica)
    {
        var preferred = replica.State.Descriptor.PreferredLeader;
        if (!_isDraining)
        {
            return preferred != _options.Self && IsCaughtUp(replica, preferred) ? preferred : null;
        }

        foreach (var other in replica.State.Descriptor.Replicas.Without(_options.Self))
        {
            if (IsCaughtUp(replica, other))
            {
                return other;
            }
        }

        return null;
    }

    private bool IsCaughtUp(RangeReplica replica, NodeId node) =>
        !_silent.Contains(node) && replica.Paxos.Chosen.Value - replica.Paxos.Progress(node).Value <= NearlyCaughtUp;
}
