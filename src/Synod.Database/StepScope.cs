using Synod.Core;
using Synod.Database.Directory;

namespace Synod.Database;

/// <summary>The step in progress: what it knows of the world, and where its outputs go.</summary>
internal sealed class StepScope(NodeId self, RangeDirectory directory)
{
    public NodeId Self => self;

    public StepContext Context { get; private set; } = null!;

    public Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> Outbox { get; private set; } = null!;

    public void Enter(StepContext context, Outbox<NodeMessage, NodeRecord, Api.Request, Api.Response> outbox)
    {
        Context = context;
        Outbox = outbox;
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
        var leader = directory.LeaderOf(message.Group);
        if (leader != NodeId.None)
        {
            Outbox.SendEarly(leader, message);
        }
    }
}
