using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Xunit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>The tables of costs in commit.md §1.4, §2.2 and §3.5, counted.</summary>
public sealed class CostTests
{
    private static readonly NodeId First = new(1);

    /// <summary>§1.4, presumed abort: 4n messages with acknowledgements; a promise, a decision and n commits are forced.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Two_phase_commit(int n)
    {
        var apart = Lockstep(CommitRooms.TwoPhase(), n + 1).Commit(First, Nodes(2, n));
        Assert.IsType<CommitResult.Committed>(apart.Answer);
        Assert.Equal(4 * n, apart.Messages);
        Assert.Equal(n + 1 + n, apart.Forced);
        Assert.Equal((2, 3), (apart.AnsweredAfter, apart.AppliedAfter));

        // On one of the participants: 3N-3 and 3 delays, without the acknowledgements.
        var beside = Lockstep(CommitRooms.TwoPhase(), n).Commit(First, Nodes(1, n));
        Assert.Equal((3 * n) - 3, beside.Messages - beside.Sent["Ack"]);
        Assert.Equal(3, beside.AppliedAfter);
    }

    /// <summary>§1.4, the last line: one participant decides alone.</summary>
    [Fact]
    public void Two_phase_commit_with_one_participant()
    {
        var run = Lockstep(CommitRooms.TwoPhase(), 2).Commit(First, Nodes(2, 1));
        Assert.Equal((2, 1, 1, 2), (run.Messages, run.Forced, run.AppliedAfter, run.AnsweredAfter));
    }

    /// <summary>§2.2: five messages for each participant, and one more forced write than the promise. The commit needs no acknowledgement.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Three_phase_commit(int n)
    {
        var run = Lockstep(CommitRooms.ThreePhase(), n + 1).Commit(First, Nodes(2, n));
        Assert.IsType<CommitResult.Committed>(run.Answer);
        Assert.Equal(5 * n, run.Messages);
        Assert.Equal(n + n + 1, run.Forced);
        Assert.Equal((4, 5), (run.AnsweredAfter, run.AppliedAfter));
    }

    /// <summary>§3.5, "messages": one manager begins, the leader is elsewhere, beside an acceptor. F = 0 is two-phase commit: 3N-1.</summary>
    [Theory]
    [InlineData(2, 0)]
    [InlineData(5, 0)]
    [InlineData(2, 1)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public void Paxos_commit(int n, int f)
    {
        var run = Lockstep(Apart(n, f, false), n + 1 + (2 * f)).Commit(new NodeId(2), Nodes(2, n));
        Assert.IsType<CommitResult.Committed>(run.Answer);
        Assert.Equal(((n + 1) * (f + 3)) - 4, run.Messages);
        Assert.Equal(n + f + 1, run.Forced);
        Assert.Equal(f == 0 ? 4 : 5, run.AppliedAfter);
    }

    /// <summary>§3.5, "messages co-located": the first manager's node leads, and acceptors are beside managers.</summary>
    [Theory]
    [InlineData(2, 0)]
    [InlineData(5, 0)]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public void Paxos_commit_with_acceptors_beside_managers(int n, int f)
    {
        var run = Lockstep(CommitRooms.Paxos((2 * f) + 1), n).Commit(First, Nodes(1, n));
        Assert.IsType<CommitResult.Committed>(run.Answer);
        Assert.Equal((n * (f + 3)) - 3, run.Messages);
        Assert.Equal(n + f + 1, run.Forced);
        Assert.Equal(f == 0 ? 3 : 4, run.AppliedAfter);
    }

    /// <summary>
    /// §3.5, the faster variant. With the leader apart there are F messages more than N(2F+3)-1: it is told as well, or it would take
    /// the silence for a failure.
    /// </summary>
    [Theory]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public void Faster_paxos_commit(int n, int f)
    {
        var apart = Lockstep(Apart(n, f, true), n + 1 + (2 * f)).Commit(new NodeId(2), Nodes(2, n));
        Assert.Equal((n * ((2 * f) + 3)) - 1 + f, apart.Messages);
        Assert.Equal((n + f + 1, 4), (apart.Forced, apart.AppliedAfter));

        var options = CommitRooms.Acceptors((2 * f) + 1) with { IsFaster = true };
        var beside = Lockstep(CommitRooms.Paxos(options, PaxosCommitMutation.None), n).Commit(First, Nodes(1, n));
        Assert.Equal((n - 1) * ((2 * f) + 3), beside.Messages);
        Assert.Equal((n + f + 1, 3), (beside.Forced, beside.AppliedAfter));
    }

    /// <summary>
    /// A set that was joined goes along with what is sent anyway: to commit costs what it costs where the client names all branches.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void What_was_joined_costs_no_more_to_commit(int n)
    {
        Same(CommitRooms.TwoPhase(), n + 1, First, Nodes(2, n));
        Same(CommitRooms.TwoPhase(), n, First, Nodes(1, n));
        Same(CommitRooms.ThreePhase(), n + 1, First, Nodes(2, n));
        foreach (var (f, isFaster) in new[] { (0, false), (1, false), (2, false), (1, true) })
        {
            Same(Apart(n, f, isFaster), n + 1 + (2 * f), new NodeId(2), Nodes(2, n));
        }
    }

    /// <summary>The check under the table: N = 5, F = 1.</summary>
    [Fact]
    public void Fourteen_twenty_and_twenty_four()
    {
        Assert.Equal(14, Lockstep(Apart(5, 0, false), 6).Commit(new NodeId(2), Nodes(2, 5)).Messages);
        Assert.Equal(20, Lockstep(Apart(5, 1, false), 8).Commit(new NodeId(2), Nodes(2, 5)).Messages);
        Assert.Equal(24 + 1, Lockstep(Apart(5, 1, true), 8).Commit(new NodeId(2), Nodes(2, 5)).Messages);
    }

    /// <summary>Node 1 leads and accepts, the next N are managers, the last 2F accept.</summary>
    private static CommitRoom<PaxosCommit.Message, PaxosCommit.Record> Apart(int n, int f, bool faster) => CommitRooms.Paxos(
        new PaxosCommitOptions([First, .. Nodes(n + 2, 2 * f)]) { Leader = First, IsFaster = faster }, PaxosCommitMutation.None);

    private static void Same<TMessage, TRecord>(CommitRoom<TMessage, TRecord> room, int nodes, NodeId at, NodeSet members)
        where TMessage : class
        where TRecord : class
    {
        var (named, joined) = (Lockstep(room, nodes).Commit(at, members), Lockstep(room, nodes).CommitJoined(at, members));
        Assert.IsType<CommitResult.Committed>(joined.Answer);
        Assert.Equal(
            (named.Messages, named.Forced, named.AppliedAfter, named.AnsweredAfter), (joined.Messages, joined.Forced, joined.AppliedAfter, joined.AnsweredAfter));
    }

    private static NodeSet Nodes(int from, int count) =>
        NodeSet.Of([.. Enumerable.Range(from, count).Select(number => new NodeId(number))]);

    private static Lockstep<TMessage, TRecord> Lockstep<TMessage, TRecord>(CommitRoom<TMessage, TRecord> room, int nodes)
        where TMessage : class
        where TRecord : class => new(room, nodes);
}
