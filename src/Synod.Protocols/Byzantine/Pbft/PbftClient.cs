using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// A client of a <see cref="Pbft"/> group: a machine of its own, which believes a result when enough distinct replicas give the same
/// (Castro and Liskov 2002, §2.3.2, §5.1.3). It has one request under way at a time; others wait for it.
/// </summary>
public sealed class PbftClient : Protocol<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
{
    private static readonly Pbft.MessageWire s_messages = new();

    private readonly NodeId _self;
    private readonly PbftGroup _group;
    private readonly PbftOptions _options;
    private readonly ISigner _signer;
    private readonly Pbft.Statements _statements;
    private readonly SortedDictionary<long, Asked> _asked = [];
    private readonly SortedDictionary<NodeId, Reply> _replies = [];

    // The world and the outputs of the step that is running; nothing of them outlives it.
    private StepContext _context = null!;
    private Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> _out = null!;

    private long _timestamp;
    private long _view;
    private Pbft.Message? _underWay;

    /// <param name="self">Not a replica: the client's own name, under which its key is known.</param>
    /// <param name="group">The replicas.</param>
    /// <param name="options">Those of the group.</param>
    /// <param name="signer">Holds the client's key.</param>
    public PbftClient(NodeId self, PbftGroup group, PbftOptions options, ISigner signer)
    {
        (_self, _group, _options, _signer) = (self, group, options, signer);
        _statements = new(group.Domain);
    }

    /// <summary>Commands that are not answered yet.</summary>
    public int Pending => _asked.Count;

    /// <summary>Replicas that must say the same: one of them is correct, and with direct reads they meet every read's quorum.</summary>
    private int Needed =>
        _options.Mutation == PbftMutation.TrustFirstReply ? 1
        : _underWay is Pbft.Message.Read || (_options.ReadsDirectly && _options.Mutation != PbftMutation.FewRepliesBesideReads)
            ? _group.Quorum
            : _group.Weak;

    public override void State(StateVisitor visitor)
    {
        visitor.Visit("timestamp", ref _timestamp);
        visitor.Visit("view", ref _view);
        visitor.Visit(
            "asked",
            _asked,
            static (v, ref request) => v.Visit("", ref request),
            static (v, ref asked) =>
            {
                var (operation, isRead) = (asked.Operation, asked.IsRead);
                v.Visit("", ref operation);
                v.Visit("", ref isRead);
                asked = new(operation, isRead);
            });
        visitor.Visit(
            "replies",
            _replies,
            static (v, ref node) => v.Visit("", ref node),
            static (v, ref reply) =>
            {
                var (view, result) = (reply.View, reply.Result);
                v.Visit("", ref view);
                v.Visit("", ref result);
                reply = new(view, result);
            });
        var isBusy = _underWay is not null;
        visitor.Visit("busy", ref isBusy);
        if (isBusy)
        {
            visitor.Visit("", ref _underWay!, s_messages);
        }
    }

    public override void CheckInvariants() => Invariant.Check((_underWay is null) == (_asked.Count == 0), "OneRequestAtATime");

    /// <summary>Timestamps that were ever claimed are not used again: replicas would take a new request for an old one.</summary>
    protected override void OnRecover(
        IEnumerable<Pbft.Record> records,
        StepContext context,
        Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> outbox)
    {
        foreach (var record in records)
        {
            if (record is Pbft.Record.Claimed claimed)
            {
                _timestamp = Math.Max(_timestamp, claimed.Timestamp);
            }
        }
    }

    public override void Checkpoint(
        StepContext context, Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> outbox) =>
        outbox.Persist(new Pbft.Record.Claimed(_timestamp));

    protected override void OnSubmit(
        RequestId request,
        Pbft.Command command,
        StepContext context,
        Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> outbox)
    {
        (_context, _out) = (context, outbox);
        var asked = command switch
        {
            Pbft.Command.Invoke c => new Asked(c.Operation, IsRead: false),
            Pbft.Command.Query c => new Asked(c.Operation, _options.ReadsDirectly),
            _ => default(Asked?),
        };
        if (asked is not { } sound || sound.Operation.Length > _options.MaxOperation)
        {
            // Early is safe: nothing was done.
            _out.AnswerEarly(request, new Pbft.Result.Refused());
            return;
        }

        _asked.Add(request.Value, sound);
        if (_underWay is null)
        {
            Begin(sound.IsRead);
        }
    }

    protected override void OnReceive(
        NodeId from,
        Pbft.Message message,
        StepContext context,
        Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> outbox)
    {
        (_context, _out) = (context, outbox);
        if (!_group.Members.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
        }
        else if (message is not Pbft.Message.Reply reply)
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else if (_underWay is null || reply.Timestamp != _timestamp || reply.IsRead != _underWay is Pbft.Message.Read)
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else
        {
            // One for each replica: the last it gave, so that a faulty one cannot vote twice.
            _replies[from] = new(reply.View, reply.Result);
            Count(reply.Result);
        }
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> outbox)
    {
        (_context, _out) = (context, outbox);
        if (_underWay is Pbft.Message.Read)
        {
            Begin(isRead: false);
        }
        else if (_underWay is not null)
        {
            _out.Send(_group.Members, _underWay);
            SetTimer();
        }
    }

    /// <summary>
    /// Asks for the oldest command under a new timestamp: a read of all replicas at once, anything else of the primary. The timestamp
    /// is durable first.
    /// </summary>
    private void Begin(bool isRead)
    {
        var operation = _asked.First().Value.Operation;
        _timestamp++;
        _out.Persist(new Pbft.Record.Claimed(_timestamp));
        var signature = _signer.Sign(_statements.Request(_self, _timestamp, operation.Span, isRead));
        var signed = new Pbft.SignedRequest(_self, _timestamp, operation, signature);
        _replies.Clear();
        if (isRead)
        {
            _underWay = new Pbft.Message.Read(signed);
            _out.Send(_group.Members, _underWay);
        }
        else
        {
            _underWay = new Pbft.Message.Request(signed);
            _out.Send(_group.PrimaryOf(_view), _underWay);
        }

        SetTimer();
    }

    private void Count(ReadOnlyMemory<byte> result)
    {
        var views = _replies.Values.Where(reply => reply.Result.Span.SequenceEqual(result.Span)).Select(reply => reply.View).ToList();
        if (views.Count >= Needed)
        {
            // A correct replica among f+1 is in that view or above it; a faulty one alone could send us anywhere.
            views.Sort();
            _view = Math.Max(_view, views[Math.Max(0, views.Count - _group.Weak)]);
            Complete(result);
        }
        else if (_underWay is Pbft.Message.Read && _replies.Count == _group.Replicas.Length)
        {
            Begin(isRead: false);
        }
    }

    private void Complete(ReadOnlyMemory<byte> result)
    {
        var (request, _) = _asked.First();
        _asked.Remove(request);
        _underWay = null;
        _replies.Clear();
        _out.Answer(new RequestId(request), new Pbft.Result.Completed(result));
        if (_asked.Count > 0)
        {
            Begin(_asked.First().Value.IsRead);
        }
        else
        {
            _out.CancelTimer(new TimerId((int)Pbft.Timer.Retry));
        }
    }

    private void SetTimer() => _out.SetTimer(new TimerId((int)Pbft.Timer.Retry), _context.Now + _options.RetryInterval);

    private readonly record struct Asked(ReadOnlyMemory<byte> Operation, bool IsRead);

    private readonly record struct Reply(long View, ReadOnlyMemory<byte> Result);
}
