using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>
/// Consistent snapshots of a running system of application processes (Chandy and Lamport 1985; Lai and Yang 1987 and Mattern 1993 for
/// channels that do not keep the order), with checkpoint and restore. Each node runs one application, carries its messages in channels
/// that lose nothing, and can begin a snapshot; any number may be open at once.
/// </summary>
/// <remarks>
/// A process is its inputs: they are durable before anything that follows from them leaves, and a restart runs them again. So a crash
/// neither loses a message in a channel nor ends a snapshot; it delays both.
/// </remarks>
public sealed partial class ChandyLamport
    : Protocol<ChandyLamport.Message, ChandyLamport.Record, ChandyLamport.Command, ChandyLamport.Result>
{
    private readonly NodeId _self;
    private readonly ChandyLamportOptions _options;
    private readonly IApplication _application;

    private Topology _topology;

    // Of the topology: whom this process sends to, and whom it receives from.
    private NodeSet _receivers;
    private NodeSet _senders;
    private Incarnation _incarnation;

    // Sessions, also those that are no channels of the topology, or no longer: what is in them still arrives.
    private readonly SortedDictionary<NodeId, Outgoing> _outgoing = [];
    private readonly SortedDictionary<NodeId, Incoming> _incoming = [];

    // As process.
    private readonly SortedDictionary<SnapshotId, Recording> _recordings = [];
    private readonly SortedDictionary<SnapshotId, bool> _ended = [];
    private readonly SortedDictionary<NodeId, long> _floors = [];

    // As initiator.
    private readonly SortedDictionary<long, Led> _led = [];
    private long _counter;
    private Cut? _latest;

    // Who restores: those who have not loaded yet, and who waits for it.
    private Record.Restoring? _restoring;
    private NodeSet _loading;
    private long _restoreRequest;

    /// <exception cref="ArgumentException">The topology names a channel twice, or one without two members.</exception>
    public ChandyLamport(NodeId self, Topology topology, ChandyLamportOptions options, IApplication application)
    {
        _self = self;
        _options = options;
        _application = application;
        _topology = topology.IsSound ? topology : throw new ArgumentException($"'{topology}' is no sound topology.", nameof(topology));
        OpenChannels(topology.Epoch);
    }

    /// <summary>Kinds of timers; the key of Limit is the snapshot's number.</summary>
    public enum Timer
    {
        Limit,
        Resend,
    }

    /// <summary>The complete snapshot with the highest number that this node began, or null. It is on this node's disk, or about to be.</summary>
    public Cut? Latest => _latest;

    public Topology Topology => _topology;

    public Incarnation Incarnation => _incarnation;

    /// <summary>Whether this node restores, and has not heard of everybody that they loaded.</summary>
    public bool IsRestoring => _restoring is not null;

    /// <summary>The snapshots that this process records and has not been told the end of.</summary>
    public IReadOnlyCollection<SnapshotId> Recordings => _recordings.Keys;

    /// <summary>Messages of the application sent to <paramref name="to"/> in this incarnation.</summary>
    public long SentTo(NodeId to) => _outgoing.TryGetValue(to, out var channel) ? channel.Messages : 0;

    /// <summary>Messages of the application received from <paramref name="from"/> in this incarnation.</summary>
    public long ReceivedFrom(NodeId from) => _incoming.TryGetValue(from, out var channel) ? channel.Messages : 0;

    /// <summary>Messages of the application to <paramref name="to"/> that are not known to be delivered, in order.</summary>
    public IEnumerable<InChannel> Unacknowledged(NodeId to) => _outgoing.TryGetValue(to, out var channel)
        ? channel.Unacknowledged.Values.OfType<Parcel.Payload>().Select(payload => new InChannel(payload.Number, payload.Body))
        : [];

    /// <summary>Whether everything that was ever sent is acknowledged, no snapshot is open here, and no restore.</summary>
    public bool IsQuiet => _restoring is null && _led.Count == 0 && _recordings.Count == 0
        && _outgoing.Values.All(channel => channel.Unacknowledged.Count == 0);

    private bool UsesColours =>
        _options.Order == ChannelOrder.Unordered && _options.Mutation != ChandyLamportMutation.MarkersWithoutOrder;

    public override void State(StateVisitor visitor)
    {
        var state = visitor.IsReading ? default : _application.Save();
        visitor.Visit("application", ref state);
        visitor.Visit("topology", ref _topology, Fields.Topologies);
        visitor.Visit("incarnation", ref _incarnation, Fields.Incarnations);
        visitor.Visit("outgoing", _outgoing, VisitNode, static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("incoming", _incoming, VisitNode, static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("recordings", _recordings, VisitId, static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("ended", _ended, VisitId, static (v, ref value) => v.Visit("", ref value));
        visitor.Visit("floors", _floors, VisitNode, static (v, ref value) => v.Visit("", ref value));
        visitor.Visit("led", _led, static (v, ref number) => v.Visit("", ref number), static (v, ref item) => (item ??= new()).State(v));
        visitor.Visit("counter", ref _counter);
        Visit(visitor, "latest", ref _latest, Fields.Cuts);
        Visit(visitor, "restoring", ref _restoring, Fields.Restorings);
        visitor.Visit("loading", ref _loading);
        visitor.Visit("restoreRequest", ref _restoreRequest);
        if (visitor.IsReading)
        {
            FindNeighbours();
            Invariant.Check(_application.TryLoad(state), StatesLoad);
        }
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (message is Message.Load load)
        {
            On(from, load, outbox);
        }
        else if (IsOfThisIncarnation(message))
        {
            Dispatch(from, message, outbox);
        }
        else
        {
            outbox.Refuse(message.Incarnation < _incarnation ? Refusal.StaleBallot : Refusal.NotReady);
            return;
        }

        Tell(outbox);
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch ((Timer)timer.Kind)
        {
            case Timer.Limit:
                Close(timer.Key, SnapshotEnd.TimedOut, outbox);
                break;
            case Timer.Resend:
                Resend(context, outbox);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(timer), timer, "Not a timer of this protocol.");
        }

        Tell(outbox);
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (command)
        {
            case Command.Act act:
                outbox.Persist(new Record.Acted(act.Body));
                outbox.Answer(request, new Result.Acted(_application.Submit(act.Body, Post)));
                break;
            case Command.Begin:
                Begin(request, context, outbox);
                break;
            case Command.Reconfigure reconfigure:
                Reconfigure(request, reconfigure, outbox);
                break;
            case Command.Restore restore:
                Restore(request, restore.Cut, outbox);
                break;
            default:
                outbox.AnswerEarly(request, new Result.Malformed());
                break;
        }

        Tell(outbox);
    }

    private static void VisitId(StateVisitor visitor, ref SnapshotId id) => visitor.Visit("", ref id, Fields.Ids);

    private static void Visit<T>(StateVisitor visitor, string name, ref T? value, IWire<T> wire)
        where T : class
    {
        var isThere = value is not null;
        visitor.Visit(name, ref isThere);
        if (!isThere)
        {
            value = null;
            return;
        }

        var item = value!;
        visitor.Visit("", ref item, wire);
        value = item;
    }

    private bool IsOfThisIncarnation(Message message) => message.Incarnation == _incarnation
        || (_options.Mutation == ChandyLamportMutation.OldIncarnationAccepted && message is Message.Data);

    private void Dispatch(NodeId from, Message message, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (message)
        {
            case Message.Data data:
                On(from, data, outbox);
                break;
            case Message.Ack ack:
                On(from, ack, outbox);
                break;
            case Message.Hand hand:
                On(from, hand, outbox);
                break;
            case Message.Inquire inquire:
                On(from, inquire, outbox);
                break;
            case Message.Decline decline:
                On(from, decline, outbox);
                break;
            case Message.Ended ended:
                On(from, ended, outbox);
                break;
            case Message.Loaded:
                Loaded(from, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }
}
