using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// Paxos Commit (Gray and Lamport 2006): two-phase commit whose decision survives F failures among 2F+1 acceptors. For each resource
/// manager there is one instance of Paxos, whose value is that manager's vote; the transaction is committed exactly if every
/// instance chose Prepared. Any node may lead a ballot at any time. With F = 0 it is two-phase commit.
/// </summary>
public sealed partial class PaxosCommit
    : Protocol<PaxosCommit.Message, PaxosCommit.Record, CommitCommand, CommitResult>, ICommitProtocol
{
    private readonly NodeId _self;
    private readonly PaxosCommitOptions _options;
    private readonly PaxosCommitMutation _mutation;
    private readonly TransactionNames _names;

    // As registrar of what is open here, and as one that has joined what may be open elsewhere.
    private readonly Registrar _registrar;
    private readonly Enlistments _enlistments;

    // As leader, learner or manager: one for each transaction whose outcome this node waits for.
    private readonly SortedDictionary<TransactionId, Attempt> _attempts = [];

    // As acceptor.
    private readonly SortedDictionary<TransactionId, Acceptance> _acceptances = [];
    private readonly Settlements _settled = new();

    private StepContext _context = null!;
    private Outbox<Message, Record, CommitCommand, CommitResult> _out = null!;

    /// <param name="self">This node.</param>
    /// <param name="options">The same on every node.</param>
    /// <param name="resource">What this node answers for as a manager; keys and their locks, if null.</param>
    public PaxosCommit(NodeId self, PaxosCommitOptions options, IResource? resource = null)
        : this(self, options, PaxosCommitMutation.None, resource)
    {
    }

    internal PaxosCommit(
        NodeId self,
        PaxosCommitOptions options,
        PaxosCommitMutation mutation,
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
        Ballot,
        Inquire,
    }

    public Ledger Ledger { get; }

    public IReadOnlyCollection<TransactionId> Open =>
        [.. _registrar.Ids.Concat(_attempts.Where(item => item.Value.IsLeading).Select(item => item.Key)).Order()];

    public IReadOnlyCollection<TransactionId> Enlisted => _enlistments.Waiting;

    public override void State(StateVisitor visitor)
    {
        _names.State(visitor);
        _registrar.State(visitor);
        _enlistments.State(visitor);
        visitor.Visit("attempts", _attempts, CommitFields.VisitId, static (v, ref item) => (item ??= new Attempt()).State(v));
        visitor.Visit("acceptances", _acceptances, CommitFields.VisitId, static (v, ref item) => (item ??= new Acceptance()).State(v));
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
            case Message.BeginCommit begin:
                On(from, begin);
                break;
            case Message.Prepare prepare:
                On(from, prepare);
                break;
            case Message.Phase1a phase1a:
                On(from, phase1a);
                break;
            case Message.Phase1b phase1b:
                On(from, phase1b);
                break;
            case Message.Phase2a phase2a:
                On(from, phase2a);
                break;
            case Message.Phase2b phase2b:
                On(from, phase2b);
                break;
            case Message.Outbid outbid:
                On(from, outbid);
                break;
            case Message.Over over:
                On(from, over);
                break;
            case Message.Decide decide:
                On(from, decide);
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
        _attempts.TryGetValue(id, out var attempt);
        switch ((Timer)timer.Kind)
        {
            case Timer.Ballot when attempt is not null:
                LeadBallot(id, attempt);
                break;
            case Timer.Inquire when _enlistments.TryGetWaiting(id, out var enlistment):
                AskAgain(id, enlistment);
                break;
            case Timer.Inquire when attempt is not null:
                Inquire(id, attempt);
                break;
            case Timer.Ballot or Timer.Inquire:
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

    private static TimerId ToTimer(Timer kind, TransactionId id) => new((int)kind, id.TimerKey);

    private void ClaimEpoch()
    {
        if (_names.Claim(_mutation == PaxosCommitMutation.ReuseIds))
        {
            _out.Persist(new Record.Booted(_names.Epoch));
        }
    }
}
