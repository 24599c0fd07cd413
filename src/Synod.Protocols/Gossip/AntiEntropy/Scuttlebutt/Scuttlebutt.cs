using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// Anti-entropy with a version vector by origin (van Renesse, Dumitriu, Gough, Thomas 2008, "Efficient Reconciliation and Flow Control
/// for Anti-Entropy Protocols"). Each node writes keys of its own and numbers its updates; every so often it compares with a random
/// member how far both are with each origin, and each sends the other what it lacks, oldest first.
/// </summary>
/// <remarks>
/// Everything rests on one claim: whoever says that it is at version v of an origin has every update up to v, or a later one of the
/// same key. So updates are sent as runs without gaps, and a run is taken only where it continues what is there.
/// </remarks>
public sealed partial class Scuttlebutt
    : Protocol<Scuttlebutt.Message, Scuttlebutt.Record, Scuttlebutt.Command, Scuttlebutt.Result>
{
    private const int MostRounds = 16;

    private readonly NodeId _node;
    private readonly ScuttlebuttOptions _options;
    private readonly SortedDictionary<Origin, OriginState> _origins = [];
    private Origin _self;
    private Roster _roster;

    // Rounds that were begun and not answered, the last few; how far members were heard to be with this origin; whose turn it is in
    // what is told to a member, in what is answered to it, and in what is asked. With one turn for all, members that come in a fixed
    // order could always meet the same.
    private readonly SortedDictionary<long, NodeId> _asked = [];
    private readonly SortedDictionary<NodeId, long> _heard = [];
    private long _round;
    private readonly SortedDictionary<NodeId, Origin> _nextTold = [];
    private readonly SortedDictionary<NodeId, Origin> _nextAnswered = [];
    private Origin _nextAsked;

    /// <exception cref="ArgumentException">The roster is not sound, or messages are too small for anything.</exception>
    public Scuttlebutt(NodeId node, Roster roster, ScuttlebuttOptions options)
    {
        if (options.MostMessageBytes < ScuttlebuttOptions.LeastMessageBytes)
        {
            throw new ArgumentException($"A message of {options.MostMessageBytes} bytes holds no update.", nameof(options));
        }

        _node = node;
        _options = options;
        _roster = roster.IsSound ? roster : throw new ArgumentException($"'{roster}' is no sound roster.", nameof(roster));
    }

    public enum Timer
    {
        Round,
    }

    /// <summary>As whom this node writes.</summary>
    public Origin Self => _self;

    public Roster Roster => _roster;

    /// <summary>How far this replica is with each origin that it has heard of.</summary>
    public IEnumerable<Progress> Origins => _origins.Select(pair => pair.Value.Progress(pair.Key));

    /// <summary>The value of an origin's key; null if it is not there, or deleted.</summary>
    public ReadOnlyMemory<byte>? Read(Origin origin, Key key) =>
        _origins.TryGetValue(origin, out var state) && state.Find(key) is { IsDeleted: false } entry ? entry.Value : default(ReadOnlyMemory<byte>?);

    /// <summary>The version of the newest update of an origin's key that is here, a deletion too; 0 if there is none.</summary>
    public long VersionOf(Origin origin, Key key) => _origins.TryGetValue(origin, out var state) ? state.Find(key)?.Version ?? 0 : 0;

    /// <summary>Everything that an origin says, as far as it is known here, in the order of keys.</summary>
    public IEnumerable<Entry> Entries(Origin origin) => _origins.TryGetValue(origin, out var state) ? state.Visible() : [];

    /// <summary>Tombstones of an origin that are still kept here.</summary>
    public int Tombstones(Origin origin) => _origins.TryGetValue(origin, out var state) ? state.Tombstones : 0;

    private OriginState Own => _origins[WritesAs];

    private Origin WritesAs => _options.Mutation == ScuttlebuttMutation.VersionWithoutOrigin ? new Origin(_roster.Members[0], 0) : _self;

    public override void State(StateVisitor visitor)
    {
        visitor.Visit("self", ref _self, OriginWire.Instance);
        visitor.Visit("roster", ref _roster, RosterWire.Instance);
        visitor.Visit("origins", _origins, OriginWire.Visit, static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("asked", _asked, static (v, ref round) => v.Visit("", ref round), static (v, ref node) => v.Visit("", ref node));
        visitor.Visit("heard", _heard, static (v, ref node) => v.Visit("", ref node), static (v, ref max) => v.Visit("", ref max));
        visitor.Visit("round", ref _round);
        visitor.Visit("nextTold", _nextTold, static (v, ref node) => v.Visit("", ref node), OriginWire.Visit);
        visitor.Visit("nextAnswered", _nextAnswered, static (v, ref node) => v.Visit("", ref node), OriginWire.Visit);
        visitor.Visit("nextAsked", ref _nextAsked, OriginWire.Instance);
    }

    /// <summary>The whole state in one record, so that recovery finds all of it or the older records.</summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var writer = new CodecWriter();
        State(new StateWriter(writer));
        outbox.Persist(new Record.Image(writer.ToArray()));
    }

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            Apply(record);
        }

        _asked.Clear();
        _heard.Clear();
        DropOutsiders();
        if (_self == default || _roster.IsFenced(_self) || (_options.IsRestored && _options.Mutation != ScuttlebuttMutation.RestoredKeepsOrigin))
        {
            Begin(context, outbox);
        }

        SetTimer(context, outbox);
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_roster.Has(from) || from == _node)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        switch (message)
        {
            case Message.Ask ask:
                On(from, ask, context, outbox);
                break;
            case Message.Exchange exchange:
                On(from, exchange, context, outbox);
                break;
            case Message.Tell tell:
                Learn(tell.Deltas, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        ForgetTombstones(outbox);
        var others = _roster.Members.Remove(_node);
        if (!others.IsEmpty)
        {
            var peer = others[context.Choose(others.Length)];
            _asked[++_round] = peer;
            if (_asked.Count > MostRounds)
            {
                _asked.Remove(_asked.Keys.First());
            }

            var (digest, next) = NextDigest(Origin.Least, Origin.Most, _nextAsked);
            _nextAsked = next;
            Send(peer, new Message.Ask(_round, digest), outbox);
        }

        SetTimer(context, outbox);
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (command)
        {
            case Command.Put put when put.Key.Span.Length + put.Value.Length <= _options.MostEntryBytes:
                Write(request, put.Key, put.Value, isDeleted: false, outbox);
                break;
            case Command.Delete delete when Own.Find(delete.Key) is { IsDeleted: false }:
                Write(request, delete.Key, default, isDeleted: true, outbox);
                break;
            case Command.Delete:
                outbox.Answer(request, new Result.Absent());
                break;
            case Command.Configure configure when configure.Roster.IsSound:
                Adopt(configure.Roster, context, outbox);
                outbox.Answer(request, new Result.Configured(_roster.Epoch));
                break;
            default:
                outbox.AnswerEarly(request, new Result.Rejected());
                break;
        }
    }

    private void Write(
        RequestId request, Key key, ReadOnlyMemory<byte> value, bool isDeleted, Outbox<Message, Record, Command, Result> outbox)
    {
        var entry = new Entry(Own.Max + 1, key, value, isDeleted);
        Take(new Record.Wrote(entry), outbox);
        var stored = new Result.Stored(WritesAs, entry.Version);
        if (_options.Mutation == ScuttlebuttMutation.AnswerBeforeDurable)
        {
            outbox.AnswerEarly(request, stored);
        }
        else
        {
            outbox.Answer(request, stored);
        }
    }

    /// <summary>Begins a life as a new origin. Nobody hears of it before it is durable, so none is ever drawn twice by chance of a crash.</summary>
    private void Begin(StepContext context, Outbox<Message, Record, Command, Result> outbox) => Take(
        new Record.Created(Origin.Draw(_node, context, origin => origin == _self || _origins.ContainsKey(origin) || _roster.IsFenced(origin))), outbox);

    private void Adopt(Roster roster, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (roster.Epoch <= _roster.Epoch)
        {
            return;
        }

        Take(new Record.Adopted(roster), outbox);
        if (_roster.IsFenced(_self))
        {
            Begin(context, outbox);
        }
    }

    private void SetTimer(StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        outbox.SetTimer(new TimerId((int)Timer.Round), context.Now + context.Jitter(_options.Period));

    private void Send(NodeId to, Message message, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_options.Mutation == ScuttlebuttMutation.SendBeforeDurable)
        {
            outbox.SendEarly(to, message);
        }
        else
        {
            outbox.Send(to, message);
        }
    }

    private void Take(Record record, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Persist(record);
        Apply(record);
    }

    private void Apply(Record record)
    {
        switch (record)
        {
            case Record.Created created:
                _self = created.Origin;
                StateOf(WritesAs);
                DropOutsiders();
                break;
            case Record.Wrote wrote:
                Own.Add(wrote.Entry);
                break;
            case Record.Learned learned:
                StateOf(learned.Delta.Sender.Origin).Apply(learned.Delta, _options.Mutation == ScuttlebuttMutation.ResetKeepsOld);
                break;
            case Record.Forgot forgot when _options.Mutation == ScuttlebuttMutation.FloorNotRaised:
                Own.Drop(forgot.Floor);
                break;
            case Record.Forgot forgot:
                Own.Forget(forgot.Floor);
                break;
            case Record.Adopted adopted:
                _roster = adopted.Roster.Later(_roster);
                DropOutsiders();
                break;
            case Record.Image image:
                var given = _roster;
                var reader = new StateReader(image.State);
                State(reader);
                reader.Complete();
                _roster = _roster.Later(given);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }

    private OriginState StateOf(Origin origin)
    {
        if (!_origins.TryGetValue(origin, out var state))
        {
            _origins.Add(origin, state = new());
        }

        return state;
    }

    /// <summary>Nothing is kept of who is given up or gone, own former lives included.</summary>
    private void DropOutsiders()
    {
        foreach (var origin in _origins.Keys.Where(origin => origin != WritesAs && !_roster.Accepts(origin)).ToList())
        {
            _origins.Remove(origin);
        }

        foreach (var node in _heard.Keys.Union(_nextTold.Keys).Union(_nextAnswered.Keys).Where(node => !_roster.Has(node)).ToList())
        {
            _heard.Remove(node);
            _nextTold.Remove(node);
            _nextAnswered.Remove(node);
        }
    }
}
