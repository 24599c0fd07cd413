using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>What a range's group agrees on, in order. Each replica applies the same commands to the same state.</summary>
public abstract record RangeCommand
{
    /// <summary>No replica exposes the command's versions before this has passed (Spanner §4.2.1, commit wait); zero for none.</summary>
    public virtual Timestamp VisibleAfter => Timestamp.Zero;

    /// <summary>Whether it has a slot to itself, because applying it reads what the commands before it have stored.</summary>
    public virtual bool IsAlone => false;

    /// <summary>A whole transaction of one range, at its commit timestamp.</summary>
    public sealed record CommitLocal(TransactionId Id, Timestamp Timestamp, IReadOnlyList<KeyWrite> Writes) : RangeCommand
    {
        public override Timestamp VisibleAfter => Timestamp;
    }

    /// <summary>
    /// A participant's vote: its writes become intents and keep their locks across leaders until resolved. The commit timestamp
    /// will be at least the promise's, and at most what it says the read locks hold until.
    /// </summary>
    public sealed record Prepare(
        TransactionId Id, Age Age, ulong Coordinator, Promise Promise, IReadOnlyList<KeyWrite> Writes) : RangeCommand;

    /// <summary>
    /// The coordinator's own vote, and the names of all others: once this and every participant's Prepare are chosen, the
    /// transaction is committed, at the largest of their timestamps (commit.md §5.1).
    /// </summary>
    public sealed record Stage(
        TransactionId Id, Age Age, Promise Promise, IReadOnlyList<KeyWrite> Writes, IReadOnlyList<ulong> Participants) : RangeCommand;

    /// <summary>
    /// Says so of a staged transaction: from here on its versions may be seen. Without effect on one that is not staged, which is the
    /// compare-and-set of commit.md §5.4.
    /// </summary>
    public sealed record Commit(TransactionId Id, Timestamp Timestamp) : RangeCommand
    {
        public override Timestamp VisibleAfter => Timestamp;
    }

    /// <summary>
    /// The coordinator's decision to abort; also the tombstone that answers an inquiry about a transaction without a record, so
    /// that a Stage still in flight finds it and has no effect (commit.md §4.2, §5.4).
    /// </summary>
    public sealed record Abort(TransactionId Id) : RangeCommand;

    /// <summary>
    /// Asks, at a participant, whether the transaction is prepared, and sees to it that it never will be if it is not
    /// (commit.md §5.4). <paramref name="At"/> is the leader's clock, by which every replica forgets it at the same time.
    /// </summary>
    public sealed record Fence(TransactionId Id, Timestamp At) : RangeCommand;

    /// <summary>A participant learns the outcome: intents become versions, or go.</summary>
    public sealed record Resolve(TransactionId Id, Outcome Outcome) : RangeCommand
    {
        public override Timestamp VisibleAfter => Outcome.IsCommit ? Outcome.Timestamp : Timestamp.Zero;
    }

    /// <summary>Every participant has resolved: the coordinator needs the participants' names no longer.</summary>
    public sealed record Forget(IReadOnlyList<TransactionId> Ids) : RangeCommand;

    /// <summary>
    /// Cuts the range: its own span ends at the child's start, and the child's group begins with the rest. If the parent retires, the
    /// child has all of its span and other members: the stop sign of a reconfiguration (paxos.md §7), with a group of its own for
    /// the next epoch. Timestamps of the child begin above <paramref name="Floor"/>, which is above all that were used for its keys.
    /// </summary>
    public sealed record Split(RangeDescriptor Parent, RangeDescriptor Child, Timestamp Floor) : RangeCommand
    {
        public override bool IsAlone => true;
    }

    /// <summary>
    /// Reads below the threshold are refused from now on, and versions that only they could see go: of a bounded number of keys from
    /// <paramref name="From"/> on (spanner.md §8).
    /// </summary>
    public sealed record Collect(Timestamp Threshold, Key From) : RangeCommand
    {
        public override bool IsAlone => true;
    }

    /// <summary>
    /// A leader's first command. Where it is applied, commands of earlier terms that were left in some replica's log and are chosen
    /// only now have no effect any more: their leaders' leases are over, and reads may have been served without them.
    /// </summary>
    public sealed record Lead : RangeCommand;

    public void Write(CodecWriter writer)
    {
        switch (this)
        {
            case CommitLocal c:
                writer.Byte(1);
                writer.Transaction(c.Id);
                writer.Timestamp(c.Timestamp);
                writer.Writes(c.Writes);
                break;
            case Prepare c:
                writer.Byte(2);
                writer.Transaction(c.Id);
                writer.Age(c.Age);
                writer.Fixed64(c.Coordinator);
                writer.Promise(c.Promise);
                writer.Writes(c.Writes);
                break;
            case Commit c:
                writer.Byte(3);
                writer.Transaction(c.Id);
                writer.Timestamp(c.Timestamp);
                break;
            case Abort c:
                writer.Byte(4);
                writer.Transaction(c.Id);
                break;
            case Resolve c:
                writer.Byte(5);
                writer.Transaction(c.Id);
                writer.Outcome(c.Outcome);
                break;
            case Forget c:
                writer.Byte(6);
                writer.Unsigned((ulong)c.Ids.Count);
                foreach (var id in c.Ids)
                {
                    writer.Transaction(id);
                }

                break;
            case Split c:
                writer.Byte(7);
                c.Parent.Write(writer);
                c.Child.Write(writer);
                writer.Timestamp(c.Floor);
                break;
            case Collect c:
                writer.Byte(8);
                writer.Timestamp(c.Threshold);
                writer.Bytes(c.From.Span);
                break;
            case Lead:
                writer.Byte(9);
                break;
            case Stage c:
                writer.Byte(10);
                writer.Transaction(c.Id);
                writer.Age(c.Age);
                writer.Promise(c.Promise);
                writer.Writes(c.Writes);
                writer.Groups(c.Participants);
                break;
            case Fence c:
                writer.Byte(11);
                writer.Transaction(c.Id);
                writer.Timestamp(c.At);
                break;
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null if it is none.</summary>
    public static RangeCommand? Read(ref CodecReader r)
    {
        switch (r.Byte())
        {
            case 1:
                var local = r.Transaction();
                var at = r.Timestamp();
                return new CommitLocal(local, at, r.Writes());
            case 2:
                var prepared = r.Transaction();
                var age = r.Age();
                var coordinator = r.Fixed64();
                var promise = r.Promise();
                return new Prepare(prepared, age, coordinator, promise, r.Writes());
            case 3:
                var committed = r.Transaction();
                return new Commit(committed, r.Timestamp());
            case 4:
                return new Abort(r.Transaction());
            case 5:
                var resolved = r.Transaction();
                return new Resolve(resolved, r.Outcome());
            case 6:
                var ids = new TransactionId[r.Count()];
                for (var i = 0; i < ids.Length && !r.Failed; i++)
                {
                    ids[i] = r.Transaction();
                }

                return new Forget(ids);
            case 7:
                var parent = RangeDescriptor.Read(ref r);
                var child = RangeDescriptor.Read(ref r);
                return new Split(parent, child, r.Timestamp());
            case 8:
                var threshold = r.Timestamp();
                return new Collect(threshold, new Key(r.Bytes()));
            case 9:
                return new Lead();
            case 10:
                var staged = r.Transaction();
                var stagedAge = r.Age();
                var stagedPromise = r.Promise();
                var writes = r.Writes();
                return new Stage(staged, stagedAge, stagedPromise, writes, r.Groups());
            case 11:
                var fenced = r.Transaction();
                return new Fence(fenced, r.Timestamp());
            default:
                return null;
        }
    }
}
