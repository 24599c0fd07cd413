using System.Diagnostics.CodeAnalysis;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// The volatile picture of what a node's records say of transactions: promises still open, and endings. A transaction unknown here
/// is one that this node has not voted on. It writes no record and sends nothing: that is the protocols' own.
/// </summary>
public sealed class Ledger(IResource resource)
{
    /// <summary>Every key of every promise is locked by it, so no conflicting write commits between a vote and its decision.</summary>
    public const string LocksCoverWindow = nameof(LocksCoverWindow);

    /// <summary>A transaction is prepared or ended, not both: an ending is for ever.</summary>
    public const string Stability = nameof(Stability);

    /// <summary>No node committed what another one aborted. Over several nodes, so hosts check it.</summary>
    public const string Agreement = nameof(Agreement);

    private readonly SortedDictionary<TransactionId, Promise> _prepared = [];
    private readonly SortedDictionary<TransactionId, bool> _ended = [];
    private Slot _applied;

    /// <summary>Transactions that this node has promised to end as told, and that block their keys until then.</summary>
    public IReadOnlyCollection<TransactionId> InDoubt => _prepared.Keys;

    /// <summary>Open promises.</summary>
    public IReadOnlyCollection<Promise> Promises => _prepared.Values;

    /// <summary>How a transaction ended as far as this node knows; unknown also while it is prepared.</summary>
    public Ending EndingOf(TransactionId transaction) =>
        _ended.TryGetValue(transaction, out var committed) ? committed ? Ending.Committed : Ending.Aborted : Ending.Unknown;

    /// <summary>Whether this node has voted on the transaction or knows its ending.</summary>
    public bool Knows(TransactionId transaction) => _prepared.ContainsKey(transaction) || _ended.ContainsKey(transaction);

    public bool IsPrepared(TransactionId transaction) => _prepared.ContainsKey(transaction);

    public bool TryGetPromise(TransactionId transaction, [NotNullWhen(true)] out Promise? promise) =>
        _prepared.TryGetValue(transaction, out promise);

    /// <summary>Who holds the write lock on <paramref name="key"/>, if anyone.</summary>
    public TransactionId? LockOn(Key key) => resource.HolderOf(key);

    /// <summary>Enters a promise if the resource can make it.</summary>
    public bool TryPromise(Promise promise)
    {
        if (!resource.TryPrepare(promise))
        {
            return false;
        }

        _prepared.Add(promise.Transaction, promise);
        return true;
    }

    /// <summary>Ends a promise with a commit and hands the writes up at the next position.</summary>
    public void Commit<TMessage, TRecord>(
        TransactionId transaction, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        var promise = Close(transaction);
        _ended.Add(transaction, true);
        _applied = _applied.Next;
        outbox.Execute(_applied, new CommitCommand.Apply(transaction, promise.Writes));
    }

    /// <summary>Ends a promise with an abort.</summary>
    public void Abort(TransactionId transaction)
    {
        Close(transaction);
        _ended.Add(transaction, false);
    }

    /// <summary>Notes an ending of what was never promised here: a tombstone, or a decision about others.</summary>
    public void Note(TransactionId transaction, bool committed) => _ended.Add(transaction, committed);

    /// <summary>What a veto is told once an unknown transaction has been buried: a Yes is not taken back.</summary>
    public CommitResult AnswerToVeto(TransactionId transaction) =>
        IsPrepared(transaction) || EndingOf(transaction) == Ending.Committed
            ? new CommitResult.TooLate(transaction)
            : new CommitResult.Vetoed(transaction);

    /// <summary>Enters a promise from the log; its locks come back with <see cref="Restore"/>, when the whole log has been read.</summary>
    public void Redo(Promise promise) => _prepared.Add(promise.Transaction, promise);

    /// <summary>Ends from the log what may have been promised.</summary>
    public void Redo<TMessage, TRecord>(
        TransactionId transaction, bool commit, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (!_prepared.ContainsKey(transaction))
        {
            Note(transaction, commit);
        }
        else if (commit)
        {
            Commit(transaction, outbox);
        }
        else
        {
            Abort(transaction);
        }
    }

    /// <summary>Locks again what open promises need.</summary>
    public void Restore() => resource.Restore(_prepared.Values);

    public void State(StateVisitor visitor)
    {
        visitor.Visit("applied", ref _applied);
        visitor.Visit("prepared", _prepared, CommitFields.VisitId, CommitFields.VisitPromise);
        visitor.Visit("ended", _ended, CommitFields.VisitId, static (v, ref committed) => v.Visit("commit", ref committed));
        if (visitor.IsReading)
        {
            Restore();
        }
    }

    public void CheckInvariants()
    {
        foreach (var (id, promise) in _prepared)
        {
            Invariant.Check(!_ended.ContainsKey(id), Stability, $"{id} is prepared and ended");
            foreach (var write in promise.Writes)
            {
                Invariant.Check(LockOn(write.Key) == id, LocksCoverWindow, $"{id} is prepared without the lock on {write.Key}");
            }
        }
    }

    /// <summary>Whether <paramref name="nodes"/> agree on every transaction that any two of them ended.</summary>
    public static bool Agree(IEnumerable<ICommitProtocol> nodes)
    {
        var endings = new SortedDictionary<TransactionId, bool>();
        foreach (var (id, committed) in nodes.SelectMany(node => node.Ledger._ended))
        {
            if (!endings.TryAdd(id, committed) && endings[id] != committed)
            {
                return false;
            }
        }

        return true;
    }

    private Promise Close(TransactionId transaction)
    {
        var promise = _prepared[transaction];
        resource.Release(promise);
        _prepared.Remove(transaction);
        return promise;
    }
}
