using System.Collections.Immutable;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

using Machine = Protocol<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;

/// <summary>The smallest group: four replicas, of which one may be faulty, with primaries in the order A, B, C, D; and two clients.</summary>
internal sealed class Quartet
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public static readonly NodeId D = new(4);
    public static readonly NodeId X = new(8);
    public static readonly NodeId Y = new(9);
    public static readonly ImmutableArray<NodeId> Replicas = [A, B, C, D];

    private readonly Pbft.Statements _statements;

    public Quartet(PbftOptions options, int replicas = 4)
    {
        Options = options;
        Group = new PbftGroup([.. HotStuffGroup.Members(replicas)], "test", 1);
        _statements = new(Group.Domain);
    }

    public static PbftOptions Small { get; } = new() { CheckpointPeriod = 4, ReadsDirectly = false };

    public PbftOptions Options { get; }

    public PbftGroup Group { get; }

    public IdealSignatures Keys { get; } = new();

    public SortedDictionary<NodeId, Counters> Services { get; } = [];

    /// <summary>The machine of a node, in its first state.</summary>
    public Machine Make(NodeId node) => Group.Members.Contains(node) ? Replica(node) : new PbftClient(node, Group, Options, Keys.SignerOf(node));

    public Pbft Replica(NodeId node)
    {
        var service = Services[node] = new Counters();
        return new Pbft(node, Group, Options, Keys.SignerOf(node), Keys.MacsOf(node), service);
    }

    public Pbft.SignedRequest Request(NodeId client, long timestamp, string operation, bool isRead = false)
    {
        var bytes = Counters.Bytes(operation);
        return new(
            client, timestamp, bytes, Keys.SignerOf(client).Sign(_statements.Request(client, timestamp, bytes.Span, isRead)));
    }

    /// <summary>Whether a client signed a request.</summary>
    public bool IsSigned(Pbft.SignedRequest request) => Keys.Verify(
        request.Client, _statements.Request(request.Client, request.Timestamp, request.Operation.Span, isRead: false), request.Signature);

    public Pbft.Batch Batch(string operation, long timestamp = 1) => new([Request(X, timestamp, operation)]);

    public Signature Sign(NodeId node, Pbft.Phase phase, long view, long slot, Digest digest) =>
        Keys.SignerOf(node).Sign(_statements.Vote(phase, view, new Slot(slot), digest));

    /// <summary>A vote's proof in whichever way the group authenticates.</summary>
    public Pbft.Authenticator Prove(NodeId node, Pbft.Phase phase, long view, long slot, Digest digest)
    {
        if (!Options.UsesCodes)
        {
            return new Pbft.Authenticator.Signed(Sign(node, phase, view, slot, digest));
        }

        var codes = ImmutableArray.CreateBuilder<Mac>();
        foreach (var replica in Group.Replicas)
        {
            codes.Add(Keys.MacsOf(node).Authenticate(replica, _statements.Vote(phase, view, new Slot(slot), digest)));
        }

        return new Pbft.Authenticator.Coded(codes.ToImmutable());
    }

    public Pbft.Message.PrePrepare PrePrepare(NodeId node, long view, long slot, Pbft.Batch batch) =>
        new(view, new Slot(slot), batch.Digest, batch, Prove(node, Pbft.Phase.PrePrepare, view, slot, batch.Digest));

    public Pbft.Message.Prepare Prepare(NodeId node, long view, long slot, Digest digest) =>
        new(view, new Slot(slot), digest, Prove(node, Pbft.Phase.Prepare, view, slot, digest));

    public Pbft.Message.Commit Commit(NodeId node, long view, long slot, Digest digest) =>
        new(view, new Slot(slot), digest, Prove(node, Pbft.Phase.Commit, view, slot, digest));

    public Pbft.Message.Checkpoint Checkpoint(NodeId node, long slot, Digest state) =>
        new(new Slot(slot), state, Keys.SignerOf(node).Sign(_statements.Checkpoint(new Slot(slot), state)));

    public Pbft.CheckpointProof Proven(long slot, Digest state, params NodeId[] signers) => slot == 0
        ? new(Slot.None, Digest.None, [])
        : new(new Slot(slot), state, [.. signers.Select(node => new Endorsement(node, Checkpoint(node, slot, state).Signature))]);

    /// <summary>A certificate of a view whose primary is the first of the signers.</summary>
    public Pbft.Prepared Prepared(long view, long slot, Digest digest, params NodeId[] signers) => Options.UsesCodes
        ? new(view, new Slot(slot), digest, default, [])
        : new(
            view,
            new Slot(slot),
            digest,
            Sign(signers[0], Pbft.Phase.PrePrepare, view, slot, digest),
            [.. signers.Skip(1).Select(node => new Endorsement(node, Sign(node, Pbft.Phase.Prepare, view, slot, digest)))]);

    public Pbft.Message.ViewChange ViewChange(
        NodeId node, long view, IEnumerable<Pbft.Prepared>? prepared = null, Pbft.CheckpointProof? stable = null)
    {
        var change = new Pbft.Message.ViewChange(
            node, view, stable ?? Proven(0, default), [.. prepared ?? []], [], default);
        return Signed(change);
    }

    public Pbft.Message.ViewChange Signed(Pbft.Message.ViewChange change) =>
        change with { Signature = Keys.SignerOf(change.Sender).Sign(_statements.ViewChange(change)) };

    public Pbft.Message.NewView NewView(
        NodeId node, long view, ImmutableArray<Pbft.Message.ViewChange> changes, params (long Slot, Digest Digest)[] proposals)
    {
        ImmutableArray<Pbft.Proposal> proposed = [.. proposals.Select(item => new Pbft.Proposal(
            new Slot(item.Slot), item.Digest, Prove(node, Pbft.Phase.PrePrepare, view, item.Slot, item.Digest)))];
        return new(view, changes, proposed, Keys.SignerOf(node).Sign(_statements.NewView(view, changes, proposed)));
    }
}
