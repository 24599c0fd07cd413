using Synod.Api;
using Synod.Client.Routing;

namespace Synod.Client.Transactions;

/// <summary>
/// Runs transactions: tries the delegate until an attempt commits, keeps the original age over the attempts, and tells the
/// outcome. The rule that everything here serves: an outcome that could not be learned is unknown, never a guess.
/// </summary>
internal sealed class Coordinator(Router router)
{
    private const int AttemptsBetweenRefreshes = 3;
    private const string Cancelled = "cancelled before the commit was sent";

    private readonly LanePool _lanes = new(router.Chance);
    private readonly KeepAliveLoop _keepAlive = new(router);

    public async Task<TransactionResult> RunAsync(Func<SynodTransaction, Task> body, CancellationToken cancellationToken)
    {
        var lane = _lanes.Rent();
        var age = new Age { Start = (router.Time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * 100, Client = lane.Client };
        var outcome = TransactionOutcome.Unknown;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                var result = await AttemptAsync(lane, age, attempt, body, cancellationToken);
                outcome = result.Outcome;
                if (outcome != TransactionOutcome.Aborted || attempt >= router.Options.MaxAttempts)
                {
                    return result;
                }

                if (cancellationToken.IsCancellationRequested || !await PauseAsync(attempt, cancellationToken))
                {
                    return result.Reason == Cancelled
                        ? result
                        : result with { Reason = $"{Cancelled}; the last attempt failed: {result.Reason}" };
                }
            }
        }
        catch (AttemptFailedException failure)
        {
            // The delegate or the cluster refused before any commit was sent.
            outcome = TransactionOutcome.Aborted;
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure.InnerException!);
            throw;
        }
        finally
        {
            if (outcome != TransactionOutcome.Unknown)
            {
                _lanes.Return(lane);
            }
        }
    }

    private async Task<bool> PauseAsync(int attempt, CancellationToken cancellationToken)
    {
        try
        {
            if (attempt % AttemptsBetweenRefreshes == 0)
            {
                // A participant that no longer serves the keys votes no without saying why.
                await router.RefreshAsync(cancellationToken);
            }

            await router.PauseAsync(attempt - 1, cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<TransactionResult> AttemptAsync(
        Lane lane, Age age, int attempt, Func<SynodTransaction, Task> body, CancellationToken cancellationToken)
    {
        var transaction = new SynodTransaction(router, _keepAlive, lane.Next(), age, attempt, cancellationToken);
        TransactionResult? result = null;
        var committing = false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await body(transaction);
            committing = true;
            result = transaction.Doom is { } doom
                ? new TransactionResult(TransactionOutcome.Aborted, 0, attempt, doom)
                : await CommitAsync(transaction, cancellationToken);
            return result;
        }
        catch (Exception) when (!committing && transaction.Doom is not null && !cancellationToken.IsCancellationRequested)
        {
            // Whatever the delegate made of the conflict: what it read no longer holds.
            return new TransactionResult(TransactionOutcome.Aborted, 0, attempt, transaction.Doom!);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && result is null)
        {
            return new TransactionResult(TransactionOutcome.Aborted, 0, attempt, Cancelled);
        }
        catch (Exception failure) when (!committing || failure is SynodException)
        {
            throw new AttemptFailedException(failure);
        }
        finally
        {
            transaction.Close();
            if (result is not { IsCommitted: true } || !transaction.NeedsCommit)
            {
                RollBack(transaction);
            }
        }
    }

    private async Task<TransactionResult> CommitAsync(SynodTransaction transaction, CancellationToken cancellationToken)
    {
        if (!transaction.NeedsCommit)
        {
            return new TransactionResult(TransactionOutcome.Committed, 0, transaction.Attempt, "");
        }

        var commit = await transaction.ToCommitAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return await new CommitQuestion(router, commit, transaction.Attempt).AskAsync(cancellationToken);
    }

    /// <summary>
    /// Frees the locks of a lost attempt at once instead of letting them lapse. Nobody waits for it. Of an attempt whose outcome is
    /// unknown too: a range that is asked to vote gives up nothing, and one that is not yet would hold everybody up.
    /// </summary>
    private void RollBack(SynodTransaction transaction)
    {
        foreach (var group in transaction.AskedGroups())
        {
            _ = RollBackAsync(transaction.Id, group);
        }
    }

    private async Task RollBackAsync(TransactionId id, ulong group)
    {
        if (router.Cache.Leader(group) is not { } leader)
        {
            return;
        }

        try
        {
            var request = new Request { Group = group, Rollback = new Rollback { Transaction = id } };
            _ = await router.CallAsync(leader, request, CancellationToken.None);
        }
        catch (Exception failure) when (failure is DeliveryFailedException or SynodException)
        {
            // The locks lapse by themselves when nobody keeps them alive.
        }
    }

    /// <summary>Carries an error of the delegate out of an attempt that sent no commit.</summary>
    private sealed class AttemptFailedException(Exception cause) : Exception(cause.Message, cause);
}
