using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;
using Synod.Storage;

namespace Synod.App.Protocols.Nodes;

/// <summary>A replica of a PBFT group. Its service lives in memory: checkpoints hold it, and the log what came after.</summary>
internal sealed class PbftNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : HostedProtocolNode<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>(settings, self, dataFolder, folder, log)
{
    private const int DefaultBlock = 400;

    // What comes while batches are agreed on shares the next one, and with it the signatures of three phases. With only one, backups would
    // idle while the primary checks the next.
    private const int DefaultPipeline = 2;

    private Pbft? _replica;
    private readonly SigningDomain _domain = GroupOf(settings).Domain;
    private CountedSigner? _signer;
    private VerifiedAhead? _ahead;
    private long _led;

    protected override (long Decisions, long Fast) Led => (_led, 0);

    protected override CountedSigner? Signer => _signer;

    public static PbftGroup GroupOf(ProtocolSettings settings) => new([.. settings.Members], settings.Cluster, 0);

    /// <summary>What all members and clients agree on beforehand.</summary>
    public static PbftOptions OptionsOf(ProtocolSettings settings) => new()
    {
        MaxOperation = MapCommand.MaxLength,
        MaxBatch = settings.Block > 0 ? settings.Block : DefaultBlock,
        Pipeline = settings.Pipeline > 0 ? settings.Pipeline : DefaultPipeline,

        // A thousand clients of two cores wait half a second for their turn: asking again, which all replicas check again, would only add to it.
        RetryInterval = Duration.FromSeconds(2),
        RequestTimeout = Duration.FromSeconds(2),
    };

    protected override HostedProtocol<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> Make(ClientMap map)
    {
        var store = new MemoryStore();
        Map = new ClientMap(store);
        _signer = Settings.NodeSigner(Folder, Self);
        _ahead = new VerifiedAhead(_signer);
        _replica = new Pbft(Self, GroupOf(Settings), OptionsOf(Settings), _ahead, new NoMacs(), Map);
        return new(new PbftDoor(_replica, Settings.Members), new Pbft.MessageWire(), new Pbft.RecordWire())
        {
            Executed = (_, command) =>
            {
                _led += _replica.IsPrimary && command is Pbft.Command.Apply { Batch.Requests.Length: var requests } ? requests : 0;

                // Nothing is ever undone: what it would take is not kept.
                store.Flush();
            },
        };
    }

    /// <summary>Checked here, and at the nodes that are only told of it while the primary still checks: loops then have votes to check, and little else.</summary>
    protected override Pbft.Command? CommandOf(Operation operation)
    {
        var request = new Pbft.SignedRequest(
            new NodeId(operation.Client), operation.Sequence, operation.Payload.Memory, new Signature(operation.Signature.Memory));
        return !_ahead!.Check(request.Client, request.StatementIn(_domain), request.Signature) ? null
            : new Pbft.Command.Order(operation.Listens ? PbftDoor.Listening(request) : request);
    }

    protected override OperationOutcome? OutcomeOf(Pbft.Result result) => result switch
    {
        Pbft.Result.Completed reply => new OperationOutcome
        {
            Kind = OperationOutcome.Types.Kind.Done,
            Reply = UnsafeByteOperations.UnsafeWrap(reply.Value),
        },
        _ => new OperationOutcome { Kind = OperationOutcome.Types.Kind.Refused },
    };

    /// <summary>Everything is signed: nobody shares a key with anybody.</summary>
    private sealed class NoMacs : IMacs
    {
        public Mac Authenticate(NodeId receiver, ReadOnlySpan<byte> statement) => default;

        public bool Check(NodeId sender, ReadOnlySpan<byte> statement, Mac mac) => false;
    }
}
