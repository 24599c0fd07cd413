using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>How long to wait; all in one class so that a deployment can say it once.</summary>
/// <param name="Vote">A coordinator waits this long for votes, then aborts.</param>
/// <param name="Inquire">A prepared participant asks this often how it ended.</param>
/// <param name="Resend">A coordinator repeats a commit this often to those who have not acknowledged it.</param>
public sealed record TwoPhaseCommitOptions(Duration Vote, Duration Inquire, Duration Resend)
{
    public static TwoPhaseCommitOptions Default { get; } =
        new(Duration.FromSeconds(2), Duration.FromSeconds(1), Duration.FromSeconds(1));
}

/// <summary>
/// Two-phase commit with presumed abort (Gray 1978; Mohan, Lindsay and Obermarck 1986). Each node may coordinate transactions and
/// take part in them. It gives atomicity; write locks held from the vote to the decision keep conflicting writes apart. While a
/// coordinator is away its prepared participants are blocked, by the nature of the protocol.
/// </summary>
public sealed partial class TwoPhaseCommit
    : Protocol<TwoPhaseCommit.Message, TwoPhaseCommit.Record, TwoPhaseCommit.Command, TwoPhaseCommit.Result>
{
    private static readonly TransactionWire Ids = new();
    private static readonly RecordWire Records = new();

    private readonly NodeId _self;
    private readonly TwoPhaseCommitOptions _options;
    private readonly TwoPhaseCommitMutation _mutation;

    // As coordinator.
    private readonly SortedDictionary<TransactionId, Led> _led = [];
    private long _epoch;
    private bool _isEpochOwn;
    private long _counter;

    // As participant. A transaction unknown here is one that this node has not voted on.
    private readonly SortedDictionary<TransactionId, Record.Prepared> _prepared = [];
    private readonly SortedDictionary<TransactionId, bool> _ended = [];
    private readonly SortedDictionary<Key, TransactionId> _locks = [];
    private Slot _applied;

    public TwoPhaseCommit(NodeId self, TwoPhaseCommitOptions options)
        : this(self, options, TwoPhaseCommitMutation.None)
    {
    }

    internal TwoPhaseCommit(NodeId self, TwoPhaseCommitOptions options, TwoPhaseCommitMutation mutation)
    {
        _self = self;
        _options = options;
        _mutation = mutation;
    }

    /// <summary>Kinds of timers; the key tells the transaction.</summary>
    public enum Timer
    {
        Vote,
        Inquire,
        Resend,
    }

    /// <summary>How a transaction ended at this participant; unknown also while it is prepared.</summary>
    public Ending EndingOf(TransactionId transaction) =>
        _ended.TryGetValue(transaction, out var committed) ? committed ? Ending.Committed : Ending.Aborted : Ending.Unknown;

    /// <summary>Transactions that this participant has promised to end as told, and that block their keys until then.</summary>
    public IReadOnlyCollection<TransactionId> InDoubt => _prepared.Keys;

    /// <summary>Transactions that this node coordinates and has not forgotten.</summary>
    public IReadOnlyCollection<TransactionId> Open => _led.Keys;

    /// <summary>Who holds the write lock on <paramref name="key"/>, if anyone.</summary>
    public TransactionId? LockOn(Key key) => _locks.TryGetValue(key, out var holder) ? holder : null;

    public override void State(StateVisitor visitor)
    {
        visitor.Visit("epoch", ref _epoch);
        visitor.Visit("own", ref _isEpochOwn);
        visitor.Visit("counter", ref _counter);
        visitor.Visit("applied", ref _applied);
        visitor.Visit("led", _led, VisitId, static (v, ref item) => (item ??= new Led()).State(v));
        visitor.Visit("prepared", _prepared, VisitId, VisitPromise);
        visitor.Visit("ended", _ended, VisitId, static (v, ref committed) => v.Visit("commit", ref committed));
        if (visitor.IsReading)
        {
            _locks.Clear();
            foreach (var promise in _prepared.Values)
            {
                Lock(promise);
            }
        }
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (message)
        {
            case Message.Prepare prepare:
                On(from, prepare, context, outbox);
                break;
            case Message.Vote vote:
                On(from, vote, context, outbox);
                break;
            case Message.Decide decide:
                On(from, decide, outbox);
                break;
            case Message.Ack ack:
                On(from, ack, outbox);
                break;
            case Message.Inquire inquire:
                On(from, inquire, outbox);
                break;
            case Message.Outcome outcome:
                On(from, outcome, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var id = FromTimer(timer);
        switch ((Timer)timer.Kind)
        {
            case Timer.Vote:
                VotesAreLate(id, outbox);
                break;
            case Timer.Inquire:
                Inquire(id, context, outbox);
                break;
            case Timer.Resend:
                Resend(id, context, outbox);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(timer), timer, "Not a timer of this protocol.");
        }
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (command)
        {
            case Command.Begin begin:
                Begin(request, begin, context, outbox);
                break;
            case Command.Veto veto:
                Veto(request, veto.Transaction, outbox);
                break;
            default:
                outbox.Answer(request, new Result.Malformed());
                break;
        }
    }

    private static void VisitId(StateVisitor visitor, ref TransactionId id) => visitor.Visit("", ref id, Ids);

    private static void VisitPromise(StateVisitor visitor, ref Record.Prepared promise)
    {
        Record record = promise;
        visitor.Visit("", ref record, Records);
        promise = (Record.Prepared)record;
    }

    /// <summary>A node below 128, an epoch below 2^24 and a counter below 2^32 fit a timer's key.</summary>
    private static TimerId ToTimer(Timer kind, TransactionId id) =>
        new((int)kind, (long)id.Coordinator.Value << 56 | id.Epoch << 32 | id.Counter);

    private static TransactionId FromTimer(TimerId timer) =>
        new(new NodeId((int)(timer.Key >> 56)), timer.Key >> 32 & 0xff_ffff, timer.Key & uint.MaxValue);

    private static bool FitsTimer(TransactionId id) =>
        id.Coordinator.Value is > 0 and < NodeSet.Capacity && id.Epoch is > 0 and <= 0xff_ffff && id.Counter is > 0 and <= uint.MaxValue;
}
