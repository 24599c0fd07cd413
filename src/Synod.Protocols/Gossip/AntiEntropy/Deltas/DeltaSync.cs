using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// Replication of convergent states by deltas (Almeida, Shoker, Baquero 2018, algorithm 2; Enes, Almeida, Baquero, Leitão 2019). A
/// replica numbers the changes of its state, own and received, and sends each peer the join of those that it has not acknowledged.
/// </summary>
/// <remarks>
/// The state and the number of its changes are durable. Which peer has what, and the deltas, are not: whoever is not known to have what
/// was before the first delta that is still here is a laggard and takes state. So an interval is only joined to states that hold all
/// that was before it, and what replicas show is causal.
/// </remarks>
public sealed partial class DeltaSync : Protocol<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result>
{
    private readonly NodeId _node;
    private readonly DeltaOptions _options;
    private readonly IConvergentState _state;

    // Durable.
    private Origin _self;
    private Roster _roster;
    private long _changes;

    // Volatile: the latest changes by their numbers, and what peers are known to have.
    private readonly SortedDictionary<long, Buffered> _buffer = [];
    private readonly SortedDictionary<NodeId, Peer> _peers = [];
    private long _bufferedBytes;

    /// <param name="roster">The latest that is known where this replica is started. Its disk may know of a later one.</param>
    /// <param name="state">The least state of its type.</param>
    /// <exception cref="ArgumentException">The roster is not sound.</exception>
    public DeltaSync(NodeId node, Roster roster, DeltaOptions options, IConvergentState state)
    {
        _node = node;
        _options = options;
        _state = state;
        _roster = roster.IsSound ? roster : throw new ArgumentException($"'{roster}' is no sound roster.", nameof(roster));
    }

    public enum Timer
    {
        Sync,
        Stability,
    }

    /// <summary>As whom this replica makes changes.</summary>
    public Origin Self => _self;

    public Roster Roster => _roster;

    /// <summary>How often the state changed, in all lives of its disk.</summary>
    public long Changes => _changes;

    /// <summary>The replicated state, for reading. A crash may take back what is not durable yet.</summary>
    public IConvergentState Replica => _state;

    /// <summary>Bytes of deltas that are kept for peers.</summary>
    public long BufferedBytes => _bufferedBytes;

    /// <summary>How many of this replica's changes a peer is known to have; null if it is a laggard.</summary>
    public long? Acknowledged(NodeId peer) => _peers.TryGetValue(peer, out var known) && known.Acked >= Oldest ? known.Acked : null;

    // The changes from here on are all in the buffer.
    private long Oldest => _buffer.Count == 0 ? _changes : _buffer.Keys.First();

    private ImmutableArray<NodeId> Others => _roster.Members.Remove(_node);

    private bool IsAsynchronous => _options.Durability == DeltaDurability.Asynchronous;

    public override void State(StateVisitor visitor)
    {
        var state = visitor.IsReading ? default : _state.Save();
        visitor.Visit("self", ref _self, OriginWire.Instance);
        visitor.Visit("roster", ref _roster, RosterWire.Instance);
        visitor.Visit("changes", ref _changes);
        visitor.Visit("state", ref state);
        visitor.Visit("buffer", _buffer, static (v, ref number) => v.Visit("", ref number), static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("peers", _peers, static (v, ref node) => v.Visit("", ref node), static (v, ref item) => (item ??= new()).State(v));
        PartsState(visitor);
        if (visitor.IsReading)
        {
            _state.Load(state);
            _state.Become(_self);
            _bufferedBytes = _buffer.Values.Sum(item => (long)item.Delta.Length);
        }
    }

    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        outbox.Persist(new Record.Image(_self, _roster, _changes, _state.Save()));

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            Apply(record);
        }

        if (_roster.IsFenced(_self))
        {
            Begin(anew: _options.Mutation != DeltaMutation.FencedKeepsState, context, outbox);
        }
        else if (_self == default || MayHaveToldMore)
        {
            Begin(anew: false, context, outbox);
        }

        SetTimer(Timer.Sync, _options.Period, context, outbox);
        SetTimer(Timer.Stability, _options.StabilityPeriod, context, outbox);
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_roster.Has(from) || from == _node)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        if (message.Sender.Node != from || message.Sender == default)
        {
            outbox.Refuse(Refusal.Forged);
            return;
        }

        if (_roster.IsFenced(message.Sender) && _options.Mutation != DeltaMutation.FencedAccepted)
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        Meet(from, message.Sender);
        switch (message)
        {
            case Message.Interval interval:
                On(from, interval, outbox);
                break;
            case Message.Full full:
                Join(from, full, full.State, full.Through, outbox);
                break;
            case Message.Ack ack:
                On(from, ack, outbox);
                break;
            case Message.Inquire:
                On(from, outbox);
                break;
            case Message.Have have:
                On(from, have, outbox);
                break;
            case Message.Missing missing:
                On(from, missing, outbox);
                break;
            case Message.Seen seen:
                On(from, seen, outbox);
                break;
            case Message.Part part:
                On(from, part, outbox);
                break;
            case Message.Want want:
                On(from, want, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch ((Timer)timer.Kind)
        {
            case Timer.Sync when Others is { IsEmpty: false } others:
                Tell(others[context.Choose(others.Length)], outbox);
                break;
            case Timer.Stability:
                TellSeen(outbox);
                Compact(outbox);
                break;
        }

        SetTimer((Timer)timer.Kind, (Timer)timer.Kind == Timer.Sync ? _options.Period : _options.StabilityPeriod, context, outbox);
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (command)
        {
            case Command.Do change:
                var delta = _state.Mutate(change.Body, context, out var answer);
                if (!delta.IsEmpty)
                {
                    Change(delta, _self, outbox);
                }

                Answer(request, new Result.Done(_self, answer), outbox);
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

    /// <summary>Whether a former life may have told numbers that this disk does not know of.</summary>
    private bool MayHaveToldMore =>
        (_options.IsRestored && _options.Mutation != DeltaMutation.RestoredKeepsOrigin)
        || (_options.Durability == DeltaDurability.Asynchronous && _options.Mutation != DeltaMutation.CrashKeepsOrigin);

    /// <summary>Goes on as another origin. Its first message comes after the record, or draws among 2^62 make it another than any before.</summary>
    private void Begin(bool anew, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var drawn = Origin.Draw(_node, context, origin => origin == _self || _roster.IsFenced(origin));
        var record = new Record.Created(drawn, anew);
        outbox.Persist(record);
        Apply(record);
    }

    private void Adopt(Roster roster, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (roster.Epoch <= _roster.Epoch)
        {
            return;
        }

        var record = new Record.Adopted(roster);
        outbox.Persist(record);
        Apply(record);
        if (_roster.IsFenced(_self))
        {
            Begin(anew: _options.Mutation != DeltaMutation.FencedKeepsState, context, outbox);
        }

        foreach (var node in _peers.Where(pair => !_roster.Has(pair.Key) || _roster.IsFenced(pair.Value.Origin)).Select(pair => pair.Key).ToList())
        {
            _peers.Remove(node);
            _outgoing.Remove(node);
            _incoming.Remove(node);
        }

        // What was told before may have been told by who still listened to those that are given up now.
        foreach (var peer in _peers.Values)
        {
            peer.Seen = default;
        }
    }

    /// <summary>The state has changed by <paramref name="delta"/>; it is made durable, and kept for peers.</summary>
    private void Change(ReadOnlyMemory<byte> delta, Origin from, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Persist(new Record.Changed(delta));
        _buffer.Add(_changes++, new Buffered(from, delta));
        _bufferedBytes += delta.Length;
        TrimBuffer();
    }

    private static void SetTimer(Timer timer, Duration period, StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        outbox.SetTimer(new TimerId((int)timer), context.Now + context.Jitter(period));

    private void Answer(RequestId request, Result result, Outbox<Message, Record, Command, Result> outbox)
    {
        // Asynchronous: what a crash takes back was promised to nobody, and its numbers are never used again.
        if (IsAsynchronous || _options.Mutation == DeltaMutation.AnswerBeforeDurable)
        {
            outbox.AnswerEarly(request, result);
        }
        else
        {
            outbox.Answer(request, result);
        }
    }

    private void Send(NodeId to, Message message, Outbox<Message, Record, Command, Result> outbox)
    {
        // Asynchronous: the next life is another origin, so no number in here will ever mean something else.
        if (IsAsynchronous || _options.Mutation == DeltaMutation.SendBeforeDurable
            || (_options.Mutation == DeltaMutation.AckBeforeDurable && message is Message.Ack))
        {
            outbox.SendEarly(to, message);
        }
        else
        {
            outbox.Send(to, message);
        }
    }

    private void Apply(Record record)
    {
        switch (record)
        {
            case Record.Created created:
                _self = created.Origin;
                if (created.Anew)
                {
                    _state.Load(default);
                    _buffer.Clear();
                    (_changes, _bufferedBytes) = (0, 0);
                }

                _peers.Clear();
                _outgoing.Clear();
                _incoming.Clear();
                _state.Become(_self);
                break;
            case Record.Changed changed:
                Invariant.Check(_state.Join(changed.Delta) is not null, OwnDeltasJoin);
                _changes++;
                break;
            case Record.Adopted adopted:
                _roster = adopted.Roster.Later(_roster);
                break;
            case Record.Image image:
                (_self, _roster, _changes) = (image.Origin, image.Roster.Later(_roster), image.Changes);
                _state.Load(image.State);
                _state.Become(_self);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }

    /// <summary>A change as it is kept for peers.</summary>
    private sealed class Buffered
    {
        private Origin _from;
        private ReadOnlyMemory<byte> _delta;

        public Buffered()
        {
        }

        public Buffered(Origin from, ReadOnlyMemory<byte> delta) => (_from, _delta) = (from, delta);

        /// <summary>Who sent it, or made it.</summary>
        public Origin From => _from;

        public ReadOnlyMemory<byte> Delta => _delta;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("from", ref _from, OriginWire.Instance);
            visitor.Visit("delta", ref _delta);
        }
    }

    /// <summary>What is known of a peer.</summary>
    private sealed class Peer
    {
        private Origin _origin;
        private long _acked = Unknown;
        private ReadOnlyMemory<byte> _seen;

        public const long Unknown = -1;

        /// <summary>As whom it lives.</summary>
        public Origin Origin { get => _origin; init => _origin = value; }

        /// <summary>It has every change of ours before this one; <see cref="Unknown"/> if it never said so in its present life.</summary>
        public long Acked { get => _acked; set => _acked = value; }

        /// <summary>What it has seen by its own word, under the roster in force; empty if it has not told.</summary>
        public ReadOnlyMemory<byte> Seen { get => _seen; set => _seen = value; }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("origin", ref _origin, OriginWire.Instance);
            visitor.Visit("acked", ref _acked);
            visitor.Visit("seen", ref _seen);
        }
    }
}
