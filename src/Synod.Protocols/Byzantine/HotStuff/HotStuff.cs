using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Byzantine replication with linear communication (Yin, Malkhi, Reiter, Gueta and Abraham 2019, "HotStuff"), for the rule sets of its
/// family. Of n members f = (n - 1) / 3 may do anything. Leaders rotate; in each view one proposes a block on the highest certificate it
/// knows, replicas vote, n - f votes make a certificate, and a chain of certificates commits.
/// </summary>
/// <remarks>
/// Views are entered by certificates only: one that closes the view before, or a time-out certificate. Every certificate is taken in
/// the same way, whatever brought it: view, lock, commit.
/// </remarks>
public sealed partial class HotStuff : Protocol<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>
{
    private readonly NodeId _self;
    private readonly HotStuffOptions _options;
    private readonly IHotStuffRules _rules;
    private readonly ISigner _signer;
    private readonly IQuorumCertificateScheme _scheme;
    private readonly Statements _statements;
    private readonly IReplicatedService _service;

    // Durable: what this replica has said, which it must not contradict, and what it has seen proven.
    private long _votedView;
    private VotePhase _votedPhase;
    private long _timedOut;
    private long _proposed;
    private QuorumCertificate _high = Genesis.Certificate;
    private QuorumCertificate _locked = Genesis.Certificate;
    private QuorumCertificate _decision = Genesis.Certificate;
    private TimeoutCertificate _timeout = TimeoutCertificate.None;
    private readonly BlockTree _tree = new();

    // Derived from the committed chain.
    private Slot _executed;
    private readonly SortedDictionary<NodeId, Served> _clients = [];

    // Volatile: the current view, and what was collected for it.
    private long _view;
    private bool _isAfterTimeout;
    private bool _isDelayOver;
    private bool _isArmed;
    private bool _owes;
    private int _failures;
    private int _attempts;
    private readonly SortedDictionary<NodeId, Message.Vote>[] _votes;
    private readonly SortedDictionary<NodeId, TimeoutShare> _shares = [];
    private NodeSet _reports;
    private NodeSet _late;
    private readonly Mempool _mempool = new();
    private readonly SortedDictionary<NodeId, List<Waiting>> _waiting = [];

    // Volatile: a download of blocks, each the parent of the one before, and a proposal that waits for it.
    private Digest _missing;
    private readonly List<Block> _fetched = [];
    private readonly List<Message.Proposal> _parked = [];

    /// <param name="self">A member.</param>
    /// <param name="options">The same for every member.</param>
    /// <param name="signer">Signs time-outs and checks clients.</param>
    /// <param name="scheme">Signs votes and checkpoints, and makes certificates of them.</param>
    /// <param name="service">What executes commands: this replica's own copy, in its first state.</param>
    public HotStuff(NodeId self, HotStuffOptions options, ISigner signer, IQuorumCertificateScheme scheme, IReplicatedService service)
    {
        (_self, _options, _rules, _signer, _scheme, _service) = (self, options, options.Rules, signer, scheme, service);
        _statements = new Statements(options.Domain);
        _votes = [.. Enumerable.Range(0, options.Rules.Phases).Select(_ => new SortedDictionary<NodeId, Message.Vote>())];
    }

    /// <summary>Kinds of timers.</summary>
    public enum Timer
    {
        /// <summary>The view takes too long. Runs while something waits to be executed or fetched.</summary>
        View,

        /// <summary>A leader has waited long enough for reports.</summary>
        Open,
    }

    /// <summary>The view in which this replica may vote.</summary>
    public long View => _view;

    /// <summary>The last view in which it voted.</summary>
    public long VotedView => _votedView;

    /// <summary>The highest certificate of a prepare phase.</summary>
    public QuorumCertificate High => _high;

    /// <summary>What it is locked on.</summary>
    public QuorumCertificate Locked => _locked;

    /// <summary>The highest certificate of a last phase, where the prepare phase is not the last.</summary>
    public QuorumCertificate Decision => _decision;

    /// <summary>The last view that this replica gave up.</summary>
    public long TimedOutView => _timedOut;

    /// <summary>The last time-out certificate by which it entered a view.</summary>
    public TimeoutCertificate LastTimeout => _timeout;

    /// <summary>The blocks it knows.</summary>
    public BlockTree Tree => _tree;

    /// <summary>The position of the last executed command.</summary>
    public Slot Executed => _executed;

    /// <summary>The stable checkpoint, below which nothing is kept.</summary>
    public ChainCheckpoint Stable => _stable.Checkpoint;

    /// <summary>Whether a state is being fetched.</summary>
    public bool IsFetchingState => _download is not null;

    /// <summary>Known commands that are not executed.</summary>
    public int WaitingCommands => _mempool.Count;

    private QuorumCertificate Closing => _rules.Phases == 1 ? _high : _decision;

    private NodeId Leader => _options.Leaders.LeaderOf(_view);

    private Certificates Shown => new(_high, _decision, _isAfterTimeout ? _timeout : TimeoutCertificate.None);

    private NodeId CollectorOf(VotePhase phase, long view) =>
        _options.Leaders.LeaderOf(_rules.VotesGoToNextLeader(phase) ? view + 1 : view);

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_options.Members.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        switch (message)
        {
            case Message.Proposal proposal:
                On(from, proposal, context, outbox);
                break;
            case Message.Vote vote:
                On(from, vote, context, outbox);
                break;
            case Message.Certified certified:
                On(from, certified, context, outbox);
                break;
            case Message.NewView newView:
                On(from, newView, context, outbox);
                break;
            case Message.Timeout timeout:
                On(from, timeout, context, outbox);
                break;
            case Message.Sync sync:
                On(from, sync, context, outbox);
                break;
            case Message.Fetch fetch:
                On(from, fetch, outbox);
                break;
            case Message.Blocks blocks:
                On(from, blocks, context, outbox);
                break;
            case Message.Checkpoint checkpoint:
                On(from, checkpoint, outbox);
                break;
            case Message.Stable stable:
                On(from, stable, context, outbox);
                break;
            case Message.FetchState fetch:
                On(from, fetch, outbox);
                break;
            case Message.StatePart part:
                On(from, part, context, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }

        Rearm(context, outbox);
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch ((Timer)timer.Kind)
        {
            case Timer.View:
                _isArmed = false;
                if (IsBusy)
                {
                    KeepPace(outbox);
                    GiveUp(outbox);
                }

                break;
            case Timer.Open:
                _isDelayOver = true;
                TryPropose(outbox);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(timer), timer, "Not a timer of this protocol.");
        }

        Rearm(context, outbox);
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Submit(request, command, outbox);
        TryPropose(outbox);
        Rearm(context, outbox);
    }

    /// <summary>The last command of a client that was executed, where, and what came of it.</summary>
    private readonly record struct Served(long Sequence, Slot Position, ReadOnlyMemory<byte> Value);

    /// <summary>A submitted command that is to be answered.</summary>
    private readonly record struct Waiting(long Sequence, long Request);
}
