using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Epidemic broadcast trees (Leitão, Pereira and Rodrigues 2007). Payloads go along eager links, which prune themselves to a tree, ids
/// along all others; whoever hears of an id whose payload does not come grafts the link that it heard it on. So in quiet times each
/// node is sent each payload once, and a tree whose nodes die mends itself.
/// </summary>
/// <remarks>
/// Its peers are neighbours: <see cref="RumorCommand.Meet"/> says who is, and links go both ways. A node hands a rumor up once in the life
/// of a process. What no neighbour can supply in time is left to anti-entropy.
/// </remarks>
public sealed partial class Plumtree : Protocol<Plumtree.Message, RumorRecord, RumorCommand, RumorResult>
{
    /// <summary>No path is longer: what claims to have come further is malformed.</summary>
    private const int MostHops = 10_000;

    private readonly NodeId _self;
    private readonly PlumtreeOptions _options;
    private readonly KnownRumors _known;

    // Neighbours, each in one of both.
    private readonly SortedSet<NodeId> _eager = [];
    private readonly SortedSet<NodeId> _lazy = [];

    private readonly SortedDictionary<RumorId, Payload> _payloads = [];
    private readonly SortedDictionary<NodeId, Waiting> _waiting = [];
    private readonly SortedDictionary<RumorId, Missing> _missing = [];
    private readonly SortedDictionary<long, RumorId> _tickets = [];
    private readonly SortedDictionary<NodeId, int> _awaited = [];
    private PeerView _peers;
    private long _lastTicket;
    private long _delivered;
    private bool _batches;
    private bool _expires;

    /// <param name="neighbours">Who is beside this node. It may be in the view itself.</param>
    /// <exception cref="ArgumentException">The options contradict each other: payloads must outlive the requests for them.</exception>
    public Plumtree(NodeId self, PlumtreeOptions options, PeerView neighbours)
    {
        if (!options.IsSound)
        {
            throw new ArgumentException("t1 is longer than t2, and payloads are kept longer than both.", nameof(options));
        }

        _self = self;
        _options = options;
        _known = new KnownRumors(self, options.Incarnation, options.Limits, options.Mutation);
        _peers = neighbours;
        _eager.UnionWith(neighbours.Nodes.Where(node => node != self));
    }

    /// <summary>Kinds of timers; the key of Graft is a ticket for a missing id.</summary>
    public enum Timer
    {
        Batch,
        Graft,
        Expire,
    }

    /// <summary>Neighbours that payloads go to.</summary>
    public IReadOnlyCollection<NodeId> Eager => _eager;

    /// <summary>Neighbours that ids go to.</summary>
    public IReadOnlyCollection<NodeId> Lazy => _lazy;

    /// <summary>Ids whose payload is waited for.</summary>
    public IReadOnlyCollection<RumorId> MissingIds => _missing.Keys;

    /// <summary>How many hops a kept rumor had come, or null.</summary>
    public int? RoundOf(RumorId id) => _payloads.TryGetValue(id, out var payload) ? payload.Round : null;

    /// <summary>The number of the last rumor that this node started.</summary>
    public long Counter => _known.Counter;

    /// <summary>Whether this node knows a rumor in this life, or started it in any.</summary>
    public bool Knows(RumorId id) => _known.Knows(id);

    public override void State(StateVisitor visitor)
    {
        _known.State(visitor);
        Visit(visitor, "eager", _eager);
        Visit(visitor, "lazy", _lazy);
        visitor.Visit("payloads", _payloads, VisitId, static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("waiting", _waiting, static (v, ref node) => v.Visit("", ref node), static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("missing", _missing, VisitId, static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("tickets", _tickets, static (v, ref ticket) => v.Visit("", ref ticket), VisitId);
        visitor.Visit("awaited", _awaited, static (v, ref node) => v.Visit("", ref node), static (v, ref count) => v.Visit("", ref count));
        visitor.Visit("peers", ref _peers, s_views);
        visitor.Visit("lastTicket", ref _lastTicket);
        visitor.Visit("delivered", ref _delivered);
        visitor.Visit("batches", ref _batches);
        visitor.Visit("expires", ref _expires);
    }

    public override void Checkpoint(StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox) =>
        _known.Checkpoint(_payloads.Values.Select(payload => payload.Rumor), outbox);

    /// <summary>What this node started and may not have told anybody is told of again, and neighbours say what it missed.</summary>
    protected override void OnRecover(
        IEnumerable<RumorRecord> records, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        foreach (var rumor in _known.Redo(records))
        {
            Keep(rumor, 0, NodeId.None, context, outbox);
        }

        foreach (var neighbour in _eager)
        {
            TellAll(neighbour, isGreeting: true, outbox);
        }
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!_eager.Contains(from) && !_lazy.Contains(from) && _options.Mutation != RumorsMutation.SenderUnchecked)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        switch (message)
        {
            case Message.Gossip gossip:
                On(from, gossip, context, outbox);
                break;
            case Message.IHave have:
                On(from, have, context, outbox);
                break;
            case Message.Graft graft:
                On(from, graft, outbox);
                break;
            case Message.Prune:
                BeLazy(from);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        switch ((Timer)timer.Kind)
        {
            case Timer.Batch:
                _batches = false;
                Announce(outbox);
                break;
            case Timer.Graft:
                AskNext(timer.Key, context, outbox);
                break;
            case Timer.Expire:
                _expires = false;
                Expire(context, outbox);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(timer), timer, "Not a timer of this protocol.");
        }
    }

    protected override void OnSubmit(
        RequestId request, RumorCommand command, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        switch (command)
        {
            case RumorCommand.Spread spread:
                if (_known.Start(request, spread.Body, outbox) is { } rumor)
                {
                    Keep(rumor, 0, NodeId.None, context, outbox);
                    Forward(rumor, 0, context, outbox);
                }

                break;
            case RumorCommand.Learn learn:
                Learn(request, learn.Rumor, context, outbox);
                break;
            case RumorCommand.Meet meet:
                Meet(meet.Peers, outbox);
                outbox.Answer(request, new RumorResult.Met());
                break;
            default:
                outbox.AnswerEarly(request, new RumorResult.Refused(Refusal.Malformed));
                break;
        }
    }

    private static readonly PeerView.Wire s_views = new();

    private static void VisitId(StateVisitor visitor, ref RumorId id) => visitor.Visit("", ref id, RumorId.Wire.Instance);

    private static void Visit(StateVisitor visitor, string name, SortedSet<NodeId> set)
    {
        List<NodeId> nodes = [.. set];
        visitor.Visit(name, nodes, static (v, ref node) => v.Visit("", ref node));
        if (visitor.IsReading)
        {
            set.Clear();
            set.UnionWith(nodes);
        }
    }
}
