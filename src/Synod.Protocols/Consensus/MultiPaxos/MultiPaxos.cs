using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// One replica of a group that agrees on a sequence of commands: acceptor, learner, and at times leader (Lamport 2001, "Paxos Made
/// Simple" §3; Howard, Malkhi and Spiegelman 2016, "Flexible Paxos"; leases as in Spanner §4.1.1 and appendix A).
/// </summary>
/// <remarks>Values are kept for as long as replicas may need them: a host must not write into their memory again.</remarks>
public sealed partial class MultiPaxos : Protocol<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result>
{
    private readonly NodeId _self;
    private readonly QuorumSystem _quorums;
    private readonly MultiPaxosOptions _options;
    private readonly IReplicatedState _state;
    private readonly NodeSet _others;

    // The world and the outputs of the step that is running; nothing of them outlives it.
    private StepContext _context = null!;
    private Outbox<Message, Record, Command, Result> _out = null!;

    // The acceptor. One promise for all slots, present and future.
    private readonly SlotLog _log = new();
    private Ballot _promised;
    private Ballot _voteBallot;
    private Timestamp _voteEnd;

    // As in Record.Chosen: what the next such record says, and how far the last one reached.
    private Slot _snapshotAt;
    private Slot _checkpointFloor;
    private Slot _recordedChosen;
    private Slot _checkpointAt;
    private bool _checkpointing;

    // The follower.
    private Instant _lastHeard;
    private Duration _patience;
    private NodeSet _down;
    private Ballot _maxSeen;
    private Ballot _released;

    /// <exception cref="ArgumentException"><paramref name="self"/> is no member, or the quorum system is unsafe.</exception>
    public MultiPaxos(NodeId self, QuorumSystem quorums, MultiPaxosOptions options, IReplicatedState state)
        : this(self, quorums.Validated(), options, state, trusted: true)
    {
    }

    private MultiPaxos(NodeId self, QuorumSystem quorums, MultiPaxosOptions options, IReplicatedState state, bool trusted)
    {
        if (trusted && !quorums.Members.Contains(self))
        {
            throw new ArgumentException($"{self} is no member of {quorums.Members}.", nameof(self));
        }

        _self = self;
        _quorums = quorums;
        _options = options;
        _state = state;
        _others = quorums.Members.Without(self);
        _peers = new Peer[quorums.Members.Count];
        var index = 0;
        foreach (var member in quorums.Members)
        {
            _peers[index++] = new Peer(member);
        }
    }

    /// <summary>For negative tests only: quorums that need not meet.</summary>
    internal static MultiPaxos WithUnsafeQuorums(
        NodeId self, QuorumSystem quorums, MultiPaxosOptions options, IReplicatedState state) =>
        new(self, quorums, options, state, trusted: false);

    /// <summary>What this replica is to its group now.</summary>
    public PaxosRole Role { get; private set; }

    /// <summary>The ballot promised: that of the leader led by or followed, or of the candidate voted for.</summary>
    public Ballot Ballot => _promised;

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

    /// <summary>Whether this leader would refuse a proposal now that it may take later in the same term.</summary>
    public bool HoldsBack => Role == PaxosRole.Leader && (_transferTo != NodeId.None || IsFull);

    /// <summary>At the leader: every slot up to here is accepted by <paramref name="node"/>, or known to be chosen there.</summary>
    public Slot Progress(NodeId node) => Role == PaxosRole.Leader && PeerOf(node) is { } peer ? peer.Match : Slot.None;

    private Instant Now => _context.Now;

    private TimeInterval Time => _context.TrueTime;

    // While its state is absent, a replica is an acceptor only.
    private bool IsAbsent => _state.Applied < Slot.None;

    // Every slot up to here is chosen, and only a snapshot has its effect: the value is dropped, or perhaps not the chosen one.
    private Slot Floor => Slot.Max(_log.Floor, _snapshotAt);

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Begin(context, outbox);
        if (!_quorums.Members.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        _down = _down.Without(from);
        Dispatch(from, message);
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Begin(context, outbox);
        switch ((MultiPaxosTimer)timer.Kind)
        {
            case MultiPaxosTimer.Election:
                OnElectionTimer();
                break;
            case MultiPaxosTimer.Heartbeat:
                OnHeartbeatTimer();
                break;
            case MultiPaxosTimer.CatchUp:
                OnCatchUpTimer();
                break;
            default:
                Invariant.Check(false, "EveryTimerIsKnown");
                break;
        }
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Begin(context, outbox);
        switch (command)
        {
            case Command.Propose c:
                OnPropose(request, c);
                break;
            case Command.ReadIndex:
                OnReadIndex(request);
                break;
            case Command.AcquireLease:
                OnAcquireLease(request);
                break;
            case Command.Transfer c:
                OnTransfer(request, c);
                break;
            case Command.Campaign:
                OnCampaign();
                break;
            case Command.KeepChosen:
                RecordChosen();
                break;
            case Command.PeerDown c:
                OnPeerDown(c.Node);
                break;
            case Command.PeerUp c:
                OnPeerUp(c.Node);
                break;
            default:
                Invariant.Check(false, "EveryCommandIsKnown");
                break;
        }
    }

    /// <summary>Hosts hand over the same two again and again: a look is cheaper than a store that the collector is told of.</summary>
    private void Begin(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_context != context || _out != outbox)
        {
            (_context, _out) = (context, outbox);
        }
    }

    private void Dispatch(NodeId from, Message message)
    {
        switch (message)
        {
            case Message.PreVote m:
                On(from, m);
                break;
            case Message.PreVoteAck m:
                On(from, m);
                break;
            case Message.Prepare m:
                On(from, m);
                break;
            case Message.Promise m:
                On(from, m);
                break;
            case Message.Reject m:
                On(m);
                break;
            case Message.Accept m:
                On(from, m);
                break;
            case Message.Accepted m:
                On(from, m);
                break;
            case Message.Heartbeat m:
                On(from, m);
                break;
            case Message.HeartbeatAck m:
                On(from, m);
                break;
            case Message.Fetch m:
                On(from, m);
                break;
            case Message.Entries m:
                On(from, m);
                break;
            case Message.FetchSnapshot m:
                On(from, m);
                break;
            case Message.InstallSnapshot m:
                On(from, m);
                break;
            case Message.TimeoutNow m:
                On(from, m);
                break;
            case Message.Quiesce m:
                On(from, m);
                break;
            default:
                Invariant.Check(false, "EveryMessageIsHandled");
                break;
        }
    }

    // Ballots and slots come from peers: bounded so that no arithmetic on them can overflow.
    private static bool IsSound(Ballot ballot) => ballot.Round is >= 0 and < 1L << 60;

    private static bool IsSound(Slot slot) => slot.Value is >= 0 and < 1L << 60;

    private static bool IsOwned(Ballot ballot, NodeId from) => ballot.Node == from && ballot.Round > 0 && IsSound(ballot);

    private bool Mutated(MultiPaxosMutation mutation) => (_options.Mutation & mutation) != 0;

    private void SetTimer(MultiPaxosTimer timer, Instant due) => _out.SetTimer(new TimerId((int)timer), due);

    private void CancelTimer(MultiPaxosTimer timer) => _out.CancelTimer(new TimerId((int)timer));

    private void SendUnlessEarly(MultiPaxosMutation early, NodeId to, Message message)
    {
        if (Mutated(early))
        {
            _out.SendEarly(to, message);
        }
        else
        {
            _out.Send(to, message);
        }
    }
}
