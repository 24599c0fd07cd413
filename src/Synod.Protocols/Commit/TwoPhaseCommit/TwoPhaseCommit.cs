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
    : Protocol<TwoPhaseCommit.Message, TwoPhaseCommit.Record, CommitCommand, CommitResult>, ICommitProtocol
{
    private readonly NodeId _self;
    private readonly TwoPhaseCommitOptions _options;
    private readonly TwoPhaseCommitMutation _mutation;

    // As coordinator.
    private readonly SortedDictionary<TransactionId, Led> _led = [];
    private readonly TransactionNames _names;
    private readonly Registrar _registrar;

    // As participant, before it is asked to prepare.
    private readonly Enlistments _enlistments;

    /// <param name="self">This node.</param>
    /// <param name="options">How long to wait for what.</param>
    /// <param name="resource">What this node answers for as a participant; keys and their locks, if null.</param>
    public TwoPhaseCommit(NodeId self, TwoPhaseCommitOptions options, IResource? resource = null)
        : this(self, options, TwoPhaseCommitMutation.None, resource)
    {
    }

    internal TwoPhaseCommit(
        NodeId self,
        TwoPhaseCommitOptions options,
        TwoPhaseCommitMutation mutation,
        IResource? resource = null,
        EnlistmentMutation enlisting = EnlistmentMutation.None)
    {
        _self = self;
        _options = options;
        _mutation = mutation;
        _names = new TransactionNames(self);
        Ledger = new Ledger(resource ?? new KeyLocks());
        (_registrar, _enlistments) = (new Registrar(self, Ledger, enlisting), new Enlistments(Ledger, enlisting));
    }

    /// <summary>As participant.</summary>
    public Ledger Ledger { get; }

    /// <summary>Kinds of timers; the key tells the transaction.</summary>
    public enum Timer
    {
        Vote,
        Inquire,
        Resend,
    }

    /// <summary>Transactions that this node coordinates and has not forgotten, open or not.</summary>
    public IReadOnlyCollection<TransactionId> Open => [.. _registrar.Ids.Concat(_led.Keys).Order()];

    public IReadOnlyCollection<TransactionId> Enlisted => _enlistments.Waiting;

    public override void State(StateVisitor visitor)
    {
        _names.State(visitor);
        _registrar.State(visitor);
        _enlistments.State(visitor);
        visitor.Visit("led", _led, CommitFields.VisitId, static (v, ref item) => (item ??= new Led()).State(v));
        Ledger.State(visitor);
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        switch (message)
        {
            case Message.Prepare prepare:
                On(from, prepare, context, outbox);
                break;
            case Message.CommitAlone alone:
                On(from, alone, outbox);
                break;
            case Message.DecidedAlone decided:
                On(from, decided, outbox);
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
            case Message.Join join:
                On(from, join, outbox);
                break;
            case Message.Joined joined:
                _enlistments.Join(from, joined.Transaction, joined.Life, outbox);
                break;
            case Message.Closed closed:
                On(from, closed, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = TransactionId.FromTimerKey(timer.Key);
        switch ((Timer)timer.Kind)
        {
            case Timer.Vote:
                VotesAreLate(id, context, outbox);
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
        RequestId request, CommitCommand command, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        switch (command)
        {
            case CommitCommand.Begin begin:
                Begin(request, begin, context, outbox);
                break;
            case CommitCommand.Open:
                ClaimEpoch(outbox);
                _registrar.Open(request, _names.Next(Ledger), outbox);
                break;
            case CommitCommand.Enlist enlist:
                Enlist(request, enlist, context, outbox);
                break;
            case CommitCommand.Commit commit:
                Close(request, commit.Transaction, context, outbox);
                break;
            case CommitCommand.Veto veto:
                Veto(request, veto.Transaction, outbox);
                break;
            case CommitCommand.Suspect suspect:
                Suspect(suspect.Node, context, outbox);
                break;
            default:
                outbox.Answer(request, new CommitResult.Malformed());
                break;
        }
    }

    private void ClaimEpoch(Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_names.Claim(_mutation == TwoPhaseCommitMutation.ReuseIds))
        {
            outbox.Persist(new Record.Booted(_names.Epoch));
        }
    }

    private static TimerId ToTimer(Timer kind, TransactionId id) => new((int)kind, id.TimerKey);
}
