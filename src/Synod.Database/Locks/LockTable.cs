using Synod.Core;
using Synod.Database.Transactions;

namespace Synod.Database.Locks;

public enum LockMode : byte
{
    /// <summary>For reading: shared, on a key or on a whole span, so that nothing can appear in its gaps (no phantoms).</summary>
    Shared,

    /// <summary>For writing: exclusive, on one key.</summary>
    Exclusive,
}

/// <summary>One transaction as a lock table sees it.</summary>
public interface ILockOwner
{
    TransactionId Id { get; }

    Age Age { get; }

    /// <summary>
    /// Whether the transaction may still be wounded here. Not once a record of it was proposed: it may be prepared then, and only
    /// its coordinator may end it, as long as votes are missing. It waits for no lock here, but a part of it elsewhere may: see
    /// <see cref="LockTable.BlocksOlder"/>.
    /// </summary>
    bool IsWoundable { get; }
}

/// <summary>
/// The locks of one range, in the memory of its leader: strict two-phase locking with wound-wait by age (Rosenkrantz et al. 1978;
/// Spanner §4.1.1). Wait edges go from younger to older, except towards transactions that wait for nothing here; so there is no
/// cycle inside one range. A cycle over ranges goes through a prepared transaction: its participants ask its coordinator to end it
/// when they see an older one wait for it. Requests queue by age: an older one never stands behind a younger waiter.
/// </summary>
/// <remarks>Locks end with the leader's term; the locks of prepared transactions are taken again by the next leader.</remarks>
public sealed class LockTable
{
    private readonly List<Held> _spans = [];
    private readonly SortedDictionary<Key, List<Held>> _keys = [];
    private readonly SortedSet<Key> _exclusive = [];
    private readonly SortedDictionary<(Age Age, TransactionId Id, long Order), Request> _waiting = [];
    private readonly Dictionary<TransactionId, List<Held>> _byOwner = [];
    private readonly List<Held> _conflicts = [];
    private long _order;

    /// <summary>Locks granted and not released.</summary>
    public int Count { get; private set; }

    /// <summary>Requests that wait.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>
    /// Asks for locks. Granted if it returns true; otherwise the request waits, and <see cref="Release"/> reports it when it is
    /// granted. Younger holders in the way that may be wounded are added to <paramref name="wounded"/>: the caller releases them.
    /// </summary>
    public bool Acquire(ILockOwner owner, LockMode mode, IReadOnlyList<KeySpan> spans, object tag, List<ILockOwner> wounded)
    {
        var request = new Request(owner, mode, spans, tag, (owner.Age, owner.Id, _order++));
        if (TryGrant(request, wounded))
        {
            return true;
        }

        _waiting.Add(request.Position, request);
        return false;
    }

    /// <summary>Whether a transaction older than <paramref name="owner"/> waits for a lock that it holds.</summary>
    public bool BlocksOlder(ILockOwner owner) => _waiting.Values.Any(request =>
        request.Owner.Age.IsOlderThan(owner.Age) && Conflicts(request).Exists(held => held.Owner.Id == owner.Id));

    /// <summary>Whether <paramref name="owner"/> holds a lock here.</summary>
    public bool Holds(TransactionId owner) => _byOwner.ContainsKey(owner);

    /// <summary>
    /// Releases everything <paramref name="owner"/> holds or waits for, and grants what has become free, oldest first. The tags of
    /// granted requests are added to <paramref name="granted"/>, newly wounded transactions to <paramref name="wounded"/>.
    /// </summary>
    public void Release(TransactionId owner, List<object> granted, List<ILockOwner> wounded)
    {
        if (_byOwner.Remove(owner, out var held))
        {
            foreach (var item in held)
            {
                Remove(item);
            }
        }

        if (_waiting.Count > 0)
        {
            Forget(owner);
            Regrant(granted, wounded);
        }
    }

    /// <summary>Grants every waiting request that can be granted, oldest first.</summary>
    public void Regrant(List<object> granted, List<ILockOwner> wounded)
    {
        foreach (var request in _waiting.Values.ToList())
        {
            if (TryGrant(request, wounded))
            {
                _waiting.Remove(request.Position);
                granted.Add(request.Tag);
            }
        }
    }

    /// <summary>Owners of exclusive locks on keys of <paramref name="span"/>, in order of keys.</summary>
    public IEnumerable<ILockOwner> ExclusiveOwners(KeySpan span)
    {
        foreach (var key in ExclusiveKeys(span))
        {
            foreach (var held in _keys[key])
            {
                if (held.Mode == LockMode.Exclusive)
                {
                    yield return held.Owner;
                }
            }
        }
    }

    /// <summary>The wait-for graph is acyclic because each edge leads to an older transaction or to one that waits for nothing.</summary>
    public void CheckInvariants()
    {
        foreach (var request in _waiting.Values)
        {
            foreach (var holder in Conflicts(request))
            {
                Invariant.Check(
                    !holder.Owner.IsWoundable || !request.Owner.Age.IsOlderThan(holder.Owner.Age),
                    "NoOlderWaitsForYounger",
                    $"{request.Owner.Id} waits for {holder.Owner.Id}");
            }
        }
    }

    private void Forget(TransactionId owner)
    {
        foreach (var position in _waiting.Where(entry => entry.Value.Owner.Id == owner).Select(entry => entry.Key).ToList())
        {
            _waiting.Remove(position);
        }
    }

    private bool TryGrant(Request request, List<ILockOwner> wounded)
    {
        var blocked = false;
        foreach (var holder in Conflicts(request))
        {
            blocked = true;
            if (holder.Owner.IsWoundable && request.Owner.Age.IsOlderThan(holder.Owner.Age) && !wounded.Contains(holder.Owner))
            {
                wounded.Add(holder.Owner);
            }
        }

        if (blocked || IsBehindOlderWaiter(request))
        {
            return false;
        }

        for (var index = 0; index < request.Spans.Count; index++)
        {
            Grant(new Held(request.Owner, request.Mode, request.Spans[index]));
        }

        return true;
    }

    /// <summary>Older requests ahead in the queue count as holders, or a stream of younger readers would starve an old writer.</summary>
    private bool IsBehindOlderWaiter(Request request)
    {
        foreach (var waiter in _waiting.Values)
        {
            if (waiter.Position.CompareTo(request.Position) >= 0)
            {
                return false;
            }

            if (waiter.Owner.Id != request.Owner.Id
                && (waiter.Mode == LockMode.Exclusive || request.Mode == LockMode.Exclusive)
                && waiter.Overlaps(request))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What others hold in its way. The list is good until the next call.</summary>
    private List<Held> Conflicts(Request request)
    {
        _conflicts.Clear();
        for (var index = 0; index < request.Spans.Count; index++)
        {
            var span = request.Spans[index];
            if (request.Mode == LockMode.Shared)
            {
                foreach (var key in ExclusiveKeys(span))
                {
                    AddConflicts(_keys[key], request);
                }

                continue;
            }

            if (_keys.TryGetValue(span.Start, out var holders))
            {
                AddConflicts(holders, request);
            }

            foreach (var held in _spans)
            {
                if (held.Owner.Id != request.Owner.Id && held.Span.Overlaps(span))
                {
                    _conflicts.Add(held);
                }
            }
        }

        return _conflicts;
    }

    private void AddConflicts(List<Held> holders, Request request)
    {
        foreach (var held in holders)
        {
            if (held.Owner.Id != request.Owner.Id && (request.Mode == LockMode.Exclusive || held.Mode == LockMode.Exclusive))
            {
                _conflicts.Add(held);
            }
        }
    }

    private IEnumerable<Key> ExclusiveKeys(KeySpan span)
    {
        if (_exclusive.Count == 0)
        {
            return [];
        }

        if (IsSingle(span))
        {
            return _exclusive.Contains(span.Start) ? [span.Start] : [];
        }

        var last = span.End.IsEmpty ? _exclusive.Max : span.End;
        return span.Start > last ? [] : _exclusive.GetViewBetween(span.Start, last).Where(span.Contains);
    }

    private void Grant(Held held)
    {
        var isSingle = IsSingle(held.Span);
        var holders = isSingle ? HoldersOf(held.Span.Start) : _spans;
        foreach (var other in holders)
        {
            if (other.Owner.Id == held.Owner.Id && other.Mode >= held.Mode && other.Span == held.Span)
            {
                return;
            }
        }

        if (!_byOwner.TryGetValue(held.Owner.Id, out var mine))
        {
            _byOwner.Add(held.Owner.Id, mine = []);
        }

        mine.Add(held);
        holders.Add(held);
        Count++;
        if (isSingle && held.Mode == LockMode.Exclusive)
        {
            _exclusive.Add(held.Span.Start);
        }
    }

    private List<Held> HoldersOf(Key key)
    {
        if (!_keys.TryGetValue(key, out var holders))
        {
            _keys.Add(key, holders = []);
        }

        return holders;
    }

    private void Remove(Held held)
    {
        Count--;
        if (!IsSingle(held.Span))
        {
            _spans.Remove(held);
            return;
        }

        var holders = _keys[held.Span.Start];
        holders.Remove(held);
        if (held.Mode == LockMode.Exclusive)
        {
            _exclusive.Remove(held.Span.Start);
        }

        if (holders.Count == 0)
        {
            _keys.Remove(held.Span.Start);
        }
    }

    private static bool IsSingle(KeySpan span)
    {
        var start = span.Start.Span;
        var end = span.End.Span;
        return end.Length == start.Length + 1 && end[^1] == 0 && end.StartsWith(start);
    }

    private sealed class Held(ILockOwner owner, LockMode mode, KeySpan span)
    {
        public ILockOwner Owner => owner;

        public LockMode Mode => mode;

        public KeySpan Span => span;
    }

    private sealed record Request(
        ILockOwner Owner, LockMode Mode, IReadOnlyList<KeySpan> Spans, object Tag, (Age Age, TransactionId Id, long Order) Position)
    {
        private IReadOnlyList<KeySpan>? _inOrder;

        // A transaction may write very many keys: side by side, two of them are compared in one pass.
        private IReadOnlyList<KeySpan> InOrder => _inOrder ??= Spans.Count == 1 ? Spans : [.. Spans.OrderBy(span => span.Start)];

        public bool Overlaps(Request other)
        {
            var (mine, others) = (0, 0);
            while (mine < InOrder.Count && others < other.InOrder.Count)
            {
                var (left, right) = (InOrder[mine], other.InOrder[others]);
                if (left.Overlaps(right))
                {
                    return true;
                }

                if (left.Start < right.Start)
                {
                    mine++;
                }
                else
                {
                    others++;
                }
            }

            return false;
        }
    }
}
