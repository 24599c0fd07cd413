using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>Reads at the leader: the newest, in the past, and under locks.</summary>
internal sealed partial class RangeLeader
{
    private static readonly Duration FutureLimit = Duration.FromSeconds(1);

    private readonly SortedDictionary<(TransactionId Transaction, long Request), RequestId> _lockWaits = [];

    /// <summary>Serves a read. The caller has checked the lease and that the range serves the keys.</summary>
    public void Read(RequestId request, Api.Request body)
    {
        var read = body.Read;
        if (read.Transaction is not null)
        {
            ReadLocked(request, body);
        }
        else if (read.At != 0 || read.ChooseTimestamp)
        {
            ReadAt(request, body);
        }
        else
        {
            ReadNewest(request, body);
        }
    }

    /// <summary>
    /// A linearizable read without a timestamp: the newest applied versions under the lease. What is proposed and not applied was
    /// acknowledged to nobody. A prepared transaction may already be committed by its coordinator, so its keys wait.
    /// </summary>
    private void ReadNewest(RequestId request, Api.Request body)
    {
        var span = _replica.SpanOf(body.Read);
        if (!WaitFor(span, request, body, owner => owner.IsInDoubt))
        {
            _step.Answer(request, Responses.Read(_replica.State.Read(body.Read, span, Timestamp.MaxValue)));
        }
    }

    /// <summary>
    /// A read at a timestamp (spanner.md §6, leader reads): first no later commit may be assigned a timestamp at or below it, then
    /// everything assigned one before must be applied.
    /// </summary>
    private void ReadAt(RequestId request, Api.Request body)
    {
        var now = _step.Context.TrueTime;
        var at = body.Read.At != 0 ? new Timestamp(body.Read.At) : now.Latest;
        if (at > now.Latest + FutureLimit)
        {
            _step.Answer(request, Responses.Refused($"Timestamp {at} is in the future: it is past {now.Latest} by the clock of the range's leader. Read at a time that has come."));
            return;
        }

        if (at < _replica.State.CollectedUntil)
        {
            _step.Answer(request, Responses.Refused($"Timestamp {at} is before {_replica.State.CollectedUntil}, the oldest that is still kept. Read a later time."));
            return;
        }

        if (at >= _replica.LeaseEnd)
        {
            _step.Answer(request, Responses.Unavailable("The leader's lease does not cover the timestamp yet."));
            return;
        }

        if (_replica.HandsOver && at > Floor)
        {
            // Whoever serves the keys next was told the floor, or will not wait for a later one.
            _step.Answer(request, Responses.Unavailable(Closing ?? "The range is handed over."));
            return;
        }

        _lastRead = Timestamp.Max(_lastRead, at);
        var fixedBody = body;
        if (body.Read.At == 0)
        {
            fixedBody = body.Clone();
            fixedBody.Read.At = at.Nanoseconds;
        }

        var span = _replica.SpanOf(fixedBody.Read);
        if (!WaitFor(span, request, fixedBody, owner => owner.Timestamp <= at))
        {
            var result = _replica.State.Read(fixedBody.Read, span, at);
            result.At = at.Nanoseconds;
            _step.Answer(request, Responses.Read(result));
        }
    }

    private void ReadLocked(RequestId request, Api.Request body)
    {
        var (id, age) = Responses.Identify(body.Read.Transaction, body.Read.Age);
        if (WasWounded(id))
        {
            _step.Answer(request, Responses.Aborted("The transaction lost its locks here."));
            return;
        }

        if (Closing is { } why && !_transactions.ContainsKey(id))
        {
            _step.Answer(request, Responses.Unavailable(why));
            return;
        }

        var transaction = Begin(id, age);
        if (transaction.Phase != TransactionPhase.Active || transaction.Coordination is not null || transaction.Coordinator != 0)
        {
            _step.Answer(request, Responses.Refused("The transaction is being committed: it can read no more."));
            return;
        }

        transaction.HasReads = true;
        var span = _replica.SpanOf(body.Read);
        var tag = new LockedRead(request, body, id);
        _lockWaits.Add((id, request.Value), request);
        if (Lock(transaction, LockMode.Shared, SpansToLock(body.Read, span), tag))
        {
            ContinueRead(tag);
        }
    }

    /// <summary>The whole span, the gaps between its keys included: nothing can appear there until the lock is released.</summary>
    private IReadOnlyList<KeySpan> SpansToLock(Api.Read read, KeySpan span) =>
        _options.Mutation.HasFlag(DatabaseMutation.NoGapLocks) && !read.Single
            ? [.. _replica.State.Read(read, span, Timestamp.MaxValue).Items.Select(item => KeySpan.Only(new Key(item.Key.Memory)))]
            : [span];

    /// <summary>The lock is held: nothing can be committed to the span until it is released.</summary>
    private void ContinueRead(LockedRead read)
    {
        if (!_lockWaits.Remove((read.Transaction, read.Request.Value)))
        {
            return;
        }

        // The lock may have been waited for: the lease is checked again, after the wait and before the answer (spanner.md §4.1).
        if (!_replica.HoldsLease)
        {
            _step.Answer(read.Request, _replica.NotLeader());
            return;
        }

        var result = _replica.State.Read(read.Body.Read, _replica.SpanOf(read.Body.Read), Timestamp.MaxValue);
        result.Term = Responses.Term(Term);
        _step.Answer(read.Request, Responses.Read(result));
    }

    /// <summary>Parks the read with the first transaction in its way that <paramref name="matters"/>; it starts again after it.</summary>
    private bool WaitFor(KeySpan span, RequestId request, Api.Request body, Func<LeaderTransaction, bool> matters)
    {
        if (_options.Mutation.HasFlag(DatabaseMutation.ReadThroughIntents))
        {
            return false;
        }

        foreach (var owner in _locks.ExclusiveOwners(span))
        {
            if (_transactions.TryGetValue(owner.Id, out var transaction) && matters(transaction))
            {
                transaction.Readers.Add((request, body));
                _replica.Hurry();
                return true;
            }
        }

        return false;
    }

    private sealed record LockedRead(RequestId Request, Api.Request Body, TransactionId Transaction);
}
