using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>How long to wait; all in one class so that a deployment can say it once.</summary>
/// <param name="Vote">A coordinator waits this long for votes, then aborts.</param>
/// <param name="Inquire">A participant that waits asks this often how it ended.</param>
/// <param name="Resend">A coordinator or backup asks this often those who have not answered it.</param>
public sealed record ThreePhaseCommitOptions(Duration Vote, Duration Inquire, Duration Resend)
{
    public static ThreePhaseCommitOptions Default { get; } =
        new(Duration.FromSeconds(2), Duration.FromSeconds(1), Duration.FromSeconds(1));
}

/// <summary>
/// Three-phase commit (Skeen 1981) with its termination protocol, led by the lowest participant that is believed alive. Nobody waits
/// for a crashed process, provided that processes only crash, messages arrive in bounded time, and suspicion is an input that is
/// never wrong. Where suspicion may be wrong it is not blocked either, and not safe: the anomaly of commit.md §2.3.
/// </summary>
public sealed partial class ThreePhaseCommit
    : Protocol<ThreePhaseCommit.Message, ThreePhaseCommit.Record, CommitCommand, CommitResult>, ICommitProtocol
{
    private readonly NodeId _self;
    private readonly ThreePhaseCommitOptions _options;
    private readonly ThreePhaseCommitMutation _mutation;

    // As coordinator. Decisions to commit are durable, those to abort are not.
    private readonly SortedDictionary<TransactionId, Led> _led = [];
    private readonly SortedDictionary<TransactionId, bool> _decisions = [];
    private readonly TransactionNames _names;
    private readonly Registrar _registrar;

    // As participant, before it is asked for its vote.
    private readonly Enlistments _enlistments;

    // As participant, one for each open promise.
    private readonly SortedDictionary<TransactionId, Stand> _stands = [];

    // Who wrote in what is remembered to have ended, and what writers have said to be over for them.
    private readonly SortedDictionary<TransactionId, NodeSet> _writers = [];
    private readonly Settlements _settled = new();

    private StepContext _context = null!;
    private Outbox<Message, Record, CommitCommand, CommitResult> _out = null!;

    /// <param name="self">This node.</param>
    /// <param name="options">How long to wait for what.</param>
    /// <param name="resource">What this node answers for as a participant; keys and their locks, if null.</param>
    public ThreePhaseCommit(NodeId self, ThreePhaseCommitOptions options, IResource? resource = null)
        : this(self, options, ThreePhaseCommitMutation.None, resource)
    {
    }

    internal ThreePhaseCommit(
        NodeId self,
        ThreePhaseCommitOptions options,
        ThreePhaseCommitMutation mutation,
        IResource? resource = null,
        EnlistmentMutation enlisting = EnlistmentMutation.None)
    {
        (_self, _options, _mutation) = (self, options, mutation);
        _names = new TransactionNames(self);
        Ledger = new Ledger(resource ?? new KeyLocks());
        (_registrar, _enlistments) = (new Registrar(self, Ledger, enlisting), new Enlistments(Ledger, enlisting));
    }

    /// <summary>Kinds of timers; the key tells the transaction.</summary>
    public enum Timer
    {
        Vote,
        Inquire,
        Resend,
    }

    public Ledger Ledger { get; }

    public IReadOnlyCollection<TransactionId> Open => [.. _registrar.Ids.Concat(_led.Keys).Order()];

    public IReadOnlyCollection<TransactionId> Enlisted => _enlistments.Waiting;

    /// <summary>
    /// Where this node stands with a transaction, as it would tell others; null if it has not voted on it. Who is still in doubt about what is
    /// forgotten here asks one that never voted on it, and never will.
    /// </summary>
    public Standing? StandingOf(TransactionId id) =>
        Ledger.EndingOf(id) switch
        {
            Ending.Committed => Standing.Committed,
            Ending.Aborted => Standing.Aborted,
            _ when _stands.TryGetValue(id, out var stand) => (stand.IsPreCommitted, stand.IsRecovering) switch
            {
                (false, false) => Standing.Waiting,
                (true, false) => Standing.PreCommitted,
                (false, true) => Standing.WaitingSinceCrash,
                (true, true) => Standing.PreCommittedSinceCrash,
            },
            _ when id.Coordinator != _self => Ledger.IsForgotten(id) ? Standing.Aborted : null,
            _ when _led.ContainsKey(id) => Standing.Leading,
            _ when _decisions.TryGetValue(id, out var committed) => committed ? Standing.Committed : Standing.Aborted,
            _ => _mutation == ThreePhaseCommitMutation.PresumeAbort ? Standing.Aborted : Standing.Forgotten,
        };

    public override void State(StateVisitor visitor)
    {
        _names.State(visitor);
        _registrar.State(visitor);
        _enlistments.State(visitor);
        visitor.Visit("led", _led, CommitFields.VisitId, static (v, ref item) => (item ??= new Led()).State(v));
        visitor.Visit("decisions", _decisions, CommitFields.VisitId, static (v, ref committed) => v.Visit("commit", ref committed));
        visitor.Visit("stands", _stands, CommitFields.VisitId, static (v, ref item) => (item ??= new Stand()).State(v));
        visitor.Visit("writers", _writers, CommitFields.VisitId, static (v, ref writers) => v.Visit("", ref writers));
        _settled.State(visitor);
        Ledger.State(visitor);
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        (_context, _out) = (context, outbox);
        if (!message.Transaction.FitsTimerKey)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        switch (message)
        {
            case Message.CanCommit canCommit:
                On(from, canCommit);
                break;
            case Message.Vote vote:
                On(from, vote);
                break;
            case Message.PreCommit preCommit:
                On(from, preCommit);
                break;
            case Message.AckPre ack:
                On(from, ack);
                break;
            case Message.Decide decide:
                On(from, decide);
                break;
            case Message.StateReq request:
                On(from, request);
                break;
            case Message.StateRep report:
                On(from, report);
                break;
            case Message.Inquire inquire:
                On(from, inquire);
                break;
            case Message.Join join:
                On(from, join);
                break;
            case Message.Joined joined:
                _enlistments.Join(from, joined.Transaction, joined.Life, _out);
                break;
            case Message.Closed closed:
                On(from, closed);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        (_context, _out) = (context, outbox);
        var id = TransactionId.FromTimerKey(timer.Key);
        switch ((Timer)timer.Kind)
        {
            case Timer.Vote:
                VotesAreLate(id);
                break;
            case Timer.Inquire:
                Inquire(id);
                break;
            case Timer.Resend:
                Resend(id);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(timer), timer, "Not a timer of this protocol.");
        }
    }

    protected override void OnSubmit(
        RequestId request, CommitCommand command, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        (_context, _out) = (context, outbox);
        switch (command)
        {
            case CommitCommand.Begin begin:
                Begin(request, begin);
                break;
            case CommitCommand.Open:
                ClaimEpoch();
                _registrar.Open(request, _names.Next(Ledger), _out);
                break;
            case CommitCommand.Enlist enlist:
                Enlist(request, enlist);
                break;
            case CommitCommand.Commit commit:
                Close(request, commit.Transaction);
                break;
            case CommitCommand.Veto veto:
                Veto(request, veto.Transaction);
                break;
            case CommitCommand.Suspect suspect:
                Suspect(suspect.Node);
                break;
            default:
                outbox.AnswerEarly(request, new CommitResult.Malformed());
                break;
        }
    }

    /// <summary>
    /// A process came to be believed crashed: everything that waited for it goes on without it. This is where a suspicion that is
    /// wrong does its harm, and the only place.
    /// </summary>
    private void Suspect(NodeId node)
    {
        if (node == _self)
        {
            return;
        }

        AbortWhatJoined(node);
        foreach (var id in _led.Keys.Union(_stands.Keys).ToArray())
        {
            LearnCrash(node, id);
        }
    }

    private void ClaimEpoch()
    {
        if (_names.Claim())
        {
            _out.Persist(new Record.Booted(_names.Epoch));
        }
    }

    private static TimerId ToTimer(Timer kind, TransactionId id) => new((int)kind, id.TimerKey);
}
