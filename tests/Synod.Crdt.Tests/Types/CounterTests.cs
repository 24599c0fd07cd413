namespace Synod.Crdt.Tests.Types;

using static Replicas;

/// <summary>Notes §4.1 and §7.</summary>
public sealed class CounterTests
{
    [Fact]
    public void Three_replicas_with_repeated_and_reordered_deltas_come_to_the_exact_sum()
    {
        var (a, b, c) = (new PnCounter(), new PnCounter(), new PnCounter());
        PnCounter[] deltas = [a.Add(A, 10), a.Add(A, -3), b.Add(B, -20), b.Add(B, 5), c.Add(C, 7)];
        Assert.Equal(7, a.Value);
        var all = new PnCounter();
        foreach (var index in new[] { 4, 3, 2, 1, 0, 3, 1, 4, 2 })
        {
            all.Join(deltas[index]);
        }

        Assert.Equal(-1, all.Value);
        AssertEqual(all, a.Joined(b).Joined(c));
    }

    [Fact]
    public void A_grow_only_counter_never_falls()
    {
        var counter = new GCounter();
        UInt128 last = 0;
        foreach (var (replica, amount) in new[] { (A, 3UL), (B, 0UL), (A, 1UL), (C, 9UL) })
        {
            counter.Increment(replica, amount);
            Assert.Equal(last + amount, counter.Value);
            last = counter.Value;
        }

        Assert.Equal(4UL, counter[A]);
        Assert.Equal(0UL, counter[B]);
    }

    [Fact]
    public void An_overflow_is_an_error_and_changes_nothing()
    {
        var counter = new GCounter();
        counter.Increment(A, Dot.MaxCounter);
        Assert.Throws<OverflowException>(() => counter.Increment(A));
        Assert.Throws<OverflowException>(() => counter.Increment(A, ulong.MaxValue));
        Assert.Equal(Dot.MaxCounter, counter[A]);
        Assert.Throws<OverflowException>(() => new PnCounter().Add(A, long.MinValue));

        // The sum of all replicas does not overflow.
        counter.Increment(B, Dot.MaxCounter);
        counter.Increment(C, Dot.MaxCounter);
        Assert.Equal((UInt128)Dot.MaxCounter * 3, counter.Value);
    }

    [Fact]
    public void Counters_of_many_replicas_join_whatever_replicas_they_share()
    {
        foreach (var (left, right) in new[] { (100, 100), (100, 3), (3, 100), (64, 80), (1, 1), (0, 5), (5, 0) })
        {
            foreach (var shift in new[] { 0, 1, 50 })
            {
                var (x, y) = (Many(left, 0), Many(right, shift));
                var expected = Enumerable.Range(0, 200).Sum(number => (long)Math.Max(x[Replica(number)], y[Replica(number)]));
                var joined = x.Joined(y);
                Assert.Equal(expected, (long)joined.Value);
                Assert.True(x.LessOrEqual(joined) && y.LessOrEqual(joined));
                AssertEqual(joined, y.Joined(x));
                Assert.False(joined.Join(y));
                AssertEqual(joined, Sent(joined));
            }
        }

        static GCounter Many(int count, int shift) => GCounter.Of(Enumerable.Range(shift, count)
            .Select(number => KeyValuePair.Create(Replica(number), (ulong)(number * 7919 % 100 + shift + 1))));

        static ReplicaId Replica(int number) => new(new(number % 10 + 1), (ulong)number * 0x1234567);
    }

    [Fact]
    public void Counters_that_share_their_replicas_do_not_share_their_counts()
    {
        var a = new GCounter();
        a.Increment(A);
        var b = a.Copy();
        Assert.False(b.Join(a));
        b.Increment(A);
        Assert.Equal(1UL, a[A]);
        b.Increment(B);
        Assert.Equal(1, a.Replicas);
    }

    [Fact]
    public void A_reset_takes_back_what_it_has_seen_and_leaves_what_it_has_not()
    {
        var (a, b) = (new ResettableCounter(), new ResettableCounter());
        a.Add(A, 100);
        b.Join(a);
        var concurrent = a.Add(A, 1);
        b.Reset();
        Assert.Equal(1, b.Joined(concurrent).Value);
        Assert.Equal(1, a.Joined(b).Value);
        Assert.Equal(0, b.Value);
    }

    [Fact]
    public void Folding_keeps_the_value_in_one_part_for_each_replica()
    {
        var counter = new ResettableCounter();
        for (var number = 0; number < 50; number++)
        {
            counter.Add(A, 2);
            counter.Add(B, -1);
        }

        counter.Fold(A);
        Assert.Equal((50, 51), (counter.Value, counter.Parts));
        counter.Fold(B);
        Assert.Equal((50, 2), (counter.Value, counter.Parts));
        Assert.True(counter.Fold(B).IsBottom);

        // The price, as documented: a reset that has not seen the fold does not undo it.
        var other = counter.Copy();
        counter.Add(A, 1);
        counter.Fold(A);
        other.Reset();
        Assert.Equal(101, counter.Joined(other).Value);
    }

    [Fact]
    public void A_bounded_counter_takes_only_what_the_replica_has_a_right_to()
    {
        var (a, b) = (new BoundedCounter(), new BoundedCounter());
        a.Increment(A, 10);
        b.Join(a);
        Assert.Equal(10, b.Value);
        Assert.False(b.TryDecrement(B, 1, out var nothing));
        Assert.True(nothing.IsBottom);

        Assert.False(a.TryTransfer(A, B, 11, out _));
        Assert.False(a.TryTransfer(A, A, 1, out _));
        Assert.True(a.TryTransfer(A, B, 4, out var given));
        b.Join(given);
        Assert.Equal((6, 4), (a.RightsOf(A), b.RightsOf(B)));
        Assert.True(b.TryDecrement(B, 4, out _));
        Assert.False(b.TryDecrement(B, 1, out _));
        Assert.False(a.TryDecrement(A, 7, out _));
        Assert.True(a.TryDecrement(A, 6, out _));
        Assert.Equal(0, a.Joined(b).Value);
    }

    [Fact]
    public void A_bounded_counter_never_falls_below_zero_whatever_everybody_tries()
    {
        ReplicaId[] names = [A, B, C];
        var states = names.Select(_ => new BoundedCounter()).ToArray();
        var draw = 12345UL;
        var taken = 0;
        for (var step = 0; step < 5_000; step++)
        {
            draw = draw * 6364136223846793005 + 1442695040888963407;
            var (who, other, amount) = ((int)(draw >> 33) % 3, (int)(draw >> 40) % 3, (draw >> 50) % 5);
            switch ((draw >> 60) % 4)
            {
                case 0:
                    states[who].Increment(names[who], amount);
                    break;
                case 1:
                    taken += states[who].TryDecrement(names[who], amount + 1, out _) ? 1 : 0;
                    break;
                case 2:
                    states[who].TryTransfer(names[who], names[other], amount, out _);
                    break;
                default:
                    states[who].Join(states[other]);
                    break;
            }

            var all = states[0].Joined(states[1]).Joined(states[2]);
            Assert.True(all.Value >= 0);
            Assert.All(states, state => Assert.True(state.Value >= 0));
        }

        Assert.True(taken > 300);
    }

    [Fact]
    public void Rights_of_a_removed_replica_are_handed_on_once()
    {
        var a = new BoundedCounter();
        a.Increment(C, 8);
        a.TryDecrement(C, 3, out _);
        a.Inherit(C, A);
        Assert.Equal((0, 5), (a.RightsOf(C), a.RightsOf(A)));
        Assert.True(a.Inherit(C, A).IsBottom);
        Assert.True(a.TryDecrement(A, 5, out _));
        Assert.Equal(0, a.Value);
    }
}
