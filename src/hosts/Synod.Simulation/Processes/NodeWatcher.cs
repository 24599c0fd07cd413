using Synod.Core;

namespace Synod.Simulation;

/// <summary>Sees what happens on the machines of a cluster, as it happens: for those who draw or count a run. It changes nothing.</summary>
public abstract class NodeWatcher<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>A process starts; <paramref name="boot"/> is 1 for the first time.</summary>
    public virtual void OnBoot(NodeId node, long boot)
    {
    }

    public virtual void OnCrash(NodeId node)
    {
    }

    /// <summary>A message is about to be received. <paramref name="frame"/> is the very array that the network was given.</summary>
    public virtual void OnReceiving(NodeId node, NodeId from, byte[] frame, TMessage message)
    {
    }

    public virtual void OnFiring(NodeId node, TimerId timer)
    {
    }

    public virtual void OnSubmitting(NodeId node, TCommand command)
    {
    }

    /// <summary>A step is over; the outbox is as the step left it, and nothing of it has happened yet.</summary>
    public virtual void OnStepped(NodeId node, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
    }

    /// <summary>The first <paramref name="records"/> records of this boot are durable.</summary>
    public virtual void OnDurable(NodeId node, long records)
    {
    }

    public virtual void OnAnswered(NodeId node, TResult result)
    {
    }
}
