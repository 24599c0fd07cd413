using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Consensus;

namespace Synod.App.Protocols.Nodes;

/// <summary>A replica of a Multi-Paxos group: the leader proposes, others name it.</summary>
internal sealed class MultiPaxosNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : ExecutingNode<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result>(settings, self, dataFolder, folder, log)
{
    private MultiPaxos? _replica;
    private long _led;

    protected override (long Decisions, long Fast) Led => (_led, 0);

    protected override HostedProtocol<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result> Make(ClientMap map)
    {
        // Reads are not measured here, so no leader needs a lease.
        var options = new MultiPaxosOptions { LeasesEnabled = false, MaxInFlight = 8_192 };
        _replica = new MultiPaxos(Self, Settings.QuorumSystem, options, map);
        return new(_replica, new MultiPaxos.MessageWire(), new MultiPaxos.RecordWire()) { Executed = OnExecuted };
    }

    protected override MultiPaxos.Command CommandOf(Operation operation) => new MultiPaxos.Command.Propose(operation.Payload.Memory);

    protected override OperationOutcome? OutcomeOf(MultiPaxos.Result result) => result switch
    {
        MultiPaxos.Result.NotLeader hint => new OperationOutcome { Kind = OperationOutcome.Types.Kind.Redirected, Node = hint.Hint.Value },
        MultiPaxos.Result.Unavailable => new OperationOutcome { Kind = OperationOutcome.Types.Kind.Refused },
        _ => null,
    };

    private void OnExecuted(Slot slot, MultiPaxos.Command command)
    {
        if (command is MultiPaxos.Command.Propose { Value: var value })
        {
            _led += _replica!.Role == PaxosRole.Leader ? 1 : 0;
            Execute(slot, value);
        }
    }
}
