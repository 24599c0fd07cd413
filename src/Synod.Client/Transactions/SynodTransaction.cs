using System.Runtime.CompilerServices;
using Google.Protobuf;
using Synod.Api;
using Synod.Client.Routing;
using Synod.Client.Transactions;

namespace Synod.Client;

/// <summary>
/// One attempt of a read-write transaction. Reads take shared locks at the leaders, on gaps too; writes are kept here until the
/// commit and are seen by the transaction's own reads. Its methods may be called concurrently.
/// </summary>
public sealed class SynodTransaction
{
    private readonly Lock _gate = new();
    private readonly Router _router;
    private readonly TransactionId _id;
    private readonly Age _age;
    private readonly SortedDictionary<ByteString, Write> _writes = new(ByteOrder.Instance);
    private readonly SortedList<ulong, Term> _locked = [];
    private readonly SortedSet<ulong> _asked = [];
    private readonly KeepAliveLoop _keepAlive;
    private readonly CancellationToken _cancellation;
    private long _bytes;
    private int _reads;
    private string? _doom;
    private bool _over;
    private bool _keptAlive;

    internal SynodTransaction(Router router, KeepAliveLoop keepAlive, TransactionId id, Age age, int attempt, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _router = router;
        _keepAlive = keepAlive;
        _id = id;
        _age = age;
        Attempt = attempt;
    }

    /// <summary>Which attempt this is, from 1.</summary>
    public int Attempt { get; }

    internal TransactionId Id => _id;

    internal Age Age => _age;

    /// <summary>Why it can no longer commit, or null.</summary>
    internal string? Doom
    {
        get
        {
            lock (_gate)
            {
                return _doom;
            }
        }
    }

    /// <summary>Reads a key, with a shared lock unless this transaction wrote it. Null if there is none.</summary>
    /// <exception cref="TransactionConflictException">The attempt is lost; let it pass.</exception>
    /// <exception cref="SynodUnavailableException">No node served the read in time.</exception>
    public async Task<Entry?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        var start = Limits.Key(key);
        lock (_gate)
        {
            ThrowIfLost();
            if (_writes.TryGetValue(start, out var own))
            {
                return own.Delete ? null : new Entry(own.Key.Memory, own.Value.Memory, 0);
            }
        }

        var (result, _) = await ReadAsync(start, new Read { Start = start, Single = true }, cancellationToken);
        return result.Items.Count == 0 ? null : Entry.Of(result.Items[0]);
    }

    /// <summary>
    /// Reads the keys from <paramref name="start"/> up to but without <paramref name="end"/> (empty: no bound) in order, locked
    /// against changes and insertions as far as read. At most <paramref name="limit"/> of them; 0 for all.
    /// </summary>
    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public async IAsyncEnumerable<Entry> ScanAsync(
        ReadOnlyMemory<byte> start,
        ReadOnlyMemory<byte> end,
        int limit = 0,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var cursor = Limits.Bound(start);
        var stop = Limits.Bound(end);
        var left = limit > 0 ? limit : int.MaxValue;
        while (left > 0 && ByteOrder.Below(cursor, stop))
        {
            var page = new Read { Start = cursor, Limit = (uint)Math.Min(left, _router.Options.PageKeys) };
            var (result, range) = await ReadAsync(cursor, page, cancellationToken, stop);
            var bound = result.More && result.Items.Count > 0
                ? ByteOrder.Successor(result.Items[^1].Key)
                : ByteOrder.LowerEnd(stop, range.End);
            foreach (var entry in Overlaid(result, cursor, bound))
            {
                yield return entry;
                if (--left == 0)
                {
                    yield break;
                }
            }

            if (bound.IsEmpty)
            {
                yield break;
            }

            cursor = bound;
        }
    }

    /// <summary>Writes a value at the commit.</summary>
    /// <exception cref="ArgumentException">The key or the value is beyond its limit.</exception>
    /// <exception cref="SynodRefusedException">The transaction would write more than <see cref="Limits.MaxTransactionBytes"/>.</exception>
    public void Put(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value) =>
        Buffer(new Write { Key = Limits.Key(key), Value = Limits.Value(value) });

    /// <summary>Deletes a key at the commit; not an error if there is none.</summary>
    /// <inheritdoc cref="Put" path="/exception"/>
    public void Delete(ReadOnlyMemory<byte> key) => Buffer(new Write { Key = Limits.Key(key), Delete = true });

    internal void Lose(string reason)
    {
        lock (_gate)
        {
            _doom ??= reason;
        }
    }

    /// <summary>Ends the attempt: from now on its methods throw, and its locks are no longer kept alive.</summary>
    internal void Close()
    {
        bool keptAlive;
        lock (_gate)
        {
            _over = true;
            keptAlive = _keptAlive;
        }

        if (keptAlive)
        {
            _keepAlive.Remove(this);
        }
    }

    /// <summary>The groups that it asked for locks, answered or not.</summary>
    internal List<ulong> AskedGroups()
    {
        lock (_gate)
        {
            return [.. _asked];
        }
    }

    /// <summary>The groups where it holds locks.</summary>
    internal List<ulong> LockedGroups()
    {
        lock (_gate)
        {
            return [.. _locked.Keys];
        }
    }

    /// <summary>
    /// Nothing written, and at most one read: a single locking read is atomic by itself. Several are only if all locks were held
    /// at one moment, which the commit checks by their terms.
    /// </summary>
    internal bool NeedsCommit
    {
        get
        {
            lock (_gate)
            {
                return _writes.Count > 0 || _reads > 1;
            }
        }
    }

    /// <summary>What it did, by group in ascending order, as the cache maps keys to groups now.</summary>
    internal async ValueTask<Commit> ToCommitAsync(CancellationToken cancellationToken)
    {
        List<Write> writes;
        var parts = new SortedList<ulong, Part>();
        lock (_gate)
        {
            writes = [.. _writes.Values];
            foreach (var (group, term) in _locked)
            {
                parts[group] = new Part { Group = group, Term = term };
            }
        }

        foreach (var write in writes)
        {
            var group = (await _router.LocateAsync(write.Key, cancellationToken)).Group;
            if (!parts.TryGetValue(group, out var part))
            {
                parts[group] = part = new Part { Group = group };
            }

            part.Writes.Add(write);
        }

        return new Commit { Transaction = _id, Age = _age, Parts = { parts.Values.OrderBy(part => part.Writes.Count == 0) } };
    }

    private async ValueTask<(ReadResult Result, KnownRange Range)> ReadAsync(
        ByteString key, Read read, CancellationToken cancellationToken, ByteString? stop = null)
    {
        read.Transaction = _id;
        read.Age = _age;
        using var linked = cancellationToken.CanBeCanceled && _cancellation.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cancellation)
            : null;
        cancellationToken = linked?.Token ?? (cancellationToken.CanBeCanceled ? cancellationToken : _cancellation);
        while (true)
        {
            var range = await _router.LocateAsync(key, cancellationToken);
            lock (_gate)
            {
                ThrowIfLost();
                _asked.Add(range.Group);
            }

            var request = new Request { Group = range.Group, Read = read.Clone() };
            if (stop is not null)
            {
                request.Read.End = ByteOrder.LowerEnd(stop, range.End);
            }

            var response = await _router.ToLeaderAsync(
                request, new Delivery(), _router.Options.RequestTimeout, cancellationToken);
            switch (response.BodyCase)
            {
                case Response.BodyOneofCase.Read:
                    NoteLock(range.Group, response.Read.Term);
                    return (response.Read, range);
                case Response.BodyOneofCase.WrongRange:
                    await _router.SettleRangesAsync(range, cancellationToken);
                    break;
                case Response.BodyOneofCase.Aborted:
                    Lose(response.Aborted.Reason);
                    break;
                default:
                    Router.ThrowIfRefused(response);
                    throw Router.Unexpected(response);
            }
        }
    }

    private void NoteLock(ulong group, Term? term)
    {
        bool first;
        lock (_gate)
        {
            _reads++;
            if (term is not null && !_locked.TryAdd(group, term) && !_locked[group].Equals(term))
            {
                _doom ??= "the leader that held its locks has changed";
            }

            ThrowIfLost();
            first = !_keptAlive;
            _keptAlive = true;
        }

        if (first)
        {
            _keepAlive.Add(this);
        }
    }

    private void Buffer(Write write)
    {
        lock (_gate)
        {
            ThrowIfLost();
            var bytes = _bytes + write.Key.Length + write.Value.Length;
            if (_writes.TryGetValue(write.Key, out var old))
            {
                bytes -= old.Key.Length + old.Value.Length;
            }

            if (bytes > Limits.MaxTransactionBytes)
            {
                throw new SynodRefusedException(
                    $"The transaction would write {bytes:N0} bytes, and the limit is {Limits.MaxTransactionBytes:N0}. "
                    + "Split it into several transactions.");
            }

            _bytes = bytes;
            _writes[write.Key] = write;
        }
    }

    /// <summary>The page with the transaction's own writes on top, in order.</summary>
    private List<Entry> Overlaid(ReadResult page, ByteString from, ByteString to)
    {
        List<Write> own;
        lock (_gate)
        {
            own = [.. _writes.Values.Where(write => !ByteOrder.Less(write.Key, from) && ByteOrder.Below(write.Key, to))];
        }

        var merged = new SortedDictionary<ByteString, Entry>(ByteOrder.Instance);
        foreach (var item in page.Items)
        {
            merged[item.Key] = Entry.Of(item);
        }

        foreach (var write in own)
        {
            merged.Remove(write.Key);
            if (!write.Delete)
            {
                merged[write.Key] = new Entry(write.Key.Memory, write.Value.Memory, 0);
            }
        }

        return [.. merged.Values];
    }

    private void ThrowIfLost()
    {
        if (_over)
        {
            throw new InvalidOperationException(
                "The transaction is over. Use it only inside its delegate, and await everything that it starts.");
        }

        if (_doom is not null)
        {
            throw new TransactionConflictException(_doom);
        }
    }
}
