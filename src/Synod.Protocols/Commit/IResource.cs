using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// What a participant answers for: whoever keeps conflicting transactions apart from a vote until its decision. What is decided is
/// not told here but handed up as <see cref="CommitCommand.Apply"/>, at its position, so that a store can tell a repetition.
/// Deterministic, as it is part of a step.
/// </summary>
public interface IResource
{
    /// <summary>Locks what the writes touch and says whether they can be applied, whatever happens; false changes nothing.</summary>
    bool TryPrepare(Promise promise);

    /// <summary>The promise was kept or need not be any more: its locks go.</summary>
    void Release(Promise promise);

    /// <summary>Holds the locks of exactly these promises, before anything else is served.</summary>
    void Restore(IEnumerable<Promise> promises);

    /// <summary>Who holds the write lock on <paramref name="key"/>, if anyone.</summary>
    TransactionId? HolderOf(Key key);
}

/// <summary>Write locks on keys, and no other reason to refuse.</summary>
public sealed class KeyLocks : IResource
{
    private readonly SortedDictionary<Key, TransactionId> _holders = [];

    public bool TryPrepare(Promise promise)
    {
        if (promise.Writes.Any(write => _holders.ContainsKey(write.Key)))
        {
            return false;
        }

        Lock(promise);
        return true;
    }

    public void Release(Promise promise)
    {
        foreach (var write in promise.Writes)
        {
            _holders.Remove(write.Key);
        }
    }

    public void Restore(IEnumerable<Promise> promises)
    {
        _holders.Clear();
        foreach (var promise in promises)
        {
            Lock(promise);
        }
    }

    public TransactionId? HolderOf(Key key) => _holders.TryGetValue(key, out var holder) ? holder : null;

    private void Lock(Promise promise)
    {
        foreach (var write in promise.Writes)
        {
            _holders[write.Key] = promise.Transaction;
        }
    }
}
