using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// What is enlisted at a participant and not voted on. Volatile, and without locks: those are taken by the vote. An enlistment belongs to one
/// life of the node, and only in that life it can be prepared.
/// </summary>
internal sealed class Enlistments(Ledger ledger, EnlistmentMutation mutation)
{
    private readonly SortedDictionary<TransactionId, Enlistment> _all = [];

    public enum Standing
    {
        /// <summary>The registrar was asked and has not answered.</summary>
        Joining,

        Joined,

        /// <summary>It only read, and said so when it was asked to prepare.</summary>
        Read,

        /// <summary>Nobody will be told that it is enlisted, nor hear Yes to a late Prepare, until the id is past.</summary>
        Over,
    }

    /// <summary>Transactions that this node has joined or wants to, and that it has not been asked to prepare.</summary>
    public IReadOnlyCollection<TransactionId> Waiting => [.. _all.Where(item => item.Value.IsWaiting).Select(item => item.Key)];

    /// <summary>
    /// Answers what cannot be enlisted, and a command that comes again as the first one is answered. What is enlisted does not change: who has more
    /// to write later enlists when it knows all of it, or elsewhere.
    /// </summary>
    /// <returns>Whether it is new, and to be added in this life of the node.</returns>
    public bool IsNew<TMessage, TRecord>(
        RequestId request, CommitCommand.Enlist enlist, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        var id = enlist.Transaction;
        var isHere = _all.TryGetValue(id, out var enlistment);
        if (!id.FitsTimerKey || (isHere && enlistment!.Standing != Standing.Over && !enlistment.Writes.SequenceEqual(enlist.Writes)))
        {
            outbox.AnswerEarly(request, new CommitResult.Malformed());
        }
        else if (ledger.TryGetPromise(id, out var promise))
        {
            outbox.Answer(request, promise.Writes.SequenceEqual(enlist.Writes) ? new CommitResult.Enlisted(id) : new CommitResult.Malformed());
        }
        else if (ledger.Knows(id) || enlistment?.Standing == Standing.Over)
        {
            outbox.Answer(request, ledger.EndingOf(id) switch
            {
                Ending.Committed => new CommitResult.Committed(id),
                Ending.Aborted => new CommitResult.Aborted(id),
                _ => new CommitResult.NotOpen(id),
            });
        }
        else if (enlistment?.Standing == Standing.Joining)
        {
            enlistment.Await(request);
        }
        else if (isHere)
        {
            outbox.Answer(request, new CommitResult.Enlisted(id));
        }
        else
        {
            return true;
        }

        return false;
    }

    /// <summary>Keeps the writes. Nobody is told before the registrar has let this node in.</summary>
    public void Add<TMessage, TRecord>(
        RequestId request, CommitCommand.Enlist enlist, long life, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        var enlistment = new Enlistment { Writes = enlist.Writes, Life = life };
        _all.Add(enlist.Transaction, enlistment);
        enlistment.Await(request);
        if (mutation == EnlistmentMutation.EnlistedAtOnce)
        {
            enlistment.Answer(new CommitResult.Enlisted(enlist.Transaction), outbox);
        }
    }

    /// <summary>The registrar let this node in, in the life that is said; an answer to an earlier life says nothing.</summary>
    public void Join<TMessage, TRecord>(
        NodeId from, TransactionId id, long life, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (from != id.Coordinator)
        {
            outbox.Refuse(Refusal.NotMember);
        }
        else if (!TryGetWaiting(id, out var enlistment) || enlistment.Life != life)
        {
            outbox.Refuse(Refusal.Unexpected);
        }
        else
        {
            (enlistment.Standing, enlistment.Asked) = (Standing.Joined, 0);
            enlistment.Answer(new CommitResult.Enlisted(id), outbox);
        }
    }

    /// <summary>
    /// The registrar has not let this node in, or has forgotten the transaction, and will not have it. How the transaction ends for others this
    /// node does not know. It votes on it no more: were it to enlist again in this life, a Prepare under way could take one for the other.
    /// </summary>
    /// <returns>Whether it waited for that.</returns>
    public bool Closes<TMessage, TRecord>(
        NodeId from, TransactionId id, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (from != id.Coordinator)
        {
            outbox.Refuse(Refusal.NotMember);
            return false;
        }

        if (!TryGetWaiting(id, out _))
        {
            outbox.Refuse(Refusal.Unexpected);
            return false;
        }

        Leave(id, outbox);
        return true;
    }

    /// <summary>
    /// Takes a veto of what this node may not be in. What the registrar has not let in it votes on no more, but that is not the transaction's end,
    /// and so no tombstone: it may commit without it, as it may have when this node has said that it read.
    /// </summary>
    /// <returns>Whether it is one of those, and answered.</returns>
    public bool Withdraws<TMessage, TRecord>(
        RequestId request, TransactionId id, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (!_all.TryGetValue(id, out var enlistment) || enlistment.IsJoined)
        {
            return false;
        }

        if (enlistment.IsWaiting)
        {
            Leave(id, outbox);
        }

        outbox.Answer(request, enlistment.Standing == Standing.Read ? new CommitResult.TooLate(id) : new CommitResult.NotOpen(id));
        return true;
    }

    /// <summary>What was enlisted in that life. Nothing is there if it was another one: then it is lost, and so the answer must be No.</summary>
    public bool TryFind(TransactionId id, long life, out ImmutableArray<Write> writes)
    {
        var isHere = _all.TryGetValue(id, out var enlistment) && enlistment.Standing != Standing.Over;
        writes = isHere ? enlistment!.Writes : [];
        return (isHere && enlistment!.Life == life) || mutation == EnlistmentMutation.AnyLifePrepares;
    }

    /// <summary>
    /// It was asked to prepare what is enlisted, and has promised it. In life 0 nothing is: then the writes came along with the question, and what
    /// is enlisted here has no part in it.
    /// </summary>
    public void Promise<TMessage, TRecord>(TransactionId id, long life, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox) =>
        End(id, life > 0 ? new CommitResult.Enlisted(id) : new CommitResult.NotOpen(id), outbox);

    /// <summary>It only read, and will say so again if it is asked again.</summary>
    public void Read<TMessage, TRecord>(TransactionId id, long life, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (life == 0)
        {
            End(id, new CommitResult.NotOpen(id), outbox);
        }
        else if (_all.TryGetValue(id, out var enlistment))
        {
            enlistment.Standing = Standing.Read;
            enlistment.Answer(new CommitResult.Enlisted(id), outbox);
        }
    }

    /// <summary>The ledger has it from here on: as a promise, or as an ending.</summary>
    /// <returns>Whether it was enlisted.</returns>
    public bool End<TMessage, TRecord>(
        TransactionId id, CommitResult answer, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (!_all.Remove(id, out var enlistment))
        {
            return false;
        }

        enlistment.Answer(answer, outbox);
        return true;
    }

    /// <summary>
    /// Of a coordinator's transactions those before its oldest come to nothing here, if they are not voted on. The mark stands for what is let go
    /// of: it is not enlisted again for a late Prepare to find.
    /// </summary>
    public void ForgetBefore<TMessage, TRecord>(
        TransactionId oldest, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        foreach (var id in _all.Keys.Where(id => id.Coordinator == oldest.Coordinator && id.CompareTo(oldest) < 0).ToArray())
        {
            End(id, new CommitResult.NotOpen(id), outbox);
            ledger.Mark(oldest);
        }
    }

    public bool TryGetWaiting(TransactionId id, [NotNullWhen(true)] out Enlistment? enlistment) =>
        _all.TryGetValue(id, out enlistment) && enlistment.IsWaiting;

    private void Leave<TMessage, TRecord>(TransactionId id, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
    {
        var enlistment = _all[id];
        (enlistment.Standing, enlistment.Writes) = (Standing.Over, []);
        enlistment.Answer(new CommitResult.NotOpen(id), outbox);
    }

    public void State(StateVisitor visitor) =>
        visitor.Visit("enlisted", _all, CommitFields.VisitId, static (v, ref item) => (item ??= new Enlistment()).State(v));

    /// <summary>What one transaction is to write here.</summary>
    public sealed class Enlistment
    {
        public ImmutableArray<Write> Writes = [];
        public long Life;
        public Standing Standing;

        /// <summary>How often the registrar was asked since it last answered.</summary>
        public int Asked;

        // Who waits to be told.
        private readonly List<long> _requests = [];

        public bool IsJoined => Standing == Standing.Joined;

        public bool IsWaiting => Standing is Standing.Joining or Standing.Joined;

        public void Await(RequestId request) => _requests.Add(request.Value);

        public void Answer<TMessage, TRecord>(CommitResult result, Outbox<TMessage, TRecord, CommitCommand, CommitResult> outbox)
        {
            foreach (var request in _requests)
            {
                outbox.Answer(new RequestId(request), result);
            }

            _requests.Clear();
        }

        public void State(StateVisitor visitor)
        {
            var branch = new Branch(NodeId.None, Writes);
            visitor.Visit("writes", ref branch, CommitFields.Branches);
            Writes = branch.Writes;
            visitor.Visit("life", ref Life);
            visitor.VisitEnum("standing", ref Standing);
            visitor.Visit("asked", ref Asked);
            visitor.Visit("requests", _requests, static (v, ref request) => v.Visit("", ref request));
        }
    }
}
