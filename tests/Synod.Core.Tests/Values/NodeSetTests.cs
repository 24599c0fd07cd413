using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Values;

public sealed class NodeSetTests
{
    private static readonly Gen<int[]> Members = Gen.Int[0, NodeSet.Capacity - 1].Array[0, 20];

    [Fact]
    public void It_is_a_set() => Gen.Select(Members, Members, Gen.Int[0, NodeSet.Capacity - 1]).Sample((left, right, probe) =>
    {
        var (a, b) = (Of(left), Of(right));
        Same(left, a);
        Same(left.Union(right), a.Union(b));
        Same(left.Intersect(right), a.Intersect(b));
        Same(left.Except(right), a.Except(b));
        Same(left.Append(probe), a.With(new NodeId(probe)));
        Same(left.Where(item => item != probe), a.Without(new NodeId(probe)));
        Assert.Equal(left.Contains(probe), a.Contains(new NodeId(probe)));
        Assert.Equal(left.Intersect(right).Any(), a.Overlaps(b));
        Assert.Equal(!left.Except(right).Any(), a.IsSubsetOf(b));
        Assert.Equal(a, NodeSet.FromBits(a.Bits));
        Assert.Equal(left.Length == 0, a.IsEmpty);
    });

    [Fact]
    public void A_vote_counts_once() => Assert.Equal(1, NodeSet.Of(new NodeId(3), new NodeId(3)).Count);

    [Theory]
    [InlineData(-1)]
    [InlineData(NodeSet.Capacity)]
    public void An_id_that_does_not_fit_is_refused_and_never_contained(int id)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => NodeSet.Empty.With(new NodeId(id)));
        Assert.False(NodeSet.FromBits(UInt128.MaxValue).Contains(new NodeId(id)));
        Assert.Equal(NodeSet.Empty, NodeSet.Empty.Without(new NodeId(id)));
    }

    [Fact]
    public void It_is_written_in_ascending_order() => Assert.Equal("{n1,n5,n127}", Of([127, 5, 1]).ToString());

    private static NodeSet Of(int[] ids) => NodeSet.Of([.. ids.Select(id => new NodeId(id))]);

    private static void Same(IEnumerable<int> expected, NodeSet actual)
    {
        int[] sorted = [.. expected.Distinct().Order()];
        Assert.Equal(sorted, actual.Select(node => node.Value));
        Assert.Equal(sorted.Length, actual.Count);
    }
}
