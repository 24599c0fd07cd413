using Synod.Core;
using Synod.Crdt;

namespace Synod.Lab.Worlds.Convergence;

/// <summary>
/// A replica of one convergent state, as small as it can be: an operation changes the state and sends its delta to everyone, once; a
/// sync sends the whole state. What is sent or answered is durable before. For stories; real replication is anti-entropy's.
/// </summary>
/// <typeparam name="TState">The type of the state.</typeparam>
/// <param name="operate">Carries out an operation, as clients write it, and returns the delta.</param>
/// <param name="clock">This node's hybrid clock.</param>
/// <param name="skew">How far this node's physical clock is ahead of true time.</param>
/// <param name="print">What a client is told of the state.</param>
internal sealed class Replica<TState>(
    NodeId self,
    NodeSet all,
    TState prototype,
    Func<TState, ReplicaId, HybridTimestamp, string, TState> operate,
    HybridClock clock,
    Duration skew,
    Func<TState, string> print)
    : Protocol<Replica.Message, Replica.Record, Replica.Command, Replica.Result>
    where TState : class, ILattice<TState>
{
    // One life of the store in every story: nothing here loses its disk.
    private readonly ReplicaId _name = new(self, 1);
    private readonly TState _state = prototype.Bottom();

    public TState Value => _state;

    /// <summary>The operations that are in the state, one bit each in the order of the story: for whoever judges it.</summary>
    public ulong Seen { get; private set; }

    public override void State(StateVisitor visitor) => throw new NotSupportedException("Stories are played, not explored.");

    public override void CheckInvariants()
    {
    }

    protected override void OnRecover(
        IEnumerable<Replica.Record> records,
        StepContext context,
        Outbox<Replica.Message, Replica.Record, Replica.Command, Replica.Result> outbox)
    {
        foreach (var record in records)
        {
            Invariant.Check(StateCodec.Decode(prototype, record.State, out var part) == Decoding.Ok, "OwnRecordsAreSound");
            _state.Join(part!);
            Seen |= record.Seen;
        }
    }

    protected override void OnReceive(
        NodeId from,
        Replica.Message message,
        StepContext context,
        Outbox<Replica.Message, Replica.Record, Replica.Command, Replica.Result> outbox)
    {
        if (StateCodec.Decode(prototype, message.State, out var part) != Decoding.Ok)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        if (part is ITimestamped stamped && !clock.Observe(stamped.Newest, Physical(context)))
        {
            outbox.Refuse(Refusal.ClockUntrusted);
            return;
        }

        if (_state.Join(part!))
        {
            outbox.Persist(new(print(_state), message.State, message.Seen));
        }

        Seen |= message.Seen;
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<Replica.Message, Replica.Record, Replica.Command, Replica.Result> outbox) =>
        throw new NotSupportedException("No timer is set.");

    protected override void OnSubmit(
        RequestId request,
        Replica.Command command,
        StepContext context,
        Outbox<Replica.Message, Replica.Record, Replica.Command, Replica.Result> outbox)
    {
        switch (command)
        {
            case Replica.Command.Operate operation:
                var delta = operate(_state, _name, clock.Tick(Physical(context)), operation.Text);
                Seen |= operation.Bit;
                var bytes = StateCodec.Encode(delta);
                outbox.Persist(new("", bytes, operation.Bit));
                outbox.Send(all.Without(self), new Replica.Message(operation.Text, bytes, operation.Bit));
                outbox.Answer(request, new(print(_state)));
                break;
            case Replica.Command.Sync:
                outbox.Send(all.Without(self), new Replica.Message("state", StateCodec.Encode(_state), Seen));
                break;
        }
    }

    private Timestamp Physical(StepContext context) => context.TrueTime.Latest + skew;
}

/// <summary>What replicas of any type say, keep and are told.</summary>
internal static class Replica
{
    /// <summary>A state or delta, with what it is called in the story and the operations in it.</summary>
    public sealed record Message(string Label, ReadOnlyMemory<byte> State, ulong Seen)
    {
        public override string ToString() => $"{Label}, {State.Length} B";
    }

    /// <summary>What was joined, in the same form. It is called what the state was after it; what a client was answered needs no name.</summary>
    public sealed record Record(string Label, ReadOnlyMemory<byte> State, ulong Seen)
    {
        public override string ToString() => $"{Label}, {State.Length} B";
    }

    public abstract record Command
    {
        private Command()
        {
        }

        /// <summary>An operation, the <paramref name="Bit"/> of the story.</summary>
        public sealed record Operate(string Text, ulong Bit) : Command;

        /// <summary>Send everybody the whole state.</summary>
        public sealed record Sync : Command;
    }

    /// <summary>What a client is answered: the value after its operation.</summary>
    public sealed record Result(string Value);

    /// <summary>Messages and records have one form.</summary>
    public sealed class Wire : IWire<Message>, IWire<Record>
    {
        public void Write(CodecWriter writer, Message value) => Write(writer, value.Label, value.State, value.Seen);

        public void Write(CodecWriter writer, Record value) => Write(writer, value.Label, value.State, value.Seen);

        Message? IWire<Message>.Read(ref CodecReader reader) => new(reader.String(), reader.Bytes(), reader.Unsigned());

        Record? IWire<Record>.Read(ref CodecReader reader) => new(reader.String(), reader.Bytes(), reader.Unsigned());

        private static void Write(CodecWriter writer, string label, ReadOnlyMemory<byte> state, ulong seen)
        {
            writer.String(label);
            writer.Bytes(state.Span);
            writer.Unsigned(seen);
        }
    }
}
