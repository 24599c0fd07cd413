using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>A Byzantine node: a correct protocol whose messages pass through an adversary.</summary>
public sealed class Corrupted<TMessage, TRecord, TCommand, TResult>(
    Protocol<TMessage, TRecord, TCommand, TResult> inner, Adversary<TMessage> adversary)
    : Disguise<TMessage, TRecord, TCommand, TResult>(inner)
{
    public override void State(StateVisitor visitor)
    {
        base.State(visitor);
        adversary.State(visitor);
    }

    protected override void OnReceive(
        NodeId from, TMessage message, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        if (adversary.OnReceive(from, message, context, outbox.Send))
        {
            base.OnReceive(from, message, context, outbox);
        }
    }

    protected override void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send) =>
        adversary.OnSend(to, message, context, send);
}
