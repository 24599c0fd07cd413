using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Database.Ranges;

/// <summary>Serving clients and other groups: only while this replica leads, and holds its lease.</summary>
internal sealed partial class RangeReplica
{
    /// <summary>The keys a read asks for.</summary>
    public KeySpan SpanOf(Api.Read read) => read.Single
        ? KeySpan.Only(new Key(read.Start.Memory))
        : new KeySpan(new Key(read.Start.Memory), new Key(read.End.Memory));

    public Api.Response NotLeader()
    {
        var leader = Paxos.Leader == _options.Self ? NodeId.None : Paxos.Leader;
        return new Api.Response
        {
            NotLeader = new Api.NotLeader
            {
                Leader = leader.Value,
                Address = _step.Nodes.ClientAddressOf(leader),
            },
        };
    }

    /// <summary>Serves a client's request, now or as soon as the lease is held.</summary>
    public void Handle(RequestId request, Api.Request body)
    {
        if (State.IsAbsent || Paxos.Role != PaxosRole.Leader)
        {
            _step.Answer(request, NotLeader());
        }
        else if (Leader is null || !HoldsLease)
        {
            _waiting.Add((request, body, null));
        }
        else
        {
            Serve(Leader, request, body);
        }
    }

    /// <summary>
    /// Serves a message about a transaction, now or as soon as the lease is held. False if this is not the leader; or if it leads a group that
    /// has retired: what that had decided is its successor's to tell, and here it looks as if it had decided nothing.
    /// </summary>
    public bool Handle(NodeMessage.ToLeader message)
    {
        if (State.IsAbsent || Paxos.Role != PaxosRole.Leader
            || (State.Descriptor.IsRetired && !_options.Mutation.HasFlag(DatabaseMutation.RetiredAnswers)))
        {
            return false;
        }

        if (Leader is null || !HoldsLease)
        {
            _waiting.Add((default, null, message));
        }
        else
        {
            Serve(Leader, message);
        }

        return true;
    }

    private void Serve(RangeLeader leader, RequestId request, Api.Request body)
    {
        switch (body.BodyCase)
        {
            case Api.Request.BodyOneofCase.Read when !Serves(SpanOf(body.Read)):
            case Api.Request.BodyOneofCase.Commit when !Serves(body.Commit.Parts[0]) && !leader.AnswersDecided(request, body.Commit):
            case Api.Request.BodyOneofCase.Split when !Serves(KeySpan.Only(new Key(body.Split.At.Memory))):
                _step.Answer(request, WrongRange());
                break;
            case Api.Request.BodyOneofCase.Read:
                leader.Read(request, body);
                break;
            case Api.Request.BodyOneofCase.Commit when Serves(body.Commit.Parts[0]):
                leader.Commit(request, body.Commit);
                break;
            case Api.Request.BodyOneofCase.Rollback:
                leader.OnRollback(Responses.Identify(body.Rollback.Transaction));
                _step.Answer(request, Responses.Done());
                break;
            case Api.Request.BodyOneofCase.KeepAlive:
                _step.Answer(request, leader.OnKeepAlive(Responses.Identify(body.KeepAlive.Transaction))
                    ? Responses.Done()
                    : Responses.Aborted("The transaction holds nothing here any more."));
                break;
            case Api.Request.BodyOneofCase.Split:
                BeginSplit(leader, request, body.Split);
                break;
            case Api.Request.BodyOneofCase.TransferLeadership:
                BeginTransfer(leader, request, new NodeId(body.TransferLeadership.To));
                break;
        }
    }

    private void Serve(RangeLeader leader, NodeMessage.ToLeader message)
    {
        switch (message)
        {
            case var m when m.Group != Group:
                leader.OnForPredecessor(m);
                break;
            case NodeMessage.Prepare m:
                leader.OnPrepare(m);
                break;
            case NodeMessage.Vote m:
                leader.OnVote(m);
                break;
            case NodeMessage.Resolve m:
                leader.OnResolve(m);
                break;
            case NodeMessage.Resolved m:
                leader.OnResolvedBy(m);
                break;
            case NodeMessage.Inquire m:
                leader.OnInquire(m);
                break;
            case NodeMessage.QueryPrepare m:
                leader.OnQueryPrepare(m);
                break;
            case NodeMessage.Prevented m:
                leader.OnPrevented(m);
                break;
        }
    }

    /// <summary>Whether the range serves all of the keys.</summary>
    public bool Serves(KeySpan keys) => !State.Descriptor.IsRetired && State.Descriptor.Span.Contains(keys);

    private bool Serves(Api.Part part) => part.Writes.All(write => Serves(KeySpan.Only(new Key(write.Key.Memory))));

    private Api.Response WrongRange() => new() { WrongRange = _directory() };
}
