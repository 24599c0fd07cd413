using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Nodes;

using Outbox = Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;

/// <summary>
/// A replica whose clients come through its door and not over the nodes' transport: what it sends to a client is the answer to that
/// client's newest order, and leaves after the same records. An order without an operation asks for nothing: its client has asked
/// another replica, and wants to hear this one's reply too.
/// </summary>
internal sealed class PbftDoor(Pbft replica, NodeSet members)
    : Protocol<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
{
    private static readonly Pbft.MessageWire s_messages = new();

    private readonly SortedDictionary<NodeId, RequestId> _asking = [];
    private readonly Outbox _inner = new();

    public override void State(StateVisitor visitor) => replica.State(visitor);

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
            _asking[order.Signed.Client] = request;
            if (order.Signed.Operation.IsEmpty)
            {
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
            else if (_asking.Remove(sent.To, out var request))
            {
                outbox.Answer(request, new Pbft.Result.Completed(Encode(sent.Message)));
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
}
