using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;
using Synod.Storage;

namespace Synod.App.Protocols.Nodes;

/// <summary>
/// A replica of a HotStuff group. Its service lives in memory: checkpoints hold it, and the log what came after. Clients ask all replicas and
/// believe f + 1 of them.
/// </summary>
internal sealed class HotStuffNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : HostedProtocolNode<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>(settings, self, dataFolder, folder, log)
{
    private const int DefaultBlock = 400;

    // About as often as PBFT has them: a restart executes what came after the last, and a cut log keeps it.
    private const int CheckpointPeriod = 128;

    private HotStuff? _replica;
    private readonly SigningDomain _domain = OptionsOf(settings).Domain;
    private CountedSigner? _signer;
    private VerifiedAhead? _ahead;
    private LeaderSchedule? _leaders;
    private long _led;

    protected override (long Decisions, long Fast) Led => (_led, 0);

    protected override CountedSigner? Signer => _signer;

    /// <summary>What all members and clients agree on beforehand.</summary>
    public static HotStuffOptions OptionsOf(ProtocolSettings settings) => new()
    {
        Members = settings.Members,
        Rules = new JolteonRules(),
        Leaders = new Rotation(settings.Members, Views: 3),
        Domain = new SigningDomain("hotstuff", settings.Cluster, 0),
        MaxPayload = MapCommand.MaxLength,
        MaxCommands = settings.Block > 0 ? settings.Block : DefaultBlock,
        CheckpointPeriod = CheckpointPeriod,
    };

    protected override HostedProtocol<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result> Make(ClientMap map)
    {
        var options = OptionsOf(Settings);
        var store = new MemoryStore();
        Map = new ClientMap(store);
        _signer = Settings.NodeSigner(Folder, Self);
        _ahead = new VerifiedAhead(_signer);
        _leaders = options.Leaders;
        _replica = new HotStuff(Self, options, _ahead, new SignatureVectors(_signer, options.Members, options.Quorum), Map);
        return new(_replica, new HotStuff.MessageWire(), new HotStuff.RecordWire())
        {
            Executed = (_, _) =>
            {
                _led += _leaders.LeaderOf(_replica.View) == Self ? 1 : 0;

                // Nothing is ever undone: what it would take is not kept.
                store.Flush();
            },
        };
    }

    /// <summary>Checked here, so that the loop has votes to check and little else.</summary>
    protected override HotStuff.Command? CommandOf(Operation operation)
    {
        var (client, signature) = (new NodeId(operation.Client), new Signature(operation.Signature.Memory));
        var statement = new Statements(_domain).Command(client, operation.Sequence, operation.Payload.Memory).ToArray();
        return _ahead!.Check(client, statement, signature) ? new(client, operation.Sequence, operation.Payload.Memory, signature) : null;
    }

    protected override OperationOutcome OutcomeOf(HotStuff.Result result) => result switch
    {
        HotStuff.Result.Executed executed => new OperationOutcome { Kind = OperationOutcome.Types.Kind.Done, Position = executed.Position.Value },
        _ => new OperationOutcome { Kind = OperationOutcome.Types.Kind.Refused },
    };
}
