using Synod.Api;
using Synod.Client.Routing;
using Synod.Client.Transactions;

namespace Synod.Client;

/// <summary>
/// A client of a Synod cluster. It finds leaders by itself, follows moves, retries what is safe to retry, and is meant to be
/// shared: one per process suffices. Keys are 1 B to 4 KiB, values up to 4 MiB, transactions up to 64 MiB of writes.
/// </summary>
public sealed partial class SynodClient : IAsyncDisposable
{
    private readonly IClientTransport _transport;
    private readonly Router _router;
    private readonly Coordinator _coordinator;

    /// <param name="options">Where the cluster is and how to reach it.</param>
    /// <param name="transport">How requests travel; null speaks the direct wire. The client disposes of it.</param>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public SynodClient(SynodClientOptions options, IClientTransport? transport = null)
    {
        Options = options.Validated();
        _transport = transport ?? new DirectClientTransport(Options);
        _router = new Router(_transport, Options, new Chance(options.Seed));
        _coordinator = new Coordinator(_router);
    }

    /// <summary>What it was made with.</summary>
    public SynodClientOptions Options { get; }

    /// <summary>The newest value of a key, linearizable; null if there is none.</summary>
    /// <exception cref="ArgumentException">The key is beyond its limit.</exception>
    /// <exception cref="SynodUnavailableException">No node served it in time.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<Entry?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        var start = Limits.Key(key);
        var (result, _) = await _router.ReadAsync(start, new Read { Start = start, Single = true }, cancellationToken);
        return result.Items.Count == 0 ? null : Entry.Of(result.Items[0]);
    }

    /// <summary>Writes a value under a key: a transaction of one write.</summary>
    /// <returns>Committed, aborted or unknown; only a limit on attempts or a cancellation makes it aborted.</returns>
    /// <exception cref="ArgumentException">The key or the value is beyond its limit.</exception>
    /// <exception cref="SynodUnavailableException">No node was reached in time; nothing was written.</exception>
    public Task<TransactionResult> PutAsync(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default) =>
        TransactAsync(
            transaction =>
            {
                transaction.Put(key, value);
                return Task.CompletedTask;
            },
            cancellationToken);

    /// <summary>Deletes a key, which need not exist: a transaction of one write.</summary>
    /// <inheritdoc cref="PutAsync" path="/returns"/>
    /// <inheritdoc cref="PutAsync" path="/exception"/>
    public Task<TransactionResult> DeleteAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default) =>
        TransactAsync(
            transaction =>
            {
                transaction.Delete(key);
                return Task.CompletedTask;
            },
            cancellationToken);

    /// <summary>
    /// Streams the keys from <paramref name="start"/> up to but without <paramref name="end"/> (empty: no bound) in order, all as
    /// of one moment not before the call. Page by page, so that any number fits into memory.
    /// </summary>
    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public IAsyncEnumerable<Entry> ScanAsync(
        ReadOnlyMemory<byte> start, ReadOnlyMemory<byte> end, int limit = 0, CancellationToken cancellationToken = default) =>
        Snapshot().ScanAsync(start, end, limit, cancellationToken);

    /// <summary>
    /// A read-only transaction without locks. Its reads see one moment: <paramref name="at"/>, in nanoseconds since the Unix
    /// epoch, or, when that is 0, one that the first server read from chooses and that covers everything acknowledged before.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="at"/> is negative.</exception>
    public SynodSnapshot Snapshot(long at = 0) => new(_router, Limits.Moment(at));

    /// <summary>
    /// Runs a read-write transaction, strictly serializable with all others. On a conflict the delegate runs again, under the age
    /// of the first attempt, so that it gets through in the end: it must have no effects besides those on the transaction.
    /// </summary>
    /// <param name="body">Reads and writes through the transaction that it is given.</param>
    /// <param name="cancellationToken">
    /// Cancelled before the commit is sent: the outcome is aborted. Afterwards: what is known, or unknown.
    /// </param>
    /// <returns>Committed, aborted or unknown, with the commit timestamp and the number of attempts.</returns>
    /// <exception cref="SynodUnavailableException">No node was reached in time, before the commit was sent; nothing was written.</exception>
    /// <exception cref="SynodRefusedException">The cluster will never accept it.</exception>
    public Task<TransactionResult> TransactAsync(Func<SynodTransaction, Task> body, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return _coordinator.RunAsync(body, cancellationToken);
    }

    /// <summary>As <see cref="TransactAsync(Func{SynodTransaction, Task}, CancellationToken)"/>, with a value from the delegate.</summary>
    public async Task<TransactionResult<T>> TransactAsync<T>(
        Func<SynodTransaction, Task<T>> body, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        T? value = default;
        var result = await _coordinator.RunAsync(async transaction => value = await body(transaction), cancellationToken);
        return new TransactionResult<T>(result.Outcome, result.Timestamp, result.Attempts, result.Reason, value);
    }

    /// <summary>Closes its connections. Calls still running fail.</summary>
    public ValueTask DisposeAsync() => _transport.DisposeAsync();
}
