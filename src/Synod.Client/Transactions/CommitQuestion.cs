using Synod.Api;
using Synod.Client.Routing;

namespace Synod.Client.Transactions;

/// <summary>
/// One commit, asked until its outcome is known. After a lost response the same request goes out again under the same
/// transaction id, which the session remembers, so that it takes effect at most once.
/// </summary>
internal sealed class CommitQuestion(Router router, Commit commit, int attempt)
{
    /// <summary>How often a write-only commit is asked again when it is refused after a send whose fate is unknown.</summary>
    private const int MaxContradictions = 5;

    private readonly Delivery _delivery = new();
    private readonly long _started = router.Time.GetTimestamp();
    private int _contradictions;

    public async Task<TransactionResult> AskAsync(CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                var left = router.Options.CommitTimeout - router.Time.GetElapsedTime(_started);
                if (tries > 0 && left <= TimeSpan.Zero)
                {
                    return Lost($"no answer told it within {router.Options.CommitTimeout.TotalSeconds:0.#} s");
                }

                var request = new Request { Group = commit.Parts[0].Group, Commit = tries == 0 ? commit : commit.Clone() };
                var response = await router.ToLeaderAsync(request, _delivery, left, cancellationToken);
                if (response.BodyCase == Response.BodyOneofCase.WrongRange)
                {
                    await router.RefreshAsync(cancellationToken);
                }

                if (Judge(response) is { } result)
                {
                    return result;
                }

                await router.PauseAsync(tries, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return Lost("it was cancelled");
            }
            catch (SynodUnavailableException failure) when (_delivery.MaybeDone)
            {
                return Lost(failure.Message);
            }
            catch (SynodRefusedException failure) when (_delivery.MaybeDone)
            {
                return Lost(failure.Message);
            }
        }
    }

    /// <summary>The outcome that a response proves, or null if it proves none and the question must be asked again.</summary>
    private TransactionResult? Judge(Response response)
    {
        switch (response.BodyCase)
        {
            case Response.BodyOneofCase.Commit when response.Commit.Outcome == CommitResult.Types.Outcome.Committed:
                return new TransactionResult(TransactionOutcome.Committed, response.Commit.Timestamp, attempt, "");
            case Response.BodyOneofCase.Commit when response.Commit.Outcome == CommitResult.Types.Outcome.Aborted:
                return Aborted(response.Commit.Reason);
            case Response.BodyOneofCase.Commit:
                _delivery.MaybeDone = true;
                return null;
            case Response.BodyOneofCase.Aborted:
                return JudgeContradicted(response.Aborted.Reason, provesNothingHappened: CoordinatorReads);
            case Response.BodyOneofCase.WrongRange:
                return JudgeContradicted("a range was cut in two on the way", provesNothingHappened: false);
            case Response.BodyOneofCase.Refused when _delivery.MaybeDone:
                return Lost(response.Refused.Reason);
            default:
                Router.ThrowIfRefused(response);
                _delivery.MaybeDone = true;
                throw Router.Unexpected(response);
        }
    }

    /// <summary>Whether the transaction took read locks in the range that coordinates it, whose leader is asked here.</summary>
    private bool CoordinatorReads => commit.Parts[0].Term is not null;

    /// <summary>
    /// The commit was refused. If no earlier send can have been acted on, that is the outcome. Otherwise it is only if an earlier
    /// copy cannot succeed later: locks that the coordinator lost never come back, but a write without locks might still get through.
    /// </summary>
    private TransactionResult? JudgeContradicted(string reason, bool provesNothingHappened)
    {
        if (!_delivery.MaybeDone || provesNothingHappened)
        {
            return Aborted(reason);
        }

        return ++_contradictions < MaxContradictions ? null : Lost(reason);
    }

    private TransactionResult Aborted(string reason) => new(TransactionOutcome.Aborted, 0, attempt, reason);

    private TransactionResult Lost(string reason) => _delivery.MaybeDone
        ? new(TransactionOutcome.Unknown, 0, attempt, $"the commit was sent, and its outcome was not learned because {reason}")
        : new(TransactionOutcome.Aborted, 0, attempt, $"the commit reached no node: {reason}");
}
