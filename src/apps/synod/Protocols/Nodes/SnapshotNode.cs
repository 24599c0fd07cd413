using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.App.Protocols.Snapshots;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Snapshots;

namespace Synod.App.Protocols.Nodes;

/// <summary>A branch of a bank under <see cref="ChandyLamport"/>: it sends money to the others, and begins snapshots and restores of them all.</summary>
internal sealed class SnapshotNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    : HostedProtocolNode<ChandyLamport.Message, ChandyLamport.Record, ChandyLamport.Command, ChandyLamport.Result>(settings, self, dataFolder, folder, log)
{
    /// <summary>What each branch has in the beginning.</summary>
    public const long Money = 1_000_000;

    protected override HostedProtocol<ChandyLamport.Message, ChandyLamport.Record, ChandyLamport.Command, ChandyLamport.Result> Make(ClientMap map) => new(
        new ChandyLamport(
            Self,
            Topology.Mesh(1, Settings.Members),
            new ChandyLamportOptions { Order = Settings.Unordered ? ChannelOrder.Unordered : ChannelOrder.Fifo },
            new Branch(Self, Settings.Nodes.Count, Money)),
        new ChandyLamport.MessageWire(),
        new ChandyLamport.RecordWire());

    protected override ChandyLamport.Command? CommandOf(Operation operation) => SnapshotOperation.Read(operation.Payload.Memory);

    protected override OperationOutcome OutcomeOf(ChandyLamport.Result result) => result switch
    {
        ChandyLamport.Result.Acted acted => new() { Kind = Branch.IsSent(acted.Told) ? OperationOutcome.Types.Kind.Done : OperationOutcome.Types.Kind.Aborted },
        ChandyLamport.Result.Taken taken => new()
        {
            Kind = OperationOutcome.Types.Kind.Done,
            Reply = UnsafeByteOperations.UnsafeWrap(SnapshotOperation.Write(taken.Cut)),
        },
        ChandyLamport.Result.Restored => new() { Kind = OperationOutcome.Types.Kind.Done },
        _ => new()
        {
            Kind = OperationOutcome.Types.Kind.Refused,
            Reply = ByteString.CopyFromUtf8(result is ChandyLamport.Result.Failed failed ? failed.Reason.ToString() : result.GetType().Name),
        },
    };
}
