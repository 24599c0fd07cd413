using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Who is there, and who does not answer: SWIM (Das, Gupta and Motivala 2002) with Lifeguard (Dadgar, Phillips and Currey 2018). Every
/// node keeps a table of all members, probes one of them in each period with the help of others, and tells news on what it sends anyway.
/// </summary>
/// <remarks>
/// A view is a belief. It is the same everywhere after a while, and may be wrong at any moment: who owns what, who leads and what the
/// configuration is stay with consensus.
/// </remarks>
public sealed partial class Membership
    : Protocol<Membership.Message, Membership.Record, Membership.Command, Membership.Result>
{
    private readonly NodeId _self;
    private readonly MembershipOptions _options;
    private readonly Roster _roster;
    private readonly MemberTable _table;
    private MemberDescription _description;
    private Standing _standing;

    // This node's incarnation, and up to which one it may go without another record.
    private long _incarnation;
    private long _reserved;

    // News, and the packet that is being filled with it.
    private readonly Broadcasts _news = new();
    private readonly ImmutableArray<Update>.Builder _packet = ImmutableArray.CreateBuilder<Update>();
    private readonly Func<NodeId, bool> _takeNews;
    private int _room;
    private bool _isGossiping;

    private readonly SortedDictionary<NodeId, Suspicion> _suspicions = [];

    // The dead and those who left, and since when.
    private readonly SortedDictionary<NodeId, Instant> _gone = [];

    private long _sequence;
    private long _events;

    /// <param name="description">What this node says of itself: its address, first of all.</param>
    /// <param name="roster">The members that the cluster begins with. A node that it names need not join.</param>
    public Membership(NodeId self, MemberDescription description, MembershipOptions options, Roster? roster = null)
    {
        _self = self;
        _options = options;
        _roster = roster ?? Roster.Empty;
        _description = description.IsSound ? description : throw new ArgumentException("It exceeds a limit.", nameof(description));
        _table = new MemberTable(_roster);
        _takeNews = TakeNews;
    }

    /// <summary>Kinds of timers; the key of Relay is a sequence number, of Suspicion a member.</summary>
    public enum Timer
    {
        Period,
        Timeout,
        Relay,
        Suspicion,
        Gossip,
        Sync,
        Contact,
        Reclaim,
        Join,
        Leave,
    }

    /// <summary>What this node is to the others.</summary>
    public enum Standing
    {
        /// <summary>Not told to join yet, or on its way to it.</summary>
        Outside,

        Member,

        Leaving,

        /// <summary>It said goodbye. Only a new process comes back.</summary>
        Left,
    }

    public NodeId Self => _self;

    public Standing Status => _standing;

    public long Incarnation => _incarnation;

    public MemberDescription Description => _description;

    /// <summary>How many members there are, this node included: alive or suspected.</summary>
    public int LiveCount => _table.Live;

    /// <summary>Local health: 0 is well, and periods and time-outs are so many times longer.</summary>
    public int Health => _health;

    /// <summary>How many members there is news of.</summary>
    public int NewsCount => _news.Count;

    /// <summary>Every member known here, dead ones included, this node too; in an order of this node's own.</summary>
    public IEnumerable<Member> Members
    {
        get
        {
            for (var place = 0; place < _table.Places; place++)
            {
                if (_table.KeyAt(place) != MemberKey.Absent)
                {
                    yield return _table.MemberAt(place);
                }
            }
        }
    }

    /// <summary>A member as this node sees it, or null.</summary>
    public Member? Find(NodeId id) => _table.Find(id) is >= 0 and var place ? _table.MemberAt(place) : null;

    /// <summary>Who found by probes of its own that a suspect does not answer, as far as is known here; the first of them began it.</summary>
    public IReadOnlyList<NodeId> Accusers(NodeId suspect) =>
        _suspicions.TryGetValue(suspect, out var suspicion) ? suspicion.Accusers : [];

    public override void State(StateVisitor visitor)
    {
        visitor.VisitEnum("standing", ref _standing);
        visitor.Visit("incarnation", ref _incarnation);
        visitor.Visit("reserved", ref _reserved);
        var (address, tags) = (_description.Address, _description.Tags);
        visitor.Visit("address", ref address);
        visitor.Visit("tags", ref tags);
        _table.State(visitor);
        _news.State(visitor);
        visitor.Visit("gossiping", ref _isGossiping);
        visitor.Visit("suspicions", _suspicions, VisitNode, static (v, ref suspicion) => (suspicion ??= new()).State(v));
        visitor.Visit("gone", _gone, VisitNode, static (v, ref since) => v.Visit("", ref since));
        visitor.Visit("sequence", ref _sequence);
        visitor.Visit("events", ref _events);
        ProbingState(visitor);
        JoiningState(visitor);
        visitor.Visit("skips", ref _skips);
        visitor.Visit("nextPush", ref _nextPush);
        visitor.Visit("neighbours", _neighbours, VisitNode, (v, ref neighbour) => (neighbour ??= NewNeighbour(default)).State(v));
        visitor.Visit("ringIsOld", ref _ringIsOld);
        visitor.Visit("beatDue", ref _beatDue);
        if (visitor.IsReading)
        {
            _description = new MemberDescription(address, tags);
        }
    }

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            _reserved = record is Record.Reserved reserved && _options.Mutation != MembershipMutation.IncarnationForgotten
                ? Math.Max(_reserved, reserved.Incarnation)
                : _reserved;
        }

        // A number of an earlier process should not be taken for one of this.
        _sequence = context.Choose(int.MaxValue);
        Start(context, outbox);
    }

    /// <summary>The reservation is all that a restart needs.</summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        outbox.Persist(new Record.Reserved(_reserved));

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (from == _self)
        {
            // Another process has this node's name, or the host sends to itself.
            outbox.Refuse(Refusal.Equivocation);
            return;
        }

        if (_standing == Standing.Left)
        {
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        if (message.Transport == Transport.Datagram && message.Updates.Length > Wire.MostUpdates(_options.DatagramBytes))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        switch (message)
        {
            case Message.Ping ping:
                On(from, ping, context, outbox);
                break;
            case Message.Ack ack:
                On(from, ack, context, outbox);
                break;
            case Message.PingReq request:
                On(from, request, context, outbox);
                break;
            case Message.Nack nack:
                On(from, nack, context, outbox);
                break;
            case Message.Gossip gossip:
                Merge(from, gossip.Updates, context, outbox);
                break;
            case Message.Digest digest:
                On(from, digest, context, outbox);
                break;
            case Message.Sync sync:
                On(from, sync, context, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch ((Timer)timer.Kind)
        {
            case Timer.Period:
                PeriodIsOver(context, outbox);
                break;
            case Timer.Timeout:
                AskHelpers(context, outbox);
                break;
            case Timer.Relay:
                RelayIsLate(timer.Key, context, outbox);
                break;
            case Timer.Suspicion:
                SuspicionIsOver(new NodeId((int)timer.Key), context, outbox);
                break;
            case Timer.Gossip:
                Gossip(context, outbox);
                break;
            case Timer.Sync:
                CompareTables(context, outbox);
                break;
            case Timer.Contact:
                ContactTheMissing(context, outbox);
                break;
            case Timer.Reclaim:
                Reclaim(context, outbox);
                break;
            case Timer.Join:
                AskToJoin(context, outbox);
                break;
            case Timer.Leave:
                FinishLeaving(outbox);
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
            case Command.Join join:
                On(request, join, context, outbox);
                break;
            case Command.Describe describe:
                On(request, describe, context, outbox);
                break;
            case Command.Leave:
                Leave(request, context, outbox);
                break;
            default:
                outbox.Answer(request, new Result.Refused());
                break;
        }
    }

    private static TimerId ToTimer(Timer kind, long key = 0) => new((int)kind, key);

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);

    /// <summary>Hands an event to the host.</summary>
    private void Emit(Command happened, Outbox<Message, Record, Command, Result> outbox) =>
        outbox.Execute(new Slot(++_events), happened);

    /// <summary>
    /// Sends. What this node says of itself is covered by a reservation that was persisted before, so the hold rule keeps an incarnation
    /// from being heard before it is durable; a reservation is seldom, and nothing else waits for a disk.
    /// </summary>
    private void Tell(NodeId to, Message message, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_options.Mutation == MembershipMutation.AnnounceBeforeDurable)
        {
            outbox.SendEarly(to, message);
        }
        else
        {
            outbox.Send(to, message);
        }
    }
}
