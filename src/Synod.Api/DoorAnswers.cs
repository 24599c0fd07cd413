namespace Synod.Api;

/// <summary>What a door answers by itself.</summary>
public static class DoorAnswers
{
    /// <summary>To a request that asks for nothing.</summary>
    public static Response Bodiless(Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new()
        {
            Id = request.Id,
            Refused = new Refused { Reason = "The request has no body, or one that this version does not know." },
        };
    }

    /// <summary>When the fate of a request is not known: a commit may have happened, everything else may be asked again.</summary>
    public static Response InDoubt(ulong id, bool isCommit, string reason) => isCommit
        ? new Response { Id = id, Commit = new CommitResult { Outcome = CommitResult.Types.Outcome.Unknown, Reason = reason } }
        : new Response { Id = id, Unavailable = new Unavailable { Reason = reason } };

    /// <summary>After a failure inside the node.</summary>
    public static Response Failed(Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return InDoubt(request.Id, request.BodyCase == Request.BodyOneofCase.Commit, "the node failed on the request; its log says why");
    }
}
