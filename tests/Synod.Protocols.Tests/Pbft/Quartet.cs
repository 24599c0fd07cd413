using System.Collections.Immutable;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Protocols.Tests.Pbft;

using Machine = Protocol<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;
using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

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

    private readonly PbftReplica.Statements _statements;

    public Quartet(PbftOptions options, int replicas = 4)
    {
        Options = options;
        Group = new PbftGroup([.. Enumerable.Range(1, replicas).Select(number => new NodeId(number))], "test", 1);
        _statements = new(Group.Domain);
    }

    public static PbftOptions Small { get; } = new() { CheckpointPeriod = 4, ReadsDirectly = false };

    public PbftOptions Options { get; }

    public PbftGroup Group { get; }

    public SignatureTable Keys { get; } = new();

    public SortedDictionary<NodeId, Counters> Services { get; } = [];

    /// <summary>The machine of a node, in its first state.</summary>
    public Machine Make(NodeId node) => Group.Members.Contains(node) ? Replica(node) : new PbftClient(node, Group, Options, Keys.SignerOf(node));

    public PbftReplica Replica(NodeId node)
    {
        var service = Services[node] = new Counters();
        return new PbftReplica(node, Group, Options, Keys.SignerOf(node), Keys.MacsOf(node), service);
    }

    public Play Stage(params NodeId[] clients) => new Play(
        Make, timer => ((PbftReplica.Timer)timer.Kind).ToString(), [.. Group.Replicas, .. clients]).Begin();

    public PbftReplica.SignedRequest Request(NodeId client, long timestamp, string operation, bool isRead = false)
    {
        var bytes = Counters.Bytes(operation);
        return new(
            client, timestamp, bytes, Keys.SignerOf(client).Sign(_statements.Request(client, timestamp, bytes.Span, isRead)));
    }

    public PbftReplica.Batch Batch(string operation, long timestamp = 1) => new([Request(X, timestamp, operation)]);

    public Signature Sign(NodeId node, PbftReplica.Phase phase, long view, long slot, Digest digest) =>
        Keys.SignerOf(node).Sign(_statements.Vote(phase, view, new Slot(slot), digest));

    /// <summary>A vote's proof in whichever way the group authenticates.</summary>
    public PbftReplica.Authenticator Prove(NodeId node, PbftReplica.Phase phase, long view, long slot, Digest digest)
    {
        if (!Options.UsesCodes)
        {
            return new PbftReplica.Authenticator.Signed(Sign(node, phase, view, slot, digest));
        }

        var codes = ImmutableArray.CreateBuilder<Mac>();
        foreach (var replica in Group.Replicas)
        {
            codes.Add(Keys.MacsOf(node).Authenticate(replica, _statements.Vote(phase, view, new Slot(slot), digest)));
        }

        return new PbftReplica.Authenticator.Coded(codes.ToImmutable());
    }

    public PbftReplica.Message.PrePrepare PrePrepare(NodeId node, long view, long slot, PbftReplica.Batch batch) =>
        new(view, new Slot(slot), batch.Digest, batch, Prove(node, PbftReplica.Phase.PrePrepare, view, slot, batch.Digest));

    public PbftReplica.Message.Prepare Prepare(NodeId node, long view, long slot, Digest digest) =>
        new(view, new Slot(slot), digest, Prove(node, PbftReplica.Phase.Prepare, view, slot, digest));

    public PbftReplica.Message.Commit Commit(NodeId node, long view, long slot, Digest digest) =>
        new(view, new Slot(slot), digest, Prove(node, PbftReplica.Phase.Commit, view, slot, digest));

    public PbftReplica.Message.Checkpoint Checkpoint(NodeId node, long slot, Digest state) =>
        new(new Slot(slot), state, Keys.SignerOf(node).Sign(_statements.Checkpoint(new Slot(slot), state)));

    public PbftReplica.CheckpointProof Proven(long slot, Digest state, params NodeId[] signers) => slot == 0
        ? new(Slot.None, Digest.None, [])
        : new(new Slot(slot), state, [.. signers.Select(node => new Endorsement(node, Checkpoint(node, slot, state).Signature))]);

    /// <summary>A certificate of a view whose primary is the first of the signers.</summary>
    public PbftReplica.Prepared Prepared(long view, long slot, Digest digest, params NodeId[] signers) => Options.UsesCodes
        ? new(view, new Slot(slot), digest, default, [])
        : new(
            view,
            new Slot(slot),
            digest,
            Sign(signers[0], PbftReplica.Phase.PrePrepare, view, slot, digest),
            [.. signers.Skip(1).Select(node => new Endorsement(node, Sign(node, PbftReplica.Phase.Prepare, view, slot, digest)))]);

    public PbftReplica.Message.ViewChange ViewChange(
        NodeId node, long view, IEnumerable<PbftReplica.Prepared>? prepared = null, PbftReplica.CheckpointProof? stable = null)
    {
        var change = new PbftReplica.Message.ViewChange(
            node, view, stable ?? Proven(0, default), [.. prepared ?? []], [], default);
        return Signed(change);
    }

    public PbftReplica.Message.ViewChange Signed(PbftReplica.Message.ViewChange change) =>
        change with { Signature = Keys.SignerOf(change.Sender).Sign(_statements.ViewChange(change)) };

    public PbftReplica.Message.NewView NewView(
        NodeId node, long view, ImmutableArray<PbftReplica.Message.ViewChange> changes, params (long Slot, Digest Digest)[] proposals)
    {
        ImmutableArray<PbftReplica.Proposal> proposed = [.. proposals.Select(item => new PbftReplica.Proposal(
            new Slot(item.Slot), item.Digest, Prove(node, PbftReplica.Phase.PrePrepare, view, item.Slot, item.Digest)))];
        return new(view, changes, proposed, Keys.SignerOf(node).Sign(_statements.NewView(view, changes, proposed)));
    }
}
