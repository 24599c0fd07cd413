using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Nodes;

namespace Synod.Database;

/// <summary>The step in progress: what it knows of the world, and where its outputs go.</summary>
internal sealed class StepScope(NodeId self, RangeDirectory directory, NodeBook nodes)
{
    public NodeId Self => self;

    public NodeBook Nodes => nodes;

    public StepContext Context { get; private set; } = null!;

    public Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> Outbox { get; private set; } = null!;

    public void Enter(StepContext context, Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> outbox)
    {
        Context = context;
        Outbox = outbox;
    }

    /// <summary>Carries what a protocol inside the node put out to the node's own outbox; executions and answers are the caller's.</summary>
    public void Carry<TFloor, TMessage, TRecord, TCommand, TResult>(
        TFloor floor, Outbox<TMessage, TRecord, TCommand, TResult> inner)
        where TFloor : struct, IFloor<TMessage, TRecord>
        where TMessage : class
    {
        foreach (var record in inner.Records)
        {
            Outbox.Persist(floor.Keep(record));
        }

        // What goes to several nodes is wrapped once: a host knows one message by its reference, and encodes it once.
        TMessage? last = null;
        NodeMessage? wrapped = null;
        foreach (var (to, message, recordsBefore) in inner.Messages)
        {
            if (wrapped is null || !ReferenceEquals(last, message))
            {
                (last, wrapped) = (message, floor.Wrap(message));
            }

            if (recordsBefore == 0)
            {
                // Early below is early here: the protocol's own call site says why.
                Outbox.SendEarly(to, wrapped);
            }
            else
            {
                Outbox.Send(to, wrapped);
            }
        }

        foreach (var (timer, due, isSet) in inner.Timers)
        {
            if (isSet)
            {
                Outbox.SetTimer(floor.Name(timer), due);
            }
            else
            {
                Outbox.CancelTimer(floor.Name(timer));
            }
        }

        foreach (var refusal in inner.Refusals)
        {
            Outbox.Refuse(refusal);
        }
    }

    /// <summary>
    /// Answers a client. Early: what clients learn was chosen, so it is durable on a quorum whatever this node has yet to write; and
    /// a refusal depends on nothing.
    /// </summary>
    public void Answer(RequestId request, Api.Response response) => Outbox.AnswerEarly(request, response);

    /// <summary>
    /// Sends to the leader of a group, as far as known; whoever waits for an effect sends again. Early, as for answers: between
    /// groups, "durable" means chosen and applied, and that is when these are sent (commit.md §4).
    /// </summary>
    public void ToLeader(NodeMessage.ToLeader message)
    {
        var leader = directory.LeaderOf(directory.SpeakerOf(message.Group));
        if (leader != NodeId.None)
        {
            Outbox.SendEarly(leader, message);
        }
    }
}
