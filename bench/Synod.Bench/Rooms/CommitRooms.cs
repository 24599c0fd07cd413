using System.Collections.Immutable;
using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Bench.Rooms;

using CommitResult = Synod.Protocols.Commit.CommitResult;
using Write = Synod.Protocols.Commit.Write;

/// <summary>Three nodes of a protocol of atomic commit; the first coordinates, and each is a participant.</summary>
internal abstract class CommitRoom<TMessage, TRecord> : MemoryRoom<TMessage, TRecord, CommitCommand, CommitResult>
{
    protected const int Members = 3;

    private static readonly byte[] s_value = new byte[8];
    private static readonly ImmutableArray<Branch> s_branches =
        [.. Nodes(Members).Select(node => new Branch(node, [new Write(Key.Of("k"), s_value)]))];

    /// <summary>Transactions that were committed.</summary>
    public long Committed { get; private set; }

    /// <summary>Commits <paramref name="count"/> transactions that write 8 B at each participant, one after the other.</summary>
    public void Commit(int count)
    {
        for (var number = 0; number < count; number++)
        {
            Submit(1, new CommitCommand.Begin(s_branches));
            Settle();
        }
    }

    protected override void OnAnswered(CommitResult result) => Committed += result is CommitResult.Committed ? 1 : 0;
}

internal sealed class TwoPhaseRoom : CommitRoom<TwoPhaseCommit.Message, TwoPhaseCommit.Record>
{
    public TwoPhaseRoom()
    {
        foreach (var node in Nodes(Members))
        {
            Add(new TwoPhaseCommit(node, TwoPhaseCommitOptions.Default));
        }
    }
}

internal sealed class ThreePhaseRoom : CommitRoom<ThreePhaseCommit.Message, ThreePhaseCommit.Record>
{
    public ThreePhaseRoom()
    {
        foreach (var node in Nodes(Members))
        {
            Add(new ThreePhaseCommit(node, ThreePhaseCommitOptions.Default));
        }
    }
}

/// <summary>With F = 1: the participants are the acceptors.</summary>
internal sealed class PaxosCommitRoom : CommitRoom<PaxosCommit.Message, PaxosCommit.Record>
{
    public PaxosCommitRoom()
    {
        foreach (var node in Nodes(Members))
        {
            Add(new PaxosCommit(node, new PaxosCommitOptions([.. Nodes(Members)])));
        }
    }
}
