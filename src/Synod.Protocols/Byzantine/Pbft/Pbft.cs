using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// One replica of a group that runs a service although f of its 3f+1 replicas may be Byzantine (Castro and Liskov 1999, "Practical
/// Byzantine Fault Tolerance"; 2002, "Practical Byzantine Fault Tolerance and Proactive Recovery").
/// </summary>
/// <remarks>Operations, results and states are kept for as long as they may be needed: a host must not write into their memory.</remarks>
public sealed partial class Pbft : Protocol<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
{
    private readonly NodeId _self;
    private readonly PbftGroup _group;
    private readonly PbftOptions _options;
    private readonly ISigner _signer;
    private readonly IMacs _macs;
    private readonly IReplicatedService _service;
    private readonly Statements _statements;
    private readonly NodeSet _others;

    // The world and the outputs of the step that is running; nothing of them outlives it.
    private StepContext _context = null!;
    private Outbox<Message, Record, Command, Result> _out = null!;
    private Slot _touched;

    private long _view;
    private bool _isActive = true;
    private readonly SortedDictionary<Slot, SlotEntry> _entries = [];
    private readonly SortedDictionary<Digest, Batch> _batches = [];
    private readonly SortedDictionary<NodeId, Evidence> _evidence = [];

    /// <param name="self">A replica of the group.</param>
    /// <param name="group">The replicas.</param>
    /// <param name="options">Equal at all replicas in what they must agree on.</param>
    /// <param name="signer">Holds this replica's key, and knows those of replicas and clients.</param>
    /// <param name="macs">The codes shared with each other replica; used if the options say so.</param>
    /// <param name="service">This replica's own copy, in its first state.</param>
    /// <exception cref="ArgumentException"><paramref name="self"/> is no member.</exception>
    public Pbft(
        NodeId self, PbftGroup group, PbftOptions options, ISigner signer, IMacs macs, IReplicatedService service)
    {
        if (!group.Members.Contains(self))
        {
            throw new ArgumentException($"{self} is no member of {group.Members}.", nameof(self));
        }

        (_self, _group, _options, _signer, _macs, _service) = (self, group, options, signer, macs, service);
        _statements = new(group.Domain);
        _others = group.Members.Without(self);
    }

    /// <summary>Kinds of timers.</summary>
    public enum Timer
    {
        /// <summary>The oldest request waits too long.</summary>
        Request,

        /// <summary>A view that a quorum wants does not begin.</summary>
        NewView,

        /// <summary>Something is open: say where this replica is.</summary>
        Status,

        /// <summary>Client: replies are missing.</summary>
        Retry,
    }

    /// <summary>The view that this replica is in, or changes to.</summary>
    public long View => _view;

    /// <summary>Whether the view has begun here; false while it changes.</summary>
    public bool IsActive => _isActive;

    /// <summary>Whether this replica assigns slots now.</summary>
    public bool IsPrimary => _isActive && Primary == _self;

    /// <summary>The primary of <see cref="View"/>.</summary>
    public NodeId Primary => _group.PrimaryOf(_view);

    /// <summary>Every slot up to here is executed, or part of a fetched state.</summary>
    public Slot Executed => _executed;

    /// <summary>The last stable checkpoint: the low water mark h.</summary>
    public Slot Stable => _stable.Slot;

    /// <summary>The high water mark H.</summary>
    public Slot Limit => new(_stable.Slot.Value + _options.Window);

    /// <summary>Whether a state is being fetched.</summary>
    public bool IsFetching => _fetch is not null;

    /// <summary>Replicas that signed contradicting statements, with the first contradiction seen of each.</summary>
    public IReadOnlyCollection<Evidence> Accusations => _evidence.Values;

    /// <summary>The digest decided in a slot above the stable checkpoint, if it is known here.</summary>
    public Digest? DecisionOf(Slot slot) => _entries.TryGetValue(slot, out var entry) && entry.IsDecided ? entry.Decision : null;

    /// <summary>Whether a slot prepared here in the current view.</summary>
    public bool IsPreparedAt(Slot slot) => _entries.TryGetValue(slot, out var entry) && entry.IsPrepared;

    private Instant Now => _context.Now;

    /// <summary>2f prepares beside the pre-prepare, which is the primary's vote.</summary>
    private int PreparesNeeded => CommitsNeeded - 1;

    private int CommitsNeeded => _group.Quorum - (Mutated(PbftMutation.SmallQuorums) ? 1 : 0);

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        switch (message)
        {
            case Message.Request m:
                On(from, m);
                break;
            case Message.Read m:
                On(from, m);
                break;
            case not null when !_others.Contains(from):
                _out.Refuse(Refusal.NotMember);
                break;
            case Message.PrePrepare m:
                On(from, m);
                break;
            case Message.Prepare m:
                On(from, m);
                break;
            case Message.Commit m:
                On(from, m);
                break;
            case Message.Checkpoint m:
                On(from, m);
                break;
            case Message.ViewChange m:
                On(from, m);
                break;
            case Message.NewView m:
                On(from, m);
                break;
            case Message.Status m:
                On(from, m);
                break;
            case Message.Decided m:
                On(from, m);
                break;
            case Message.StableCheckpoint m:
                On(m);
                break;
            case Message.FetchBatch m:
                On(from, m);
                break;
            case Message.BatchFound m:
                On(m);
                break;
            case Message.FetchState m:
                On(from, m);
                break;
            case Message.StateChunk m:
                On(from, m);
                break;
            default:
                _out.Refuse(Refusal.Unexpected);
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        switch ((Timer)timer.Kind)
        {
            case Timer.Request:
                OnRequestTimer();
                break;
            case Timer.NewView:
                OnNewViewTimer();
                break;
            case Timer.Status:
                OnStatusTimer();
                break;
            default:
                Invariant.Check(false, "EveryTimerIsKnown");
                break;
        }
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        if (command is not Command.Order order || !IsAuthentic(order.Signed, isRead: false))
        {
            _out.AnswerEarly(request, new Result.Refused());
            return;
        }

        // Early is safe: it says only that the request was seen.
        _out.AnswerEarly(request, new Result.Noted());
        Take(order.Signed.Client, order.Signed);
    }

    private bool Mutated(PbftMutation mutation) => _options.Mutation == mutation;

    private bool IsInWindow(Slot slot) => slot > Stable && slot <= Limit;

    private SlotEntry EntryOf(Slot slot)
    {
        _touched = slot;
        if (!_entries.TryGetValue(slot, out var entry))
        {
            _entries.Add(slot, entry = new SlotEntry());
        }

        return entry;
    }

    /// <summary>The batch with a digest if it is at hand; the null request always is.</summary>
    private Batch? BatchOf(Digest digest) => digest == Digest.None ? Batch.Null : _batches.GetValueOrDefault(digest);

    private void SetTimer(Timer timer, Instant due) => _out.SetTimer(new TimerId((int)timer), due);

    private void CancelTimer(Timer timer) => _out.CancelTimer(new TimerId((int)timer));

    private void SendUnlessEarly(PbftMutation early, Message message)
    {
        foreach (var node in _others)
        {
            if (Mutated(early))
            {
                _out.SendEarly(node, message);
            }
            else
            {
                _out.Send(node, message);
            }
        }
    }
}
