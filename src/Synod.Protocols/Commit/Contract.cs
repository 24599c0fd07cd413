using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// What every protocol of atomic commit is asked for and hands up, so that which one it is can be a configuration value: hosts make
/// one or the other and say the same to it.
/// </summary>
public abstract record CommitCommand
{
    /// <summary>Submitted where the client is: commit all branches or none.</summary>
    public sealed record Begin(ImmutableArray<Branch> Branches) : CommitCommand
    {
        /// <summary>Whether it names at least one branch, none twice, and none that cannot be a member of a set.</summary>
        public bool IsWellFormed
        {
            get
            {
                var seen = NodeSet.Empty;
                foreach (var branch in Branches)
                {
                    if (branch.Participant.Value is <= 0 or >= NodeSet.Capacity || seen.Contains(branch.Participant))
                    {
                        return false;
                    }

                    seen = seen.With(branch.Participant);
                }

                return !seen.IsEmpty;
            }
        }

        /// <summary>All who take part.</summary>
        public NodeSet Participants => NodeSet.Of([.. Branches.Select(branch => branch.Participant)]);

        /// <summary>Those who write.</summary>
        public NodeSet Writers => NodeSet.Of([.. Branches.Where(branch => branch.Writes.Length > 0).Select(branch => branch.Participant)]);

        public override string ToString() => $"Begin {string.Join(" ", Branches)}";
    }

    /// <summary>
    /// Submitted where a transaction is to be coordinated, before it is known who takes part: names it, and lets participants join until
    /// <see cref="Commit"/> or <see cref="Veto"/> there. It is open in memory only: a crash of its coordinator aborts it. Whoever has opened one
    /// ends it, or forgetting waits for it.
    /// </summary>
    public sealed record Open : CommitCommand
    {
        public override string ToString() => "Open";
    }

    /// <summary>
    /// Submitted to a participant: it takes part in an open transaction, with these writes, or as a reader with none. They stay there, in memory
    /// and without locks, until the transaction is committed: only a participant that has not crashed since can prepare them. Once for each
    /// participant and transaction; the same again is answered again.
    /// </summary>
    public sealed record Enlist(TransactionId Transaction, ImmutableArray<Write> Writes) : CommitCommand
    {
        public override string ToString() => $"Enlist {Transaction} [{string.Join(" ", Writes)}]";
    }

    /// <summary>Submitted where the transaction was opened: nobody can join any more, and all who have commit or none.</summary>
    public sealed record Commit(TransactionId Transaction) : CommitCommand
    {
        public override string ToString() => $"Commit {Transaction}";
    }

    /// <summary>
    /// Submitted to a participant that does not want the transaction, and has an effect only before it votes; or to the coordinator of an open
    /// transaction, which rolls it back.
    /// </summary>
    public sealed record Veto(TransactionId Transaction) : CommitCommand
    {
        public override string ToString() => $"Veto {Transaction}";
    }

    /// <summary>
    /// Submitted by a failure detector, again and again while it holds: <paramref name="Node"/> seems to have crashed. A hint that
    /// saves waiting, and more than that only for three-phase commit, which is right exactly if it is. It is not answered.
    /// </summary>
    public sealed record Suspect(NodeId Node) : CommitCommand
    {
        public override string ToString() => $"Suspect {Node}";
    }

    /// <summary>
    /// Handed up by a participant: these writes are committed. Again after each restart, in the order of the log; a commit whose
    /// record a crash lost comes once more when it is told again, after those that were not. So a store applies whatever comes:
    /// writes are values, and keys are locked until their transaction's commit is recorded.
    /// </summary>
    public sealed record Apply(TransactionId Transaction, ImmutableArray<Write> Writes) : CommitCommand
    {
        public override string ToString() => $"Apply {Transaction} [{string.Join(" ", Writes)}]";
    }
}

/// <summary>Answers to commands. No answer at all means that the outcome is unknown to the caller.</summary>
public abstract record CommitResult
{
    /// <summary>To a commit: with everything that was enlisted. To an enlistment that comes again, or too late: with what was enlisted there before, if anything.</summary>
    public sealed record Committed(TransactionId Transaction) : CommitResult;

    public sealed record Aborted(TransactionId Transaction) : CommitResult;

    /// <summary>To an open: participants can join it under this name.</summary>
    public sealed record Opened(TransactionId Transaction) : CommitResult;

    /// <summary>To an enlistment: the transaction does not commit without these writes.</summary>
    public sealed record Enlisted(TransactionId Transaction) : CommitResult;

    /// <summary>
    /// To a commit, and to a veto where it was opened: the transaction is not open there (any more), and its outcome is unknown. To an enlistment,
    /// and to a veto before it is answered or after it was answered so: these writes do not become part of it, however it ends for others.
    /// </summary>
    public sealed record NotOpen(TransactionId Transaction) : CommitResult;

    /// <summary>
    /// The command names no branch, one participant twice, or one that cannot be a member of a set; or a transaction that no node can have begun;
    /// or enlists other writes than are enlisted.
    /// </summary>
    public sealed record Malformed : CommitResult;

    /// <summary>
    /// To a veto: the transaction will not commit here, and so nowhere, if this node takes part. One that takes none binds only itself, as does
    /// one that said that it reads and remembers it no more.
    /// </summary>
    public sealed record Vetoed(TransactionId Transaction) : CommitResult;

    /// <summary>To a veto: the vote was Yes or that it only read, and that cannot be taken back; or others are voting, and this node is not one of them.</summary>
    public sealed record TooLate(TransactionId Transaction) : CommitResult;
}

/// <summary>What hosts and judges may look at in a node of any protocol of atomic commit.</summary>
public interface ICommitProtocol
{
    /// <summary>What the node has promised as a participant, and how it ended.</summary>
    Ledger Ledger { get; }

    /// <summary>Transactions that this node leads and has not forgotten, and those that are open here for others to join.</summary>
    IReadOnlyCollection<TransactionId> Open { get; }

    /// <summary>Transactions that this node has joined or wants to, and has not been asked to prepare.</summary>
    IReadOnlyCollection<TransactionId> Enlisted { get; }
}
