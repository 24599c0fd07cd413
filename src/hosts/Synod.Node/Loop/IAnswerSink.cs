using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Takes the answers to submitted commands. One sink may serve many commands, told apart by the tag that each was submitted
/// with. Called between steps, by whichever thread runs them: hand over and return, never block or throw.
/// </summary>
public interface IAnswerSink<in TResult>
{
    /// <summary>The answer; everything that it rests on is durable.</summary>
    void Answered(long tag, TResult result);

    /// <summary>The answers of this turn have all been given: what was put together may leave.</summary>
    void Flush()
    {
        // A sink that puts nothing together has sent it.
    }

    /// <summary>The node stopped before it answered: whether the command took effect is unknown.</summary>
    void Stopped(long tag);
}

/// <summary>The node stopped before it answered: whether the command took effect is unknown.</summary>
public sealed class NodeStopped() : Exception("The node stopped before it answered; whether the command took effect is unknown.");

/// <summary>An answer as a task, for callers that are not in a hurry.</summary>
internal sealed class AnswerTask<TResult>()
    : TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously), IAnswerSink<TResult>
{
    /// <summary>Set when the command is stepped, so that a caller who gave up can be forgotten.</summary>
    public RequestId Request { get; set; }

    public void Answered(long tag, TResult result) => _ = TrySetResult(result);

    public void Stopped(long tag) => _ = TrySetException(new NodeStopped());
}
