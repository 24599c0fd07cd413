using Synod.Core;
using Synod.Database.Ranges;
using Synod.Protocols.Consensus;

namespace Synod.Database;

/// <summary>The node among the others: who lives, who leads what, and where leaders should be.</summary>
public sealed partial class DatabaseNode
{
    private const int BalanceEvery = 10;
    private const int TransfersAtOnce = 8;
    private const int CollectEvery = 600;
    private const int NearlyCaughtUp = 64;

    private readonly SortedDictionary<NodeId, Instant> _heard = [];
    private readonly SortedDictionary<NodeId, ulong> _incarnations = [];
    private readonly List<RequestId> _drainRequests = [];
    private NodeSet _silent;
    private long _ticks;
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
            else if (replica.IsClosing || replica.WakesForBusiness())
            {
                _touched.Enqueue(replica);
            }
        }

        if (_isDraining || _ticks % BalanceEvery == 0)
        {
            Balance();
        }

        if (_ticks % CollectEvery == 0)
        {
            CollectOld();
        }
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
        var context = _step.Context;
        foreach (var replica in _replicas.Values)
        {
            Run(replica, (paxos, inner) => paxos.Submit(Internal, command, context, inner));
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

    private void SpreadDirectory()
    {
        var ranges = new NodeMessage.Ranges([.. _directory.Ranges]);
        foreach (var other in _others)
        {
            _step.Outbox.SendEarly(other, ranges);
        }
    }

    private void AnnounceLeader(RangeReplica replica)
    {
        var leads = new NodeMessage.Leads(replica.Group, _options.Self, replica.Paxos.Ballot);
        _directory.Led(leads.Group, leads.Leader, leads.Term);
        foreach (var other in _others)
        {
            _step.Outbox.SendEarly(other, leads);
        }
    }

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
        _replicas.TryGetValue(message.Group, out var replica);
        if (replica is not null && replica.Handle(message))
        {
            _touched.Enqueue(replica);
            return;
        }

        var leader = replica?.Paxos.Leader ?? _directory.LeaderOf(message.Group);
        if (leader == NodeId.None || leader == _options.Self)
        {
            return;
        }

        // A ballot names its leader. One that was promised to somebody else says nothing of when the leader known here began.
        var term = replica?.Paxos.Ballot is { } ballot && ballot.Node == leader ? ballot : Ballot.None;
        if (from == _options.Self)
        {
            _directory.Led(message.Group, leader, term);
        }
        else
        {
            _step.Outbox.SendEarly(from, new NodeMessage.Leads(message.Group, leader, term));
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
