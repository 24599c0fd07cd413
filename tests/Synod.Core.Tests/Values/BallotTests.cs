using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Values;

public sealed class BallotTests
{
    private static readonly Gen<Ballot> Ballots =
        Gen.Select(Gen.Long[0, 4], Gen.Int[0, 4], (round, node) => new Ballot(round, new NodeId(node)));

    [Fact]
    public void Order_is_total_by_round_and_then_node() => Gen.Select(Ballots, Ballots).Sample((a, b) =>
    {
        Assert.Equal((a.Round, a.Node.Value).CompareTo((b.Round, b.Node.Value)), a.CompareTo(b));
        Assert.Equal(a == b, !(a < b) && !(a > b));
        Assert.Equal(a <= b, !(a > b));
        Assert.Equal(a >= b, !(a < b));
    });

    [Fact]
    public void The_next_ballot_of_a_node_is_its_own_and_higher() => Gen.Select(Ballots, Gen.Int[1, 4]).Sample((ballot, node) =>
    {
        var next = ballot.Next(new NodeId(node));
        Assert.True(next > ballot);
        Assert.Equal(new NodeId(node), next.Node);
    });

    [Fact]
    public void No_ballot_is_below_every_ballot_in_use() => Assert.True(Ballot.None < new Ballot(1, new NodeId(1)));
}
