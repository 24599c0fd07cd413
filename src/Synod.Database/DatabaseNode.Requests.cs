using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Protocols.Consensus;
using Synod.Protocols.Gossip;

namespace Synod.Database;

/// <summary>What clients ask: of a range, or of the node itself.</summary>
public sealed partial class DatabaseNode
{
    private void Serve(RequestId request, Api.Request body)
    {
        if (Responses.Fault(body) is { } fault)
        {
            _step.Answer(request, Responses.Refused(fault));
            return;
        }

        _served++;
        switch (body.BodyCase)
        {
            case Api.Request.BodyOneofCase.Directory:
                _step.Answer(request, new Api.Response { Directory = Describe() });
                break;
            case Api.Request.BodyOneofCase.Status:
                _step.Answer(request, new Api.Response { Status = Status() });
                break;
            case Api.Request.BodyOneofCase.Drain:
                _isDraining = true;
                _drainRequests.Add(request);
                break;
            case Api.Request.BodyOneofCase.Meet:
                _gossip.Meet(new NodeId(body.Meet.Node));
                _step.Answer(request, Responses.Done());
                break;
            default:
                ServeRange(request, body);
                break;
        }
    }

    private void ServeRange(RequestId request, Api.Request body)
    {
        if (_replicas.TryGetValue(body.Group, out var replica))
        {
            replica.Handle(request, body);
            _touched.Enqueue(replica);
        }
        else
        {
            // It never was here, or this node has not heard of it yet: the directory tells the client where to look.
            _step.Answer(request, new Api.Response { WrongRange = Describe() });
        }
    }

    private Api.Directory Describe()
    {
        var directory = new Api.Directory();
        foreach (var range in _directory.Ranges.Where(range => !range.IsRetired))
        {
            directory.Ranges.Add(RangeDirectory.Describe(range, LeaderOf(range.Group)));
        }

        directory.Nodes.AddRange(DescribeNodes());
        return directory;
    }

    private NodeId LeaderOf(ulong group) =>
        _replicas.TryGetValue(group, out var replica) && replica.Paxos.Leader != NodeId.None
            ? replica.Paxos.Leader
            : _directory.LeaderOf(group);

    private IEnumerable<Api.Node> DescribeNodes() => _step.Nodes.Nodes.Select(node => new Api.Node
    {
        Id = node.Id.Value,
        Address = node.ClientAddress,
        Alive = !_silent.Contains(node.Id),
        NodeAddress = node.Address,
        Status = Status(node.Id),
        RoundTrip = _gossip.RoundTrip(node.Id)?.Nanoseconds ?? 0,
    });

    private Api.Node.Types.Status Status(NodeId node) => _gossip.Membership.Find(node)?.Status switch
    {
        MemberStatus.Alive => Api.Node.Types.Status.Alive,
        MemberStatus.Suspect => Api.Node.Types.Status.Suspect,
        MemberStatus.Dead => Api.Node.Types.Status.Dead,
        MemberStatus.Left => Api.Node.Types.Status.Left,
        _ => Api.Node.Types.Status.Unspecified,
    };

    private Api.NodeStatus Status()
    {
        var clock = _step.Context.TrueTime;
        var status = new Api.NodeStatus
        {
            Node = _options.Self.Value,
            Boot = _boot,
            Version = _options.Version,
            ClockWidth = clock.IsTrusted ? (clock.Latest - clock.Earliest).Nanoseconds : -1,
            ClockSource = _options.ClockSource,
            Draining = _isDraining,
        };
        status.Nodes.AddRange(DescribeNodes());
        status.Cluster = _gossip.Averages;
        foreach (var replica in _replicas.Values.Where(replica => !replica.State.Descriptor.IsRetired))
        {
            status.Groups.Add(Describe(replica));
        }

        return status;
    }

    private Api.GroupStatus Describe(RangeReplica replica)
    {
        var paxos = replica.Paxos;
        var status = new Api.GroupStatus
        {
            Range = replica.Describe(replica.State.Descriptor),
            Role = paxos.Role.ToString(),
            Term = Responses.Term(paxos.Ballot),
            Chosen = paxos.Chosen.Value,
            Applied = replica.State.Applied.Value,
            Prepared = replica.State.Prepared.Count,
            Locks = replica.Leader?.LockCount ?? 0,
            Quiescent = paxos.IsQuiescent,
        };
        if (paxos.Role == PaxosRole.Leader)
        {
            status.LeaseLeft = (paxos.Lease.End - _step.Context.TrueTime.Latest).Nanoseconds;
            foreach (var member in replica.State.Descriptor.Replicas)
            {
                status.Lag.Add(Math.Max(0, paxos.Chosen.Value - paxos.Progress(member).Value));
            }
        }

        return status;
    }
}
