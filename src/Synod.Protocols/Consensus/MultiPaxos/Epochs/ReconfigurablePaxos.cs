using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// One log that changing members agree on, with changing quorum systems: one group of Multi-Paxos for each epoch, ended by a Stop in a
/// slot of its own (Lamport, Malkhi and Zhou 2010, "Reconfiguring a State Machine"; stop-sign epochs of paxos.md §7). The slots above the Stop are the
/// next epoch's, whose members begin with the state up to it, and whose ballots are none of the old group's.
/// </summary>
public sealed partial class ReconfigurablePaxos
    : Protocol<ReconfigurablePaxos.Message, ReconfigurablePaxos.Record, ReconfigurablePaxos.Command, ReconfigurablePaxos.Result>
{
    /// <summary>After so many repetitions without a chunk, another member is asked for the state.</summary>
    private const int PatientStalls = 3;

    private readonly NodeId _self;
    private readonly MultiPaxosOptions _options;
    private readonly IConfiguredState _state;
    private readonly EpochMutation _mutation;

    // What a replica puts out, before it goes one floor up. A count of one tells what waits for records from what is early.
    private readonly Outbox<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result> _inner = new(recordCount: 1);

    // The world and the outputs of the step that is running; nothing of them outlives it.
    private StepContext _context = null!;
    private Outbox<Message, Record, Command, Result> _out = null!;

    private Configuration? _configuration;
    private MultiPaxos? _replica;

    // Epochs that ended, until a checkpoint says that the state holds all of them.
    private readonly List<Closed> _closed = [];

    // Who is known to take part in the epoch; the others are told of it.
    private NodeSet _started;

    // Who ends the epoch, and waits here for it.
    private bool _isStopping;
    private long _stopRequest;

    // The new member, as long as it waits for the state.
    private bool _isLoading;
    private NodeId _source;
    private Slot _loadAt;
    private int _loadNext;
    private int _loadStalls;

    private Slot _checkpointAt;
    private bool _checkpointing;

    public ReconfigurablePaxos(NodeId self, MultiPaxosOptions options, IConfiguredState state)
        : this(self, options, state, EpochMutation.None)
    {
    }

    internal ReconfigurablePaxos(NodeId self, MultiPaxosOptions options, IConfiguredState state, EpochMutation mutation)
    {
        _self = self;
        _options = options;
        _state = state;
        _mutation = mutation;
    }

    /// <summary>Kinds of timers besides those of the replicas, whose key is the epoch.</summary>
    public enum Timer
    {
        /// <summary>Tell members that have not begun of their epoch.</summary>
        Announce = 16,

        /// <summary>Ask again for the state.</summary>
        Load,
    }

    /// <summary>The newest configuration that is known here; null at a new node that nobody told of one.</summary>
    public Configuration? Configuration => _configuration;

    /// <summary>The replica of the epoch; null if this node is no member, or has no state to begin with.</summary>
    public MultiPaxos? Replica => _replica;

    /// <summary>
    /// Whether this node is no member any more, and a quorum that replicates has begun the epoch with a state of its own: nobody needs
    /// this node's (paxos.md §7).
    /// </summary>
    public bool MayRetire => _configuration is { } configuration && !configuration.Quorums.Members.Contains(_self)
        && configuration.Quorums.IsPhase2(_started);

    private long Epoch => _configuration?.Epoch ?? 0;

    private bool IsMember => _configuration!.Quorums.Members.Contains(_self);

    public override void CheckInvariants()
    {
        Invariant.Check(_replica is null || IsMember, "OnlyMembersTakePart", $"{_self} in {_configuration}");
        Invariant.Check(_replica is null || !_isLoading, "StateBeforeVotes", $"{_self} in {_configuration}");
        Invariant.Check(_closed.All(closed => closed.Configuration.Epoch < Epoch), "EpochsGrow", $"{_configuration}");
        _replica?.CheckInvariants();
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        switch (message)
        {
            case Message.OfGroup m:
                On(from, m);
                break;
            case Message.Ended m:
                On(from, m);
                break;
            case Message.Started m:
                On(from, m);
                break;
            case Message.FetchState m:
                On(from, m);
                break;
            case Message.State m:
                On(from, m);
                break;
            default:
                _out.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        switch (timer.Kind)
        {
            case (int)Timer.Announce:
                Announce();
                break;
            case (int)Timer.Load:
                RetryLoad();
                break;
            default:
                Run(replica => replica.Fire(timer with { Key = 0 }, _context, _inner));
                break;
        }
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        if (_replica is null)
        {
            _out.AnswerEarly(request, new Result.NoReplica(_configuration));
            return;
        }

        _isStopping &= _replica.Role == PaxosRole.Leader;
        switch (command)
        {
            case Command.Reconfigure c:
                Reconfigure(request, c.Next);
                break;
            case Command.Ask { Inner: MultiPaxos.Command.Propose propose }:
                Propose(request, propose.Value);
                break;
            case Command.Ask c:
                Run(replica => replica.Submit(request, c.Inner, _context, _inner));
                break;
            default:
                _out.AnswerEarly(request, new Result.Refused("it is not a command"));
                break;
        }
    }

    /// <summary>Nothing new once the end is proposed: it could only be agreed on for nothing.</summary>
    private void Propose(RequestId request, ReadOnlyMemory<byte> value)
    {
        if (_isStopping)
        {
            _out.AnswerEarly(request, new Result.Told(new MultiPaxos.Result.Unavailable(UnavailableReason.Reconfiguring)));
            return;
        }

        var tagged = Values.Command(value);
        Run(replica => replica.Submit(request, new MultiPaxos.Command.Propose(tagged), _context, _inner));
    }

    private void Reconfigure(RequestId request, QuorumSystem next)
    {
        if (next.Refused is { } reason && _mutation != EpochMutation.UnsafeQuorumsAdopted)
        {
            _out.AnswerEarly(request, new Result.Refused(reason));
        }
        else if (_replica!.Role != PaxosRole.Leader)
        {
            _out.AnswerEarly(request, new Result.Told(new MultiPaxos.Result.NotLeader(_replica.Leader)));
        }
        else if (_isStopping || !_replica.IsReady)
        {
            _out.AnswerEarly(request, new Result.Told(new MultiPaxos.Result.Unavailable(UnavailableReason.Reconfiguring)));
        }
        else
        {
            (_isStopping, _stopRequest) = (true, request.Value);
            var stop = Values.Stop(next);
            Run(replica => replica.Submit(request, new MultiPaxos.Command.Propose(stop), _context, _inner));
            if (_mutation == EpochMutation.BeginsBeforeChosen && _replica is not null)
            {
                Conclude(new Slot(_configuration!.Base.Value + _replica.Chosen.Value + 1), next);
            }
        }
    }

    /// <summary>An ended epoch, kept for what a checkpoint may still need of it. It ended at <paramref name="End"/>.</summary>
    private sealed record Closed(Configuration Configuration, Slot End, MultiPaxos Replica);
}
