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
    private readonly SortedDictionary<NodeId, TransactionId> _over = [];
    private readonly List<Promise> _unflushed = [];
    private bool _isCheckpointing;
    private Slot _applied;

    /// <summary>Transactions that this node has promised to end as told, and that block their keys until then.</summary>
    public IReadOnlyCollection<TransactionId> InDoubt => _prepared.Keys;

    /// <summary>Open promises.</summary>
    public IReadOnlyCollection<Promise> Promises => _prepared.Values;

    /// <summary>How a transaction ended as far as this node knows; unknown also while it is prepared.</summary>
    public Ending EndingOf(TransactionId transaction) =>
        _ended.TryGetValue(transaction, out var committed) ? committed ? Ending.Committed : Ending.Aborted : Ending.Unknown;

    /// <summary>Whether this node has voted on the transaction, knows its ending, or knows that it is over.</summary>
    public bool Knows(TransactionId transaction) =>
        _prepared.ContainsKey(transaction) || _ended.ContainsKey(transaction) || IsForgotten(transaction);

    /// <summary>
    /// Whether the transaction is over and its ending forgotten. Nobody can be in doubt about it but who is to hear "aborted": its coordinator
    /// forgets a commit only when every writer has it.
    /// </summary>
    public bool IsForgotten(TransactionId transaction) =>
        _over.TryGetValue(transaction.Coordinator, out var mark) && transaction.CompareTo(mark) < 0
        && !_prepared.ContainsKey(transaction) && !_ended.ContainsKey(transaction);

    /// <summary>Forgets the endings of a coordinator's transactions before its oldest that is not over. Open promises stay.</summary>
    public void ForgetBefore(TransactionId oldest)
    {
        foreach (var id in _ended.Keys.Where(id => id.Coordinator == oldest.Coordinator && id.CompareTo(oldest) < 0).ToList())
        {
            _ended.Remove(id);
            Mark(oldest);
        }
    }

    /// <summary>
    /// Lets go of a coordinator's transactions before its oldest that is open there, and of none that is in doubt here or later than one: their
    /// endings are forgotten, and on those of them that come late this node will not vote.
    /// </summary>
    /// <returns>The mark before which all are over for this node, for ever.</returns>
    public TransactionId Settle(TransactionId oldest)
    {
        var mark = Bar(oldest);
        ForgetBefore(mark);
        return mark;
    }

    /// <summary>The same without forgetting: others may still ask how those before the mark ended.</summary>
    /// <returns>The mark before which this node votes on nothing and is in doubt about nothing, for ever.</returns>
    public TransactionId Bar(TransactionId oldest)
    {
        foreach (var id in _prepared.Keys)
        {
            if (id.Coordinator == oldest.Coordinator && id.CompareTo(oldest) < 0)
            {
                oldest = id;
                break;
            }
        }

        Mark(oldest);
        return _over[oldest.Coordinator];
    }

    /// <summary>Before the mark this node votes on nothing that it has not voted on.</summary>
    internal void Mark(TransactionId oldest)
    {
        if (!_over.TryGetValue(oldest.Coordinator, out var known) || known.CompareTo(oldest) < 0)
        {
            _over[oldest.Coordinator] = oldest;
        }
    }

    /// <summary>Forgets one ending, about which nobody is in doubt any more.</summary>
    public void Forget(TransactionId transaction) => _ended.Remove(transaction);

    /// <summary>Takes marks from the log. What was redone before them, and is before them, is over.</summary>
    public void Redo(IEnumerable<TransactionId> marks)
    {
        foreach (var mark in marks)
        {
            ForgetBefore(mark);
            Mark(mark);
        }
    }

    /// <summary>How many commits were handed up.</summary>
    public Slot Applied => _applied;

    /// <summary>For each coordinator the oldest transaction that may not be over.</summary>
    public IReadOnlyCollection<TransactionId> Marks => _over.Values;

    /// <summary>Endings that are remembered.</summary>
    public IReadOnlyDictionary<TransactionId, bool> Endings => _ended;

    /// <summary>The host is about to flush what was handed up until now.</summary>
    public void BeginCheckpoint()
    {
        _isCheckpointing = true;
        _unflushed.Clear();
    }

    /// <summary>
    /// Persists anew what a restart needs of all this: how many commits are in the store; of later ones, which the flush may have missed, the
    /// promises with their writes; open promises; and how things ended. Writes that are in the store are gone with their log.
    /// </summary>
    public void Checkpoint<TMessage, TRecord>(
        Func<Slot, TRecord> flushed,
        Func<Promise, TRecord> promised,
        Func<TransactionId, bool, TRecord> ended,
        Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        _isCheckpointing = false;
        outbox.Persist(flushed(new Slot(_applied.Value - _unflushed.Count)));
        foreach (var promise in _unflushed)
        {
            outbox.Persist(promised(promise));
            outbox.Persist(ended(promise.Transaction, true));
        }

        foreach (var promise in _prepared.Values)
        {
            outbox.Persist(promised(promise));
        }

        foreach (var (id, committed) in _ended)
        {
            outbox.Persist(ended(id, committed));
        }
    }

    /// <summary>Goes on from a checkpoint: so many commits are in the store.</summary>
    public void RedoApplied(Slot applied) => _applied = Slot.Max(_applied, applied);

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
        if (_isCheckpointing)
        {
            _unflushed.Add(promise);
        }

        outbox.Execute(_applied, new CommitCommand.Apply(transaction, promise.Writes));
    }

    /// <summary>Ends a promise with an abort.</summary>
    public void Abort(TransactionId transaction)
    {
        Close(transaction);
        _ended.Add(transaction, false);
    }

    /// <summary>Ends a promise as told, with the <paramref name="record"/> that says so.</summary>
    public void End<TMessage, TRecord>(
        TransactionId transaction, bool commit, TRecord record, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        outbox.Persist(record);
        if (commit)
        {
            Commit(transaction, outbox);
        }
        else
        {
            Abort(transaction);
        }
    }

    /// <summary>Notes an ending of what was never promised here: a tombstone, or a decision about others.</summary>
    public void Note(TransactionId transaction, bool committed) => _ended.Add(transaction, committed);

    /// <summary>What a veto is told once an unknown transaction has been buried: a Yes is not taken back.</summary>
    public CommitResult AnswerToVeto(TransactionId transaction) =>
        IsPrepared(transaction) || EndingOf(transaction) == Ending.Committed || IsForgotten(transaction)
            ? new CommitResult.TooLate(transaction)
            : new CommitResult.Vetoed(transaction);

    /// <summary>Enters a promise from the log; its locks come back with <see cref="Restore"/>, when the whole log has been read.</summary>
    public void Redo(Promise promise) => _prepared.Add(promise.Transaction, promise);

    /// <summary>
    /// Ends from the log what may have been promised. What is known to have ended stays as it is: the first records of a checkpoint may come
    /// after the older ones that they repeat.
    /// </summary>
    public void Redo<TMessage, TRecord>(
        TransactionId transaction, bool commit, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (!_prepared.ContainsKey(transaction) && Knows(transaction))
        {
            return;
        }

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
        visitor.Visit("over", _over, static (v, ref node) => v.Visit("", ref node), CommitFields.VisitId);
        visitor.Visit("checkpointing", ref _isCheckpointing);
        visitor.Visit("unflushed", _unflushed, CommitFields.VisitPromise);
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
