using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// A protocol around another: the inner one steps as if it were alone, and what leaves its outbox passes through here. Records,
/// timers, answers and executions pass as they are, and what was held for a record is held for the same record.
/// </summary>
public abstract class Disguise<TMessage, TRecord, TCommand, TResult>(Protocol<TMessage, TRecord, TCommand, TResult> inner)
    : Protocol<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>The protocol inside.</summary>
    public Protocol<TMessage, TRecord, TCommand, TResult> Inner => inner;

    public override void BeginCheckpoint() => inner.BeginCheckpoint();

    public override void Checkpoint(StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox) =>
        Pass(outbox, context, within => inner.Checkpoint(context, within));

    public override void State(StateVisitor visitor) => inner.State(visitor);

    /// <summary>The inner protocol checked its own after its step.</summary>
    public override void CheckInvariants()
    {
    }

    /// <summary>A message that the inner protocol sends; it leaves as often, to whom and as what <paramref name="send"/> says.</summary>
    protected abstract void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send);

    protected override void OnRecover(
        IEnumerable<TRecord> records, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox) =>
        Pass(outbox, context, within => inner.Recover(records, context, within));

    protected override void OnReceive(
        NodeId from, TMessage message, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox) =>
        Pass(outbox, context, within => inner.Receive(from, message, context, within));

    protected override void OnFire(TimerId timer, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox) =>
        Pass(outbox, context, within => inner.Fire(timer, context, within));

    protected override void OnSubmit(
        RequestId request, TCommand command, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox) =>
        Pass(outbox, context, within => inner.Submit(request, command, context, within));

    private void Pass(
        Outbox<TMessage, TRecord, TCommand, TResult> outbox,
        StepContext context,
        Action<Outbox<TMessage, TRecord, TCommand, TResult>> step)
    {
        var within = new Outbox<TMessage, TRecord, TCommand, TResult>(outbox.RecordCount);
        step(within);
        foreach (var change in within.Timers)
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

        foreach (var refusal in within.Refusals)
        {
            outbox.Refuse(refusal);
        }

        foreach (var executed in within.Executions)
        {
            outbox.Execute(executed.Position, executed.Command);
        }

        Release(within, outbox, context);
        foreach (var record in within.Records)
        {
            outbox.Persist(record);
            Release(within, outbox, context);
        }
    }

    /// <summary>Lets go what waits for exactly the records that are in the outer outbox, and before the first also what is early.</summary>
    private void Release(
        Outbox<TMessage, TRecord, TCommand, TResult> within, Outbox<TMessage, TRecord, TCommand, TResult> outbox, StepContext context)
    {
        var start = within.RecordCount - within.Records.Length;
        var isFirst = outbox.RecordCount == start;
        foreach (var sent in within.Messages)
        {
            if (sent.RecordsBefore == outbox.RecordCount)
            {
                OnSend(sent.To, sent.Message, context, outbox.Send);
            }
            else if (isFirst && sent.RecordsBefore < start)
            {
                OnSend(sent.To, sent.Message, context, outbox.SendEarly);
            }
        }

        foreach (var answered in within.Answers)
        {
            if (answered.RecordsBefore == outbox.RecordCount)
            {
                outbox.Answer(answered.Request, answered.Result);
            }
            else if (isFirst && answered.RecordsBefore < start)
            {
                outbox.AnswerEarly(answered.Request, answered.Result);
            }
        }
    }
}
