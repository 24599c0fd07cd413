using Synod.Core;

namespace Synod.Bench.Rooms;

/// <summary>
/// The members of one protocol on one thread: messages are handed over in order and at once, records are durable at once, and time
/// passes when it is told to. What a host does beside that, codec, sockets and disk, is not here.
/// </summary>
internal abstract class MemoryRoom<TMessage, TRecord, TCommand, TResult>
{
    private const int MostMembers = 100;
    private const int SettledPerLook = 256;
    private static readonly Duration TimePerLook = Duration.FromMilliseconds(1);

    private readonly List<Member> _members = [];
    private readonly Queue<(NodeId From, NodeId To, TMessage Message)> _messages = new();
    private readonly Time _time = new();
    private long _settled;

    /// <summary>Nodes from 1 to <paramref name="count"/>.</summary>
    protected static NodeSet Nodes(int count) => NodeSet.Of([.. Enumerable.Range(1, count).Select(id => new NodeId(id))]);

    /// <summary>Starts the next member from nothing: the first is node 1.</summary>
    protected void Add(Protocol<TMessage, TRecord, TCommand, TResult> machine)
    {
        var member = new Member(new NodeId(_members.Count + 1), machine);
        _members.Add(member);
        machine.Recover([], _time, member.Outbox);
        Carry(member);
    }

    protected void Submit(int node, TCommand command, long request = 1)
    {
        var member = _members[node - 1];
        member.Machine.Submit(new RequestId(request), command, _time, member.Outbox);
        Carry(member);
    }

    /// <summary>Hands over one message; false if none is under way.</summary>
    protected bool Step()
    {
        if (!_messages.TryDequeue(out var next))
        {
            return false;
        }

        var member = _members[next.To.Value - 1];
        member.Machine.Receive(next.From, next.Message, _time, member.Outbox);
        Carry(member);
        return true;
    }

    /// <summary>Hands over until nothing is under way. Now and then time passes, and timers that are due fire.</summary>
    protected void Settle()
    {
        while (Step())
        {
        }

        if (++_settled % SettledPerLook == 0)
        {
            _time.Pass(TimePerLook);
            FireDue();
        }
    }

    protected virtual void OnExecuted(int node, Slot position, TCommand command)
    {
    }

    protected virtual void OnAnswered(TResult result)
    {
    }

    private void Carry(Member member)
    {
        var outbox = member.Outbox;
        foreach (ref readonly var sent in outbox.Messages)
        {
            // Others than members are clients, which are not measured.
            if (sent.To.Value <= MostMembers)
            {
                _messages.Enqueue((member.Id, sent.To, sent.Message));
            }
        }

        foreach (ref readonly var execution in outbox.Executions)
        {
            OnExecuted(member.Id.Value, execution.Position, execution.Command);
        }

        foreach (ref readonly var answer in outbox.Answers)
        {
            OnAnswered(answer.Result);
        }

        foreach (ref readonly var change in outbox.Timers)
        {
            if (change.Set)
            {
                member.Timers[change.Timer] = change.Due;
            }
            else
            {
                member.Timers.Remove(change.Timer);
            }
        }

        outbox.Clear();
    }

    private void FireDue()
    {
        foreach (var member in _members)
        {
            foreach (var timer in member.Timers.Where(timer => timer.Value <= _time.Now).Select(timer => timer.Key).ToArray())
            {
                member.Timers.Remove(timer);
                member.Machine.Fire(timer, _time, member.Outbox);
                Carry(member);
            }
        }

        while (Step())
        {
        }
    }

    private sealed class Member(NodeId id, Protocol<TMessage, TRecord, TCommand, TResult> machine)
    {
        public NodeId Id => id;

        public Protocol<TMessage, TRecord, TCommand, TResult> Machine => machine;

        public Outbox<TMessage, TRecord, TCommand, TResult> Outbox { get; } = new();

        public Dictionary<TimerId, Instant> Timers { get; } = [];
    }

    private sealed class Time : StepContext
    {
        public Time() => Pass(Duration.FromSeconds(1));

        public void Pass(Duration duration)
        {
            Now += duration;
            var now = new Timestamp(Now.Nanoseconds);
            TrueTime = new TimeInterval(now, now, ClockStatus.Synchronized);
        }

        public override int Choose(int count) => 0;
    }
}
