using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// One replica of a group without a leader: whoever is asked coordinates the command, and decides in one round trip to a fast quorum
/// unless interfering commands come in between. EPaxos (Moraru, Andersen and Kaminsky 2013) with the recovery of EPaxos* (Ryabinin,
/// Gotsman and Sutra 2025) and without sequence numbers.
/// </summary>
/// <remarks>Operations are kept for as long as replicas may need them: a host must not write into their memory again.</remarks>
public sealed partial class EPaxos : Protocol<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>
{
    private readonly NodeId _self;
    private readonly int _own;
    private readonly EPaxosGroup _group;
    private readonly EPaxosOptions _options;
    private readonly IInterferingState _state;
    private readonly InterferenceIndex _index;
    private readonly Column[] _columns;

    // The world and the outputs of the step that is running; nothing of them outlives it.
    private StepContext _context = null!;
    private Outbox<Message, Record, Command, Result> _out = null!;

    /// <summary>Commands that wait for room in the pipeline.</summary>
    private readonly List<(ClientCommand Command, RequestId Request)> _waiting = [];

    /// <summary>The others, the one first that answered best (thrifty).</summary>
    private readonly List<NodeId> _order = [];

    /// <summary>What each member was last heard to have executed.</summary>
    private readonly Dependencies[] _progress;

    private long _next;
    private long _executions;
    private bool _isBeating;

    // What was committed at the last beat, to tell a replica that is behind from one that is about to hear.
    private Dependencies _committedAtBeat;
    private int _fetchTurn;

    /// <exception cref="ArgumentException"><paramref name="self"/> is no member.</exception>
    public EPaxos(NodeId self, EPaxosGroup group, EPaxosOptions options, IInterferingState state)
    {
        _own = group.ColumnOf(self);
        if (_own < 0)
        {
            throw new ArgumentException($"{self} is no member of {group.Members}.", nameof(self));
        }

        _self = self;
        _group = group;
        _options = options;
        _state = state;
        _index = new InterferenceIndex(group.Count, state, Mutated(EPaxosMutation.FirstOfBatchOnly));
        _columns = new Column[group.Count];
        _progress = new Dependencies[group.Count];
        var none = Dependencies.Of(new long[group.Count]);
        _committedAtBeat = _executedBefore = none;
        for (var column = 0; column < group.Count; column++)
        {
            _columns[column] = new Column(group[column], column);
            _progress[column] = none;
            if (column > 0)
            {
                _order.Add(group[(_own + column) % group.Count]);
            }
        }
    }

    private Instant Now => _context.Now;

    public NodeId Self => _self;

    /// <summary>The state that this replica executes on.</summary>
    public IInterferingState Replicated => _state;

    /// <summary>Whether a recovery led here may be waiting for others (epaxos.md §5.4).</summary>
    public bool MayBeWaiting => _anyWaiting;

    /// <summary>Instances that held commands and were executed here.</summary>
    public long Executions => _executions;

    /// <summary>The instances of one member up to this number are executed here.</summary>
    public long ExecutedUpTo(NodeId member) => _columns[_group.ColumnOf(member)].Executed;

    /// <summary>The instances of one member up to this number are executed everywhere, and dropped here.</summary>
    public long DroppedUpTo(NodeId member) => _columns[_group.ColumnOf(member)].Floor;

    /// <summary>What is known here of an instance that was not dropped: its phase, its value and the dependencies of that.</summary>
    public (Phase Phase, Batch? Value, Dependencies? Deps) Look(InstanceId id) =>
        Find(id) is { } instance ? (instance.Phase, instance.Value, instance.Deps) : default;

    /// <summary>Whether an instance was executed here, or is the Nop.</summary>
    public bool IsExecuted(InstanceId id) =>
        id.Number <= _columns[_group.ColumnOf(id.Replica)].Executed || Find(id) is { IsExecuted: true };

    /// <summary>The ids of the instances held, by member and number.</summary>
    public IEnumerable<InstanceId> Held => _columns.SelectMany(column => column.Held()).Select(instance => instance.Id);

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        if (_group.ColumnOf(from) < 0 || from == _self)
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        Dispatch(from, message);
        Beat();
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        Invariant.Check(timer.Kind == (int)Timer.Beat, "EveryTimerIsKnown");
        OnBeat();
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        switch (command)
        {
            case Command.Invoke c:
                OnInvoke(request, c.Client);
                break;
            case Command.Suspect c:
                OnSuspect(c.Id);
                break;
            default:
                Invariant.Check(command is not Command.Apply, "ExecutionsAreNotSubmitted");
                Invariant.Check(false, "EveryCommandIsKnown");
                break;
        }

        Beat();
    }

    private void Dispatch(NodeId from, Message message)
    {
        switch (message)
        {
            case Message.PreAccept m:
                On(from, m);
                break;
            case Message.PreAcceptOk m:
                On(from, m);
                break;
            case Message.Accept m:
                On(from, m);
                break;
            case Message.AcceptOk m:
                On(from, m);
                break;
            case Message.Commit m:
                On(from, m);
                break;
            case Message.Recover m:
                On(from, m);
                break;
            case Message.RecoverOk m:
                On(from, m);
                break;
            case Message.Validate m:
                On(from, m);
                break;
            case Message.ValidateOk m:
                On(from, m);
                break;
            case Message.Waiting m:
                On(from, m);
                break;
            case Message.Nack m:
                On(m);
                break;
            case Message.Progress m:
                On(from, m);
                break;
            case Message.Fetch m:
                On(from, m);
                break;
            default:
                Invariant.Check(false, "EveryMessageIsHandled");
                break;
        }
    }

    /// <summary>The instance if anything is known of it and it was not dropped.</summary>
    private Instance? Find(InstanceId id)
    {
        var column = _group.ColumnOf(id.Replica);
        return column < 0 ? null : _columns[column].At(id.Number);
    }

    /// <summary>The instance that a peer names; null, and the input refused, if there can be none or it is long over.</summary>
    private Instance? Named(InstanceId id)
    {
        var column = _group.ColumnOf(id.Replica);
        if (column < 0 || id.Number <= 0)
        {
            _out.Refuse(Refusal.Malformed);
            return null;
        }

        if (id.Number <= _columns[column].Floor)
        {
            _out.Refuse(Refusal.Duplicate);
            return null;
        }

        if (column == _own && id.Number > _next)
        {
            _out.Refuse(Refusal.Unknown);
            return null;
        }

        if (!_columns[column].IsNear(id.Number))
        {
            _out.Refuse(Refusal.NotReady);
            return null;
        }

        var instance = _columns[column].GetOrAdd(id.Number);
        if (instance.Deadline == default)
        {
            Postpone(instance);
        }

        return instance;
    }

    /// <summary>Whether a vector from a peer can be the dependencies of <paramref name="id"/>: nothing later of its own coordinator.</summary>
    private bool IsSound(Dependencies deps, InstanceId id)
    {
        if (deps.Count != _group.Count || deps[_group.ColumnOf(id.Replica)] >= id.Number)
        {
            return false;
        }

        for (var column = 0; column < deps.Count; column++)
        {
            if (deps[column] < 0 || !CanBe(column, deps[column]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether there can be an instance of this number. Nobody can have heard of an own one that was not proposed yet.</summary>
    private bool CanBe(int column, long number) => _columns[column].IsNear(number) && (column != _own || number <= _next);

    private static bool IsOwned(Ballot ballot, InstanceId id, NodeId from) =>
        ballot == Ballot.None ? from == id.Replica : ballot.Node == from && ballot.Round is > 0 and < 1L << 60;

    private bool Mutated(EPaxosMutation mutation) => (_options.Mutation & mutation) != 0;

    private void SendUnlessEarly(EPaxosMutation early, NodeId to, Message message)
    {
        if (Mutated(early))
        {
            _out.SendEarly(to, message);
        }
        else
        {
            _out.Send(to, message);
        }
    }

    private void SendToOthers(Message message)
    {
        foreach (var node in _order)
        {
            _out.Send(node, message);
        }
    }

    /// <summary>To all others, or, thrifty, to as many as make a quorum with this replica.</summary>
    private void SendToQuorum(int quorum, Message message)
    {
        var count = _options.IsThrifty ? quorum - 1 : _order.Count;
        for (var index = 0; index < count; index++)
        {
            _out.Send(_order[index], message);
        }
    }
}
