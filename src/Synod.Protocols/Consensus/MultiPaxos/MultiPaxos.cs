using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// One replica of a group that agrees on a sequence of commands: acceptor, learner, and at times leader (Lamport 2001, "Paxos Made
/// Simple" §3; Howard, Malkhi and Spiegelman 2016, "Flexible Paxos").
/// </summary>
public sealed partial class MultiPaxos : Protocol<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result>
{
    private readonly NodeId _self;
    private readonly QuorumSystem _quorums;
    private readonly MultiPaxosOptions _options;
    private readonly IReplicatedState _state;

    /// <exception cref="ArgumentException"><paramref name="self"/> is no member, or the quorum system is unsafe.</exception>
    public MultiPaxos(NodeId self, QuorumSystem quorums, MultiPaxosOptions options, IReplicatedState state)
    {
        _self = self;
        _quorums = quorums.Validated();
        _options = options;
        _state = state;
    }

    /// <summary>What this replica is to its group now.</summary>
    public PaxosRole Role { get; private set; }

    /// <summary>The ballot led or followed: the term of <see cref="Leader"/>.</summary>
    public Ballot Ballot { get; private set; }

    /// <summary>The leader as far as known here, or none.</summary>
    public NodeId Leader { get; private set; }

    /// <summary>Every slot up to here is known to be chosen.</summary>
    public Slot Chosen { get; private set; }

    /// <summary>Every slot up to here was executed, or is part of a snapshot.</summary>
    public Slot Executed { get; private set; }

    /// <summary>The highest executed slot that held a command, not a NoOp: where the state above arrives when it has applied all.</summary>
    public Slot LastCommand { get; private set; }

    /// <summary>Whether this leader's own barrier is executed, and with it everything chosen under earlier leaders (paxos.md §3.2).</summary>
    public bool IsReady { get; private set; }

    /// <summary>The lease of this leader; both ends zero without one.</summary>
    public Lease Lease { get; private set; }

    /// <summary>Whether the group has fallen silent, as far as this replica is concerned.</summary>
    public bool IsQuiescent { get; private set; }

    /// <summary>Whether this leader is certainly alone in all of <paramref name="now"/>. Ask after reading, with a fresh interval.</summary>
    public bool HoldsLease(TimeInterval now) => false;

    /// <summary>At the leader: every slot up to here is accepted by <paramref name="node"/>, or known to be chosen there.</summary>
    public Slot Progress(NodeId node) => Slot.None;

    public override void State(StateVisitor visitor) => throw new NotSupportedException();

    public override void CheckInvariants()
    {
    }

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        throw new NotSupportedException();

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        throw new NotSupportedException();

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        throw new NotSupportedException();

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        throw new NotSupportedException();
}
