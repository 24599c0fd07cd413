using System.Collections.Concurrent;
using System.Threading.Channels;
using Synod.Core;

namespace Synod.Node.Tests;

/// <summary>A counter with just enough of everything that a host must get right.</summary>
internal sealed class Toy(NodeId self) : Protocol<Toy.Message, Toy.Record, Toy.Command, Toy.Result>
{
    private readonly Dictionary<long, RequestId> _waiting = [];
    private readonly Dictionary<long, (RequestId Request, int Votes, int Needed)> _rounds = [];
    private RequestId _boomerang;
    private long _round;
    private int _inside;

    public long Value { get; private set; }

    public bool BeganCheckpoint { get; private set; }

    /// <summary>The thread that ran the last step.</summary>
    public volatile Thread? Stepper;

    /// <summary>Steps whose inputs came in, as the loop saw them.</summary>
    public ConcurrentQueue<string> Events { get; } = new();

    public Channel<(NodeId From, Message Message)> Received { get; } =
        Channel.CreateUnbounded<(NodeId, Message)>();

    public static HostedProtocol<Message, Record, Command, Result> Hosted(Toy toy) => new(toy, new MessageWire(), new RecordWire());

    public override void BeginCheckpoint()
    {
        BeganCheckpoint = true;
        Events.Enqueue("begin");
    }

    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Events.Enqueue("checkpoint");
        outbox.Persist(new Record(Value, true));
    }

    public override void State(StateVisitor visitor)
    {
        var value = Value;
        visitor.Visit("value", ref value);
        Value = value;
    }

    public override void CheckInvariants()
    {
        Stepper = Thread.CurrentThread;
        Invariant.Check(Value >= 0, "The counter is not negative");
        Invariant.Check(Interlocked.Exchange(ref _inside, 0) <= 1, "One step at a time");
    }

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            Value = record.IsTotal ? record.Amount : Value + record.Amount;
        }
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _ = Interlocked.Increment(ref _inside);
        switch (message.Kind)
        {
            case MessageKind.Accept:
                Add(message.Number, outbox);
                outbox.Send(from, message with { Kind = MessageKind.Accepted });
                break;
            case MessageKind.Accepted:
                CountVote(message.Round, outbox);
                break;
            case MessageKind.Boomerang:
                outbox.Answer(_boomerang, new Result(message.Number));
                break;
            default:
                _ = Received.Writer.TryWrite((from, message));
                break;
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Events.Enqueue($"fire {timer.Key}");
        if (_waiting.Remove(timer.Key, out var request))
        {
            outbox.Answer(request, new Result(timer.Key));
        }
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _ = Interlocked.Increment(ref _inside);
        switch (command)
        {
            case Command.Add add:
                Add(add.Amount, outbox);
                outbox.Answer(request, new Result(Value));
                break;
            case Command.Tell tell:
                if (tell.Amount > 0)
                {
                    Add(tell.Amount, outbox);
                }

                outbox.SendEarly(tell.To, new Message(MessageKind.Early, 0, Value, tell.Padding));
                outbox.Send(tell.To, new Message(MessageKind.Told, 0, Value));
                outbox.AnswerEarly(request, new Result(Value));
                break;
            case Command.Boomerang boomerang:
                _boomerang = request;
                Add(boomerang.Amount, outbox);
                outbox.Send(self, new Message(MessageKind.Boomerang, 0, boomerang.Amount));
                break;
            case Command.Replicate replicate:
                Add(1, outbox);
                _rounds.Add(++_round, (request, 0, (replicate.Peers.Count + 1) / 2));
                foreach (var peer in replicate.Peers)
                {
                    outbox.SendEarly(peer, new Message(MessageKind.Accept, _round, 1, replicate.Value));
                }

                break;
            case Command.Alarm alarm:
                SetAlarm(request, alarm, context, outbox);
                break;
            case Command.Break:
                throw new InvalidOperationException("told to break");
            default:
                throw new InvariantViolation("The toy knows its commands");
        }
    }

    private void SetAlarm(RequestId request, Command.Alarm alarm, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (alarm.Cancel)
        {
            outbox.CancelTimer(new TimerId(1, alarm.Key));
            outbox.Answer(request, new Result(0));
        }
        else
        {
            _waiting[alarm.Key] = request;
            outbox.SetTimer(new TimerId(1, alarm.Key), context.Now + alarm.Delay);
        }
    }

    private void Add(long amount, Outbox<Message, Record, Command, Result> outbox)
    {
        Value += amount;
        outbox.Persist(new Record(amount, false));
    }

    private void CountVote(long round, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_rounds.TryGetValue(round, out var state))
        {
            _rounds[round] = state = state with { Votes = state.Votes + 1 };
            if (state.Votes == state.Needed)
            {
                _ = _rounds.Remove(round);
                outbox.Answer(state.Request, new Result(round));
            }
        }
    }

    internal enum MessageKind : byte
    {
        Early = 1,
        Told,
        Accept,
        Accepted,
        Boomerang,
    }

    internal sealed record Message(MessageKind Kind, long Round, long Number, ReadOnlyMemory<byte> Padding = default);

    internal sealed record Record(long Amount, bool IsTotal);

    internal sealed record Result(long Value);

    internal abstract record Command
    {
        /// <summary>Adds durably, then answers the sum.</summary>
        public sealed record Add(long Amount) : Command;

        /// <summary>Adds durably (if not 0); sends one message early and one that waits; answers early.</summary>
        public sealed record Tell(NodeId To, long Amount, ReadOnlyMemory<byte> Padding = default) : Command;

        /// <summary>Adds durably, sends to itself, answers when that comes back.</summary>
        public sealed record Boomerang(long Amount) : Command;

        /// <summary>Adds one here and on the peers; answered when a majority has it.</summary>
        public sealed record Replicate(IReadOnlyList<NodeId> Peers, ReadOnlyMemory<byte> Value = default) : Command;

        /// <summary>Answered when the timer fires.</summary>
        public sealed record Alarm(long Key, Duration Delay, bool Cancel = false) : Command;

        /// <summary>Throws out of the step.</summary>
        public sealed record Break : Command;
    }

    internal sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            writer.Byte((byte)value.Kind);
            writer.Signed(value.Round);
            writer.Signed(value.Number);
            writer.Bytes(value.Padding.Span);
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var message = new Message((MessageKind)kind, reader.Signed(), reader.Signed(), reader.Bytes());
            return kind is >= 1 and <= 5 ? message : null;
        }
    }

    internal sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            writer.Bool(value.IsTotal);
            writer.Signed(value.Amount);
        }

        public Record? Read(ref CodecReader reader)
        {
            var isTotal = reader.Bool();
            return new Record(reader.Signed(), isTotal);
        }
    }
}
