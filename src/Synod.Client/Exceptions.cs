namespace Synod.Client;

/// <summary>Something that the caller of the client has to know. Each message says what happened, what it means, what to do.</summary>
public abstract class SynodException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The cluster refused a request for good: bad input, a limit, or a wrong token. The same request will never work.</summary>
public sealed class SynodRefusedException(string reason) : SynodException(reason);

/// <summary>
/// No node served the request within <see cref="SynodClientOptions.RequestTimeout"/>. Nothing of a read or of a transaction
/// that had not sent its commit took effect. Try again when a majority of the nodes is reachable.
/// </summary>
public sealed class SynodUnavailableException(string message, Exception? cause = null) : SynodException(message, cause);

/// <summary>
/// Thrown by the reads of a transaction that lost against an older one or to a change of leader. Let it pass through the
/// delegate: <see cref="SynodClient.TransactAsync(Func{SynodTransaction, Task}, CancellationToken)"/> catches it and tries again.
/// </summary>
public sealed class TransactionConflictException(string reason)
    : SynodException($"The transaction was aborted ({reason}) and will be tried again.");

/// <summary>Thrown by <see cref="TransactionResult.EnsureCommitted"/> for a transaction that is not known to be committed.</summary>
public sealed class NotCommittedException(TransactionResult result) : SynodException(result.Outcome == TransactionOutcome.Unknown
    ? $"It is unknown whether the transaction was committed: {result.Reason}. Read back what it wrote before doing it again."
    : $"The transaction was aborted: {result.Reason}. Nothing of it took effect.")
{
    /// <summary>What is known.</summary>
    public TransactionResult Result { get; } = result;
}
