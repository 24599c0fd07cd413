using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Aggregates by push-sum (Kempe, Dobra and Gehrke 2003): in each round a node keeps half of its mass and sends half to a peer drawn at
/// random, so that the mass at each comes to the same mixture, whose ratios are counts, sums, averages and quantiles. Transfers are
/// acknowledged, and added once for each sender and number; what crashes take is made up for by the next epoch, which starts anew
/// (Jelasity, Montresor and Babaoglu 2005).
/// </summary>
/// <remarks>
/// A node takes part in an epoch in one life only: its record of it is durable before any of its mass leaves, and a restart sits the epoch
/// out. So nothing is ever put in twice or added twice, and mass is lost with a crash only.
/// </remarks>
public sealed partial class Aggregation : Protocol<Aggregation.Message, Aggregation.Record, Aggregation.Command, Aggregation.Result>
{
    private const long MostEpochs = 1L << 48;

    private readonly NodeId _self;
    private readonly AggregationOptions _options;
    private readonly SortedDictionary<int, List<long>> _readings = [];
    private PeerView _peers;

    // Of the epoch.
    private readonly SortedDictionary<long, Transfer> _unacknowledged = [];
    private readonly SortedSet<(NodeId Sender, long Number)> _added = [];
    private Mass _held = Mass.Zero;
    private Mass _putIn = Mass.Zero;
    private Instant _begun;
    private long _epoch;
    private long _number;
    private int _round;
    private bool _takesPart;
    private bool _isListening = true;

    private Aggregates? _latest;

    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public Aggregation(NodeId self, AggregationOptions options, PeerView peers)
    {
        if (options.EpochRounds < 1 || options.ListenRounds < 1 || options.ResendRounds < 1 || options.Period <= Duration.Zero
            || options.Jitter >= options.Period)
        {
            throw new ArgumentException("An epoch has rounds, and a round has a length.", nameof(options));
        }

        _self = self;
        _options = options;
        _peers = peers;
    }

    /// <summary>Kinds of timers.</summary>
    public enum Timer
    {
        Round,
    }

    /// <summary>What the last epoch that this node took part in to its end came to; null before.</summary>
    public Aggregates? Latest => _latest;

    /// <summary>What the running epoch has come to so far.</summary>
    public Aggregates Current => new(_epoch, _held);

    /// <summary>The computation that this node is in, or sits out.</summary>
    public long Epoch => _epoch;

    /// <summary>Whether this node takes part in the epoch.</summary>
    public bool TakesPart => _takesPart;

    /// <summary>The mass at this node.</summary>
    public Mass Held => _held;

    /// <summary>The mass that this node put into the epoch.</summary>
    public Mass PutIn => _putIn;

    /// <summary>What this node has sent in this epoch and not been told the arrival of.</summary>
    public IEnumerable<(NodeId To, long Number, Mass Mass)> Unacknowledged =>
        _unacknowledged.Select(item => (item.Value.To, item.Key, item.Value.Mass));

    /// <summary>Whether a transfer of this epoch was added here.</summary>
    public bool HasAdded(NodeId sender, long number) => _added.Contains((sender, number));

    public override void State(StateVisitor visitor)
    {
        visitor.Visit(
            "readings",
            _readings,
            static (v, ref metric) => v.Visit("", ref metric),
            static (v, ref readings) => v.Visit("", readings ??= [], static (w, ref reading) => w.Visit("", ref reading)));
        visitor.Visit("peers", ref _peers, s_views);
        visitor.Visit("unacknowledged", _unacknowledged, static (v, ref number) => v.Visit("", ref number), static (v, ref item) => (item ??= new()).State(v));
        List<(NodeId Sender, long Number)> added = [.. _added];
        visitor.Visit("added", added, static (v, ref item) =>
        {
            v.Visit("", ref item.Sender);
            v.Visit("/", ref item.Number);
        });
        visitor.Visit("held", ref _held, Mass.Wire.Instance);
        visitor.Visit("putIn", ref _putIn, Mass.Wire.Instance);
        visitor.Visit("begun", ref _begun);
        visitor.Visit("epoch", ref _epoch);
        visitor.Visit("number", ref _number);
        visitor.Visit("round", ref _round);
        visitor.Visit("takesPart", ref _takesPart);
        visitor.Visit("listening", ref _isListening);
        var (latest, mass) = (_latest?.Epoch ?? 0, _latest?.Mass ?? Mass.Zero);
        visitor.Visit("latest", ref latest);
        visitor.Visit("of", ref mass, Mass.Wire.Instance);
        if (visitor.IsReading)
        {
            _added.Clear();
            _added.UnionWith(added);
            _latest = latest == 0 ? null : new Aggregates(latest, mass);
        }
    }

    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_epoch > 0)
        {
            outbox.Persist(new Record.Entered(_epoch));
        }
    }

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            if (record is not Record.Entered entered)
            {
                throw new ArgumentOutOfRangeException(nameof(records), record, "Not a record of this protocol.");
            }

            _epoch = _options.Mutation == AggregationMutation.EpochForgotten ? _epoch : Math.Max(_epoch, entered.Epoch);
        }

        _begun = context.Now;
        _takesPart = _options.Mutation == AggregationMutation.RestartedTakesPart && _epoch > 0;
        Arm(context, outbox);
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (from == _self || (!_peers.Contains(from) && _options.Mutation != AggregationMutation.SenderUnchecked))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        switch (message)
        {
            case Message.Transfer transfer:
                On(from, transfer, outbox);
                break;
            case Message.Ack ack:
                On(from, ack, outbox);
                break;
            case Message.Ahead ahead:
                On(ahead, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Round(context, outbox);
        Arm(context, outbox);
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (command)
        {
            case Command.Observe observe when observe.Metric < 0 || observe.Readings.Length > _options.MostReadings
                || (!_readings.ContainsKey(observe.Metric) && _readings.Count >= Mass.MostMetrics):
                outbox.AnswerEarly(request, new Result.Malformed());
                break;
            case Command.Observe observe:
                _readings[observe.Metric] = [.. observe.Readings];
                if (observe.Readings.IsEmpty)
                {
                    _readings.Remove(observe.Metric);
                }

                outbox.AnswerEarly(request, new Result.Done());
                break;
            case Command.Meet meet:
                Meet(meet.Peers, outbox);
                outbox.AnswerEarly(request, new Result.Done());
                break;
            default:
                outbox.AnswerEarly(request, new Result.Malformed());
                break;
        }
    }

    private void Arm(StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        outbox.SetTimer(new TimerId((int)Timer.Round), RoundGrid.Next(_begun, _options.Period, _options.Jitter, context));

    private static readonly PeerView.Wire s_views = new();
}
