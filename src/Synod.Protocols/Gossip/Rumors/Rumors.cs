using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Rumor mongering (Demers et al. 1987): in each round a node that is interested in a rumor contacts a constant number of peers, drawn at
/// random, and loses interest as it meets those who know. Everybody is told in O(log N) rounds, but for a residue that the rule of loss
/// decides; so it is to be backed by anti-entropy, whose finds are handed in as <see cref="RumorCommand.Learn"/> and spread again.
/// </summary>
/// <remarks>
/// A rumor is handed up once in the life of a process. What others started is forgotten in a restart, and heard again while it is spread;
/// who keeps values beyond that compares versions, as anti-entropy does.
/// </remarks>
public sealed partial class Rumors : Protocol<Rumors.Message, RumorRecord, RumorCommand, RumorResult>
{
    /// <summary>Rounds after which a contact without an answer is over.</summary>
    private const int ContactRounds = 4;

    /// <summary>Contacts without an answer that a node remembers.</summary>
    private const int MostContacts = 1_024;

    /// <summary>What a rumor costs in a message beside its body, at most.</summary>
    private const int Overhead = 24;

    private readonly NodeId _self;
    private readonly RumorOptions _options;
    private readonly KnownRumors _known;
    private readonly SortedDictionary<RumorId, HotRumor> _hot = [];
    private readonly SortedDictionary<long, Contact> _contacts = [];
    private PeerView _peers;
    private Instant _begun;
    private long _lastContact;
    private long _round;
    private long _delivered;
    private bool _isArmed;

    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public Rumors(NodeId self, RumorOptions options, PeerView peers)
    {
        if (options.K < 1 || options.Period <= Duration.Zero || options.Jitter >= options.Period || options.FanOut < 1 || options.MostHot < 1 || options.Limits.MostBodyBytes + Overhead > options.MostBytes)
        {
            throw new ArgumentException("A rumor must fit a message, and be told to somebody.", nameof(options));
        }

        _self = self;
        _options = options;
        _peers = peers;
        _known = new KnownRumors(self, options.Incarnation, options.Limits, options.Mutation);
    }

    /// <summary>Kinds of timers.</summary>
    public enum Timer
    {
        Round,
    }

    /// <summary>How many rumors this node is still interested in.</summary>
    public int Hot => _hot.Count;

    /// <summary>Whether this node knows a rumor in this life, or started it in any.</summary>
    public bool Knows(RumorId id) => _known.Knows(id);

    /// <summary>The number of the last rumor that this node started.</summary>
    public long Counter => _known.Counter;

    public override void State(StateVisitor visitor)
    {
        _known.State(visitor);
        visitor.Visit("hot", _hot, static (v, ref id) => v.Visit("", ref id, RumorId.Wire.Instance), static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("contacts", _contacts, static (v, ref number) => v.Visit("", ref number), static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("peers", ref _peers, s_views);
        visitor.Visit("begun", ref _begun);
        visitor.Visit("lastContact", ref _lastContact);
        visitor.Visit("round", ref _round);
        visitor.Visit("delivered", ref _delivered);
        visitor.Visit("armed", ref _isArmed);
    }

    public override void Checkpoint(StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox) =>
        _known.Checkpoint(_hot.Values.Select(hot => hot.Rumor), outbox);

    /// <summary>What this node started and may not have told anybody is new again.</summary>
    protected override void OnRecover(
        IEnumerable<RumorRecord> records, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        foreach (var rumor in _known.Redo(records))
        {
            _hot[rumor.Id] = new HotRumor { Rumor = rumor };
        }

        CoolDown();
        _begun = context.Now;
        Arm(context, outbox);
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (from == _self || (!_peers.Contains(from) && _options.Mutation != RumorsMutation.SenderUnchecked))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        switch (message)
        {
            case Message.Push push:
                On(from, push, context, outbox);
                break;
            case Message.Pull pull:
                On(from, pull, context, outbox);
                break;
            case Message.Offer offer:
                On(from, offer, context, outbox);
                break;
            case Message.Feedback feedback:
                On(from, feedback, context, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }

        Arm(context, outbox);
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        _isArmed = false;
        Round(context, outbox);
        Arm(context, outbox);
    }

    protected override void OnSubmit(
        RequestId request, RumorCommand command, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        switch (command)
        {
            case RumorCommand.Spread spread:
                if (_known.Start(request, spread.Body, outbox) is { } rumor)
                {
                    Heat(rumor);
                }

                break;
            case RumorCommand.Learn learn:
                Learn(request, learn.Rumor, outbox);
                break;
            case RumorCommand.Meet meet:
                _known.Meet(_peers, meet.Peers);
                _peers = meet.Peers;
                outbox.Answer(request, new RumorResult.Met());
                break;
            default:
                outbox.AnswerEarly(request, new RumorResult.Refused(Refusal.Malformed));
                break;
        }

        Arm(context, outbox);
    }

    /// <summary>What anti-entropy finds was missed by rumors: others will have missed it too, so it is hot again (§4).</summary>
    private void Learn(RequestId request, Rumor rumor, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_known.AnswerToFound(rumor, _peers) is { } answer)
        {
            outbox.Answer(request, answer);
            return;
        }

        if (!TryTake(rumor, isHot: _options.Mutation != RumorsMutation.FoundNotSpread, outbox))
        {
            outbox.Answer(request, new RumorResult.Refused(Refusal.NotReady));
            return;
        }

        outbox.Answer(request, new RumorResult.Learned(true));
    }

    private bool TryTake(Rumor rumor, bool isHot, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!_known.TryAdd(rumor.Id))
        {
            return false;
        }

        var kept = rumor.Kept();
        outbox.Execute(new Slot(++_delivered), new RumorCommand.Learn(kept));
        if (isHot)
        {
            Heat(kept);
        }

        return true;
    }

    private void Heat(Rumor rumor)
    {
        _hot[rumor.Id] = new HotRumor { Rumor = rumor };
        CoolDown();
    }

    /// <summary>Bounds what is spread at once: whatever was sent most often has had its turn.</summary>
    private void CoolDown()
    {
        while (_hot.Count > _options.MostHot)
        {
            _hot.Remove(_hot.Values.MaxBy(hot => hot.Sends)!.Rumor.Id);
        }
    }

    /// <summary>Rounds go on while there is something to tell or somebody is to be asked.</summary>
    private void Arm(StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!_isArmed && (_hot.Count > 0 || _options.Style != RumorStyle.Push))
        {
            _isArmed = true;
            outbox.SetTimer(new TimerId((int)Timer.Round), RoundGrid.Next(_begun, _options.Period, _options.Jitter, context));
        }
    }

    private static readonly PeerView.Wire s_views = new();
}
