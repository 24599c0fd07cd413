using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Consensus;
using Synod.Storage;

namespace Synod.App.Protocols.Nodes;

/// <summary>A replica of an EPaxos group: each coordinates what its own clients ask. Its state lives in memory, and its log rebuilds it.</summary>
internal sealed class EPaxosNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : HostedProtocolNode<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>(settings, self, dataFolder, folder, log)
{
    // Few instances under way, so that what comes meanwhile shares the next: the batch that 5 ms of a clock would gather, without the wait.
    private const int DefaultPipeline = 2;
    private const int DefaultBlock = 256;

    private EPaxos? _replica;

    protected override (long Decisions, long Fast) Led => (_replica!.FastDecisions + _replica.SlowDecisions, _replica.FastDecisions);

    protected override HostedProtocol<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result> Make(ClientMap map)
    {
        var store = new MemoryStore();
        Map = new ClientMap(store);
        var options = new EPaxosOptions
        {
            Pipeline = Settings.Pipeline > 0 ? Settings.Pipeline : DefaultPipeline,
            BatchCommands = Settings.Block > 0 ? Settings.Block : DefaultBlock,
        };
        _replica = new EPaxos(Self, new EPaxosGroup(Settings.Members), options, Map);
        return new(_replica, new EPaxos.MessageWire(), new EPaxos.RecordWire())
        {
            // Nothing is ever undone: what it would take is not kept.
            Executed = (_, _) => store.Flush(),
        };
    }

    protected override EPaxos.Command CommandOf(Operation operation) =>
        new EPaxos.Command.Invoke(new EPaxos.ClientCommand(operation.Client, operation.Sequence, operation.Payload.Memory));

    protected override OperationOutcome OutcomeOf(EPaxos.Result result) => result switch
    {
        EPaxos.Result.Completed or EPaxos.Result.Outdated => new OperationOutcome { Kind = OperationOutcome.Types.Kind.Done },
        _ => new OperationOutcome { Kind = OperationOutcome.Types.Kind.Refused },
    };
}
