using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Nodes;

using Outbox = Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;

/// <summary>
/// A replica whose clients come through its door and not over the nodes' transport: what it sends to a client is the answer to that
/// client's newest order, and leaves after the same records. An order without an operation asks for nothing: its client has asked
/// another replica, and wants to hear this one's reply too, which may have been given before.
/// </summary>
internal sealed class PbftDoor(Pbft replica, NodeSet members)
    : Protocol<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
{
    private static readonly Pbft.MessageWire s_messages = new();

    private readonly SortedDictionary<NodeId, Asked> _asking = [];
    private readonly SortedDictionary<NodeId, Pbft.Message.Reply> _replies = [];
    private readonly Outbox _inner = new();

    /// <summary>What says that a client wants to hear of its request here too.</summary>
    public static Pbft.SignedRequest Listening(Pbft.SignedRequest request) => request with { Operation = default, Signature = default };

    public override void State(StateVisitor visitor) => replica.State(visitor);

    public override void BeginCheckpoint() => replica.BeginCheckpoint();

    public override void Checkpoint(StepContext context, Outbox outbox)
    {
        replica.Checkpoint(context, _inner);
        HandOver(outbox);
    }

    public override void CheckInvariants() => replica.CheckInvariants();

    protected override void OnRecover(IEnumerable<Pbft.Record> records, StepContext context, Outbox outbox)
    {
        replica.Recover(records, context, _inner);
        HandOver(outbox);
    }

    protected override void OnReceive(NodeId from, Pbft.Message message, StepContext context, Outbox outbox)
    {
        replica.Receive(from, message, context, _inner);
        HandOver(outbox);
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox outbox)
    {
        replica.Fire(timer, context, _inner);
        HandOver(outbox);
    }

    protected override void OnSubmit(RequestId request, Pbft.Command command, StepContext context, Outbox outbox)
    {
        if (command is Pbft.Command.Order order)
        {
            var client = order.Signed.Client;
            if (_asking.Remove(client, out var earlier))
            {
                // Early is safe: that it is not answered any more depends on nothing.
                outbox.AnswerEarly(earlier.Request, new Pbft.Result.Refused());
            }

            _asking[client] = new(request, order.Signed.Timestamp);
            if (order.Signed.Operation.IsEmpty)
            {
                if (_replies.TryGetValue(client, out var given))
                {
                    Tell(client, given, outbox);
                }

                return;
            }
        }

        replica.Submit(request, command, context, _inner);
        HandOver(outbox);
    }

    private void HandOver(Outbox outbox)
    {
        var persisted = 0;
        foreach (var sent in _inner.Messages)
        {
            Persist(outbox, sent.RecordsBefore, ref persisted);
            if (members.Contains(sent.To) && sent.RecordsBefore == 0)
            {
                // The replica sent it early, for its own reasons; or nothing was ever persisted.
                outbox.SendEarly(sent.To, sent.Message);
            }
            else if (members.Contains(sent.To))
            {
                outbox.Send(sent.To, sent.Message);
            }
            else if (sent.Message is Pbft.Message.Reply reply)
            {
                _replies[sent.To] = reply;
                Tell(sent.To, reply, outbox);
            }
        }

        Persist(outbox, long.MaxValue, ref persisted);
        foreach (var answer in _inner.Answers)
        {
            // That an order was noted is no answer yet; that it was refused is one.
            if (answer.Result is Pbft.Result.Refused)
            {
                outbox.AnswerEarly(answer.Request, answer.Result);
            }
        }

        foreach (var execution in _inner.Executions)
        {
            outbox.Execute(execution.Position, execution.Command);
        }

        foreach (var change in _inner.Timers)
        {
            if (change.Set)
            {
                outbox.SetTimer(change.Timer, change.Due);
            }
            else
            {
                outbox.CancelTimer(change.Timer);
            }
        }

        foreach (var refusal in _inner.Refusals)
        {
            outbox.Refuse(refusal);
        }

        _inner.Clear();
    }

    private void Tell(NodeId client, Pbft.Message.Reply reply, Outbox outbox)
    {
        if (_asking.TryGetValue(client, out var asked) && asked.Timestamp == reply.Timestamp)
        {
            _asking.Remove(client);
            outbox.Answer(asked.Request, new Pbft.Result.Completed(Encode(reply)));
        }
    }

    /// <summary>Persists the replica's next records until there are <paramref name="count"/> of them in all.</summary>
    private void Persist(Outbox outbox, long count, ref int persisted)
    {
        while (persisted < _inner.Records.Length && outbox.RecordCount < count)
        {
            outbox.Persist(_inner.Records[persisted++]);
        }
    }

    private static byte[] Encode(Pbft.Message message)
    {
        var writer = new CodecWriter();
        s_messages.Write(writer, message);
        return writer.ToArray();
    }

    /// <summary>A client's newest order here.</summary>
    private readonly record struct Asked(RequestId Request, long Timestamp);
}
