using System.Collections.Immutable;
using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Membership;

using Command = Synod.Protocols.Gossip.Membership.Command;
using Message = Synod.Protocols.Gossip.Membership.Message;
using Record = Synod.Protocols.Gossip.Membership.Record;
using Result = Synod.Protocols.Gossip.Membership.Result;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>One member and its host: the test plays all others, and the clock.</summary>
internal sealed class Lone
{
    public static readonly NodeId Self = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public static readonly NodeId D = new(4);

    private readonly Clock _clock = new();
    private readonly Outbox<Message, Record, Command, Result> _outbox = new();
    private readonly SortedDictionary<TimerId, Instant> _timers = [];

    public Lone(MembershipOptions? options = null, int members = 5, IEnumerable<Record>? records = null, bool isNamed = true, long clock = 0, string address = "1")
    {
        Options = options ?? new MembershipOptions();
        _clock.Set(default, clock);
        Node = new(Self, MemberDescription.At(address), Options, isNamed ? Roster.Numbered(members) : null);
        Step(() => Node.Recover(records ?? [], _clock, _outbox));
    }

    public MembershipOptions Options { get; }

    public Synod.Protocols.Gossip.Membership Node { get; }

    public Instant Now => _clock.Now;

    /// <summary>What the last step sent.</summary>
    public List<(NodeId To, Message Message)> Sent { get; } = [];

    /// <summary>What the last step told the host.</summary>
    public List<Command> Events { get; } = [];

    public List<Refusal> Refusals { get; } = [];

    public List<Record> Records { get; } = [];

    public List<Result> Answers { get; } = [];

    /// <summary>Choices are taken from here; 0 once they are used up.</summary>
    public Queue<int> Choices => _clock.Choices;

    /// <summary>When a timer is due; null if it is not set.</summary>
    public Duration? Due(Timer kind, NodeId of = default) =>
        _timers.TryGetValue(new TimerId((int)kind, of.Value), out var due) ? due - _clock.Now : null;

    public MemberStatus? StatusOf(NodeId id) => Node.Find(id)?.Status;

    public IEnumerable<T> All<T>()
        where T : Message => Sent.Select(item => item.Message).OfType<T>();

    public void Receive(NodeId from, Message message) => Step(() => Node.Receive(from, message, _clock, _outbox));

    public void Tell(NodeId from, params ReadOnlySpan<Update> updates) => Receive(from, new Message.Gossip { Updates = [.. updates] });

    public void Submit(Command command) => Step(() => Node.Submit(new RequestId(1), command, _clock, _outbox));

    /// <summary>Time goes on to when a timer is due, and it fires.</summary>
    public void Fire(Timer kind, NodeId of = default, Duration late = default)
    {
        var timer = _timers.Keys.First(timer => timer.Kind == (int)kind && (of == NodeId.None || timer.Key == of.Value));
        _clock.Set(new Instant(Math.Max(_timers[timer].Nanoseconds, _clock.Now.Nanoseconds)) + late);
        _timers.Remove(timer);
        Step(() => Node.Fire(timer, _clock, _outbox));
    }

    public void Pass(Duration time) => _clock.Set(_clock.Now + time);

    /// <summary>A whole period without an answer to its probe; whom it was for.</summary>
    public NodeId FailProbe()
    {
        Fire(Timer.Period);
        var target = All<Message.Ping>().Single().Target;
        Fire(Timer.Timeout);
        Fire(Timer.Period);
        return target;
    }

    /// <summary>The ping of the probe that begins with the next period.</summary>
    public Message.Ping BeginProbe()
    {
        Fire(Timer.Period);
        return All<Message.Ping>().Single();
    }

    public static Update Alive(NodeId id, long incarnation, string? address = null, string tags = "") => new(
        id, MemberStatus.Alive, incarnation, new MemberDescription(System.Text.Encoding.UTF8.GetBytes(address ?? $"{id.Value}"), System.Text.Encoding.UTF8.GetBytes(tags)), incarnation, []);

    public static Update Suspect(NodeId id, long incarnation, params ReadOnlySpan<NodeId> accusers) =>
        new(id, MemberStatus.Suspect, incarnation, null, 0, [.. accusers]);

    public static Update Dead(NodeId id, long incarnation) => new(id, MemberStatus.Dead, incarnation, null, 0, []);

    public static Update Left(NodeId id, long incarnation) => new(id, MemberStatus.Left, incarnation, null, 0, []);

    private void Step(Action step)
    {
        Sent.Clear();
        Events.Clear();
        Refusals.Clear();
        Records.Clear();
        Answers.Clear();
        step();
        foreach (var change in _outbox.Timers)
        {
            if (change.Set)
            {
                _timers[change.Timer] = change.Due;
            }
            else
            {
                _timers.Remove(change.Timer);
            }
        }

        Sent.AddRange(_outbox.Messages.ToImmutableArray().Select(sent => (sent.To, sent.Message)));
        Events.AddRange(_outbox.Executions.ToImmutableArray().Select(executed => executed.Command));
        Refusals.AddRange(_outbox.Refusals);
        Records.AddRange(_outbox.Records);
        Answers.AddRange(_outbox.Answers.ToImmutableArray().Select(answer => answer.Result));
        _outbox.Clear();
        Assert.All(Sent, sent => Assert.NotEqual(Self, sent.To));
    }

    private sealed class Clock : StepContext
    {
        public Queue<int> Choices { get; } = new();

        public void Set(Instant now, long? milliseconds = null)
        {
            Now = now;
            if (milliseconds is { } value)
            {
                var time = new Timestamp(value * 1_000_000);
                TrueTime = new TimeInterval(time, time, ClockStatus.Synchronized);
            }
        }

        public override int Choose(int count) => Choices.TryDequeue(out var choice) ? choice % count : 0;
    }
}
