using Synod.Core;
using Synod.Protocols.Consensus;
using static Synod.Protocols.Consensus.MultiPaxos;
using Record = Synod.Protocols.Consensus.MultiPaxos.Record;

namespace Synod.Lab.Worlds.MultiPaxosRoom;

/// <summary>One replica with its disk, clock, timers and held outputs. Its group decides when anything happens.</summary>
internal sealed class Replica(NodeId id, ReplicaGroup group)
{
    private Outbox<Message, Record, Command, Result> _outbox = new();
    private readonly List<(long RecordsBefore, NodeId To, Message Message)> _held = [];
    private readonly List<(long RecordsBefore, RequestId Request, Result Result)> _heldAnswers = [];
    private readonly List<Record> _undurable = [];
    private readonly GroupContext _context = new(group);
    private long _durableCount;
    private Slot _reported;

    public NodeId Id { get; } = id;

    public ListState State { get; set; } = new();

    public MultiPaxos Paxos { get; private set; } = null!;

    public bool IsUp { get; private set; }

    /// <summary>Counts restarts, so that what belongs to an earlier life is recognised.</summary>
    public int Life { get; private set; }

    /// <summary>How far the middle of the clock's interval lies from true time; below the bound in a healthy clock.</summary>
    public Duration Skew { get; set; }

    public ClockStatus Clock { get; set; } = ClockStatus.Synchronized;

    public List<Record> Durable { get; } = [];

    public SortedDictionary<TimerId, Instant> Timers { get; } = [];

    public List<Refusal> Refusals { get; } = [];

    public int UndurableCount => _undurable.Count;

    public int HeldCount => _held.Count;

    public TimeInterval Time => new(
        new Timestamp(group.Now) + Skew - group.ClockBound, new Timestamp(group.Now) + Skew + group.ClockBound, Clock);

    public Instant Monotonic => new(group.Now + (Id.Value * 1_000_000_000L));

    public bool HoldsLease => IsUp && Paxos.HoldsLease(Time);

    public void Start()
    {
        Life++;
        IsUp = true;
        _durableCount = 0;
        var recovered = Durable.ToArray();
        Paxos = group.Create(Id, State);
        _outbox = new();
        _reported = Slot.None;
        Paxos.Recover(recovered, Context(), _outbox);
        Drain();
    }

    /// <summary>What it executed, or holds by a snapshot, since it was last asked or started.</summary>
    public IEnumerable<KeyValuePair<Slot, string>> NewlyExecuted()
    {
        for (; _reported < Paxos.Executed && State.Applied >= Slot.None; _reported = _reported.Next)
        {
            var slot = _reported.Next;
            yield return KeyValuePair.Create(slot, State.Commands.GetValueOrDefault(slot, ""));
        }
    }

    /// <summary>Loses everything volatile, and of the undurable records all but the first <paramref name="kept"/>.</summary>
    public void Crash(int kept = 0)
    {
        Harden(kept);
        _undurable.Clear();
        _held.Clear();
        _heldAnswers.Clear();
        Timers.Clear();
        State.Crash();
        IsUp = false;
    }

    public void Submit(RequestId request, Command command) =>
        Step(outbox => Paxos.Submit(request, command, Context(), outbox));

    public void Receive(NodeId from, Message message) => Step(outbox => Paxos.Receive(from, message, Context(), outbox));

    public void Fire(TimerId timer)
    {
        Invariant.Check(Timers.Remove(timer), "TimerIsSet");
        Step(outbox => Paxos.Fire(timer, Context(), outbox));
    }

    public void BeginCheckpoint() => Paxos.BeginCheckpoint();

    /// <summary>The rest of a checkpoint after the flush. With <paramref name="keepOld"/>, the host crashed before it dropped old records.</summary>
    public void Checkpoint(bool keepOld = false)
    {
        Fsync();
        var older = Durable.Count;
        Step(outbox => Paxos.Checkpoint(Context(), outbox));
        Fsync();
        if (!keepOld)
        {
            Durable.RemoveRange(0, older);
        }
    }

    /// <summary>Makes the first <paramref name="count"/> undurable records durable and lets out what waited for them.</summary>
    public void Fsync(int count = int.MaxValue)
    {
        count = Math.Min(count, _undurable.Count);
        Harden(count);
        _undurable.RemoveRange(0, count);
        _durableCount += count;
        Release();
    }

    /// <summary>Replaces the machine by one made from its visited state.</summary>
    public void Clone()
    {
        var bytes = Bytes(Paxos);
        var copy = group.Create(Id, State);
        var reader = new StateReader(bytes);
        copy.State(reader);
        reader.Complete();
        Invariant.Check(bytes.AsSpan().SequenceEqual(Bytes(copy)), "VisitedStateIsWhole");
        Paxos = copy;
    }

    public override string ToString()
    {
        var state = $"{Paxos.Role} {Paxos.Ballot} leader={Paxos.Leader} chosen={Paxos.Chosen} executed={Paxos.Executed} ready={Paxos.IsReady}";
        return $"{Id} {(IsUp ? "up" : "down")} {state} applied={State.Applied} quiescent={Paxos.IsQuiescent} refused=[{string.Join(',', Refusals.TakeLast(5))}]";
    }

    private static byte[] Bytes(MultiPaxos paxos)
    {
        var writer = new CodecWriter();
        paxos.State(new StateWriter(writer));
        return writer.ToArray();
    }

    private void Step(Action<Outbox<Message, Record, Command, Result>> step)
    {
        Invariant.Check(IsUp, "OnlyWhatRunsSteps");
        step(_outbox);
        Drain();
    }

    private void Harden(int count)
    {
        foreach (var record in _undurable.Take(count))
        {
            Durable.Add(record);
            group.Hardened(Id, record);
        }
    }

    private void Drain()
    {
        var outbox = _outbox;
        foreach (var record in outbox.Records)
        {
            _undurable.Add(group.Coded(record));
        }

        foreach (var timer in outbox.Timers)
        {
            Timers.Remove(timer.Timer);
            if (timer.Set)
            {
                Timers[timer.Timer] = timer.Due;
                group.TimerSet(this, timer.Timer, timer.Due);
            }
        }

        Refusals.AddRange(outbox.Refusals);
        foreach (var executed in outbox.Executions)
        {
            State.Apply(executed.Position, ((Command.Propose)executed.Command).Value);
        }

        foreach (var sent in outbox.Messages)
        {
            _held.Add((sent.RecordsBefore, sent.To, group.Coded(sent.Message)));
        }

        foreach (var answer in outbox.Answers)
        {
            _heldAnswers.Add((answer.RecordsBefore, answer.Request, answer.Result));
        }

        outbox.Clear();
        Release();
        group.Stepped(this);
    }

    private void Release()
    {
        foreach (var (_, to, message) in Taken(_held, held => held.RecordsBefore <= _durableCount))
        {
            group.Send(Id, to, message);
        }

        foreach (var (_, request, result) in Taken(_heldAnswers, held => held.RecordsBefore <= _durableCount))
        {
            group.Answered(this, request, result);
        }
    }

    private static List<T> Taken<T>(List<T> list, Predicate<T> which)
    {
        var taken = list.FindAll(which);
        list.RemoveAll(which);
        return taken;
    }

    private GroupContext Context()
    {
        _context.Refresh(Monotonic, Time);
        return _context;
    }

    private sealed class GroupContext(ReplicaGroup group) : StepContext
    {
        public void Refresh(Instant now, TimeInterval time) => (Now, TrueTime) = (now, time);

        public override int Choose(int count) => group.Random.Below(count);
    }
}
