namespace Synod.Client;

/// <summary>What became of a transaction. The client never reports a wrong one of these.</summary>
public enum TransactionOutcome
{
    /// <summary>
    /// The commit was sent and its outcome could not be learned before the cancellation or the time limit. It may take effect
    /// or may have taken effect; never twice.
    /// </summary>
    Unknown,

    /// <summary>Everything it wrote is durable and visible.</summary>
    Committed,

    /// <summary>Nothing it wrote took effect or ever will.</summary>
    Aborted,
}

/// <summary>The outcome of a transaction, a put or a delete.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Timestamp">
/// When it was committed, in nanoseconds since the Unix epoch; 0 if it is not known to be, or if it wrote nothing and needed no commit.
/// </param>
/// <param name="Attempts">How often it was tried; 1 without conflicts.</param>
/// <param name="Reason">Why it is not committed; empty if it is.</param>
public record TransactionResult(TransactionOutcome Outcome, long Timestamp, int Attempts, string Reason)
{
    public bool IsCommitted => Outcome == TransactionOutcome.Committed;

    /// <summary>Throws unless it is committed, for callers to whom anything else is exceptional.</summary>
    /// <exception cref="NotCommittedException">It is aborted or unknown; the exception says which.</exception>
    public void EnsureCommitted()
    {
        if (!IsCommitted)
        {
            throw new NotCommittedException(this);
        }
    }
}

/// <summary>The outcome of a transaction whose delegate returned a value.</summary>
/// <param name="Value">What the delegate of the last attempt returned; rely on it only if the transaction is committed.</param>
public sealed record TransactionResult<T>(
    TransactionOutcome Outcome, long Timestamp, int Attempts, string Reason, T? Value)
    : TransactionResult(Outcome, Timestamp, Attempts, Reason);
