using Synod.Core;

namespace Synod.Crdt.Tests.Causality;

/// <summary>Notes §3: what was seen, without a claim to more.</summary>
public sealed class CausalContextTests
{
    private static Dot A(ulong counter) => new(Replicas.A, counter);

    private static Dot B(ulong counter) => new(Replicas.B, counter);

    [Fact]
    public void A_gap_is_not_seen_until_it_is()
    {
        var context = CausalContext.Of(A(1), A(3), A(4));
        Assert.True(context.Contains(A(1)) && context.Contains(A(3)) && context.Contains(A(4)));
        Assert.False(context.Contains(A(2)));
        Assert.Equal(1UL, context.Prefix(Replicas.A));
        Assert.Equal(2, context.RangeCount);

        Assert.True(context.Add(A(2)));
        Assert.Equal(4UL, context.Prefix(Replicas.A));
        Assert.Equal(1, context.RangeCount);
        Assert.False(context.Add(A(2)));
    }

    [Fact]
    public void A_join_does_not_close_a_gap_that_neither_has_filled()
    {
        var context = CausalContext.Of(A(1), A(2));
        Assert.True(context.Join(CausalContext.Of(A(4), B(2))));
        Assert.False(context.Contains(A(3)));
        Assert.False(context.Contains(B(1)));
        Assert.Equal(2UL, context.Prefix(Replicas.A));
        Assert.Equal(0UL, context.Prefix(Replicas.B));
        Assert.Equal(4UL, context.DotCount);
        Assert.False(context.Join(CausalContext.Of(A(4))));
    }

    [Fact]
    public void A_million_dots_of_three_replicas_are_three_ranges_in_any_order()
    {
        var context = new CausalContext();
        foreach (var replica in new[] { Replicas.B, Replicas.A, Replicas.C })
        {
            for (var counter = 1UL; counter <= 1_000; counter++)
            {
                context.Add(new(replica, counter % 2 == 1 ? counter + 1 : counter - 1));
            }
        }

        Assert.Equal(3, context.RangeCount);
        Assert.Equal(3_000UL, context.DotCount);
        Assert.Equal([Replicas.A, Replicas.B, Replicas.C], context.Replicas);
    }

    [Fact]
    public void The_next_dot_is_above_everything_that_was_seen_of_the_replica()
    {
        Assert.Equal(A(1), new CausalContext().Next(Replicas.A));
        Assert.Equal(A(8), CausalContext.Of(A(1), A(7), B(20)).Next(Replicas.A));
    }

    /// <summary>All subsets of five dots of two replicas, against plain sets.</summary>
    [Fact]
    public void Unions_differences_and_order_are_those_of_sets()
    {
        Dot[] dots = [A(1), A(2), A(3), B(1), B(3)];
        var subsets = Enumerable.Range(0, 1 << dots.Length)
            .Select(bits => dots.Where((_, index) => (bits >> index & 1) != 0).ToHashSet()).ToList();
        foreach (var left in subsets)
        {
            foreach (var right in subsets)
            {
                var (x, y) = (CausalContext.Of(left), CausalContext.Of(right));
                Assert.Equal(left.IsSubsetOf(right), x.LessOrEqual(y));
                Assert.Equal(left.SetEquals(right), x.Equals(y));
                AssertSame(left.Except(right), x.Minus(y));
                AssertSame(left.Intersect(right), x.Intersect(y));
                var union = x.Copy();
                Assert.Equal(!right.IsSubsetOf(left), union.Join(y));
                AssertSame(left.Union(right), union);
                AssertSame(left, x);
            }
        }
    }

    [Fact]
    public void Prefixes_are_what_was_seen_without_a_gap() =>
        AssertSame([A(1), A(2)], CausalContext.Of(A(1), A(2), A(5), B(2)).Prefixes());

    [Fact]
    public void An_identity_is_drawn_from_the_hosts_choices()
    {
        var first = ReplicaId.Draw(new NodeId(3), new Choices(1, 2, 3, 4));
        Assert.Equal(new ReplicaId(new NodeId(3), 0x0001_0002_0003_0004), first);
        Assert.NotEqual(first, ReplicaId.Draw(new NodeId(3), new Choices(1, 2, 3, 5)));
    }

    private static void AssertSame(IEnumerable<Dot> expected, CausalContext actual)
    {
        Assert.Equal(expected.Order(), actual.Dots());
        Assert.True(actual.Equals(CausalContext.Of(expected)));
        var (left, right) = (new CodecWriter(), new CodecWriter());
        actual.Write(left);
        CausalContext.Of(expected).Write(right);
        Assert.Equal(left.ToArray(), right.ToArray());
    }

    private sealed class Choices(params int[] made) : StepContext
    {
        private int _next;

        public override int Choose(int count) => made[_next++];
    }
}
