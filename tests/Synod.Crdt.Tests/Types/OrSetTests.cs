namespace Synod.Crdt.Tests.Types;

using static Replicas;

/// <summary>Notes §4.3 and §9: what happens to elements, and what it costs.</summary>
public sealed class OrSetTests
{
    private static OrSet<string> Set() => new(Wires.Text);

    [Fact]
    public void An_add_wins_over_a_removal_that_has_not_seen_it_in_any_order()
    {
        var (a, b) = (Set(), Set());
        b.Join(a.Add(A, "apple"));
        var removal = b.Remove("apple");
        var again = a.Add(A, "apple");
        var (first, second) = (a.Joined(removal), b.Joined(again));
        Assert.True(first.Contains("apple"));
        AssertEqual(first, second);
        Assert.True(Set().Joined(removal).Joined(again).Contains("apple"));
        Assert.True(Set().Joined(again).Joined(removal).Contains("apple"));
    }

    [Fact]
    public void What_was_removed_does_not_come_back_with_an_old_state()
    {
        var (a, b) = (Set(), Set());
        a.Add(A, "apple");
        var old = a.Copy();
        b.Join(a);
        b.Remove("apple");
        Assert.False(b.Join(old));
        Assert.False(b.Contains("apple"));
        a.Join(b);
        Assert.False(a.Contains("apple"));
        AssertEqual(a, b);
    }

    [Fact]
    public void An_old_delta_of_an_add_does_nothing_after_the_removal()
    {
        var (a, b) = (Set(), Set());
        var add = a.Add(A, "apple");
        b.Join(add);
        b.Remove("apple");
        Assert.False(b.Join(add));
        Assert.False(b.Contains("apple"));
    }

    [Fact]
    public void A_removal_may_come_before_the_add_that_it_has_seen()
    {
        var (a, b, c) = (Set(), Set(), Set());
        var add = a.Add(A, "apple");
        b.Join(add);
        var removal = b.Remove("apple");
        c.Join(removal);
        Assert.False(c.Join(add));
        Assert.False(c.Contains("apple"));
        AssertEqual(b, c);
    }

    [Fact]
    public void To_remove_what_was_never_seen_does_nothing()
    {
        var (a, b) = (Set(), Set());
        a.Add(A, "apple");
        var removal = b.Remove("apple");
        Assert.True(removal.IsBottom);
        Assert.False(a.Join(removal));
        Assert.True(a.Contains("apple"));
    }

    [Fact]
    public void To_clear_removes_what_was_seen()
    {
        var (a, b) = (Set(), Set());
        a.Add(A, "apple");
        a.Add(A, "pear");
        b.Join(a);
        var plum = a.Add(A, "plum");
        b.Clear();
        a.Join(b);
        Assert.Equal(["plum"], a.Elements);
        b.Join(plum);
        AssertEqual(a, b);
    }

    [Fact]
    public void To_add_again_replaces_the_dot_and_does_not_pile_up()
    {
        var set = Set();
        var first = StateCodec.Encode(set.Add(A, "apple")).Length;
        for (var time = 0; time < 100; time++)
        {
            set.Add(A, "apple");
        }

        Assert.InRange(StateCodec.Encode(set).Length, 1, first + 4);
        Assert.Equal(101UL, set.Context.DotCount);
        Assert.Equal(1, set.Context.RangeCount);
    }

    [Fact]
    public void Nothing_is_left_of_what_was_removed_but_a_number_for_each_replica()
    {
        var set = Set();
        for (var number = 0; number < 10_000; number++)
        {
            set.Add(number % 2 == 0 ? A : B, $"element {number}");
            set.Remove($"element {number}");
        }

        Assert.Equal(0, set.Count);
        Assert.InRange(StateCodec.Encode(set).Length, 1, 40);
    }

    [Fact]
    public void Concurrent_adds_of_one_element_are_removed_together_by_whoever_has_seen_both()
    {
        var (a, b) = (Set(), Set());
        a.Add(A, "apple");
        b.Add(B, "apple");
        a.Join(b);
        AssertEqual(a, Sent(a));
        var removal = a.Remove("apple");
        b.Join(removal);
        Assert.False(b.Contains("apple"));
        AssertEqual(a, b);
    }

    /// <summary>Notes §2: an identity that lost what it had sent uses dots twice, and nobody sees the second use.</summary>
    [Fact]
    public void A_restored_replica_needs_a_new_identity()
    {
        var (a, b) = (Set(), Set());
        var backup = a.Copy();
        b.Join(a.Add(A, "lost with the disk"));

        var reused = backup.Copy();
        b.Copy().Join(reused.Add(A, "new"));
        Assert.False(b.Joined(reused).Contains("new"));

        var renewed = backup.Copy();
        renewed.Add(A with { Incarnation = A.Incarnation + 1 }, "new");
        Assert.True(b.Joined(renewed).Contains("new"));
        Assert.True(b.Joined(renewed).Contains("lost with the disk"));
    }

    [Fact]
    public void A_million_elements_take_an_add_for_a_few_hundred_bytes_and_send_tens()
    {
        const int Count = 1_000_000;
        var set = new OrSet<long>(Wires.Int64);
        for (var number = 0L; number < Count; number++)
        {
            set.Add(A, number);
        }

        var other = set.Copy();
        other.Remove(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var number = 0; number < 1_000; number++)
        {
            set.Add(B, number * 31 % Count);
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1_000, 1, 4_000);
        var delta = set.Add(B, Count);
        Assert.InRange(StateCodec.Encode(delta).Length, 1, 60);
        Assert.True(other.Join(delta));
        Assert.True(other.Contains(Count));

        // What a replica gets twice, or somebody has, is found out by looking at the delta and not at the set.
        before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(other.Join(delta));
        Assert.True(delta.Minus(other).IsBottom);
        Assert.True(delta.LessOrEqual(other));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 20_000);
    }

    [Fact]
    public void Who_tells_what_he_has_seen_gets_what_he_lacks()
    {
        var (a, b) = (Set(), Set());
        for (var number = 0; number < 100; number++)
        {
            a.Add(A, $"element {number}");
        }

        b.Join(a);
        a.Add(A, "new");
        a.Remove("element 7");
        b.Add(B, "other");
        var answer = a.MissingTo(b.Context);
        Assert.Equal(["new"], answer.Elements);
        b.Join(answer);
        Assert.False(b.Contains("element 7"));
        Assert.True(b.Contains("other"));
        AssertEqual(a.Joined(b), b);
    }

    [Fact]
    public void Large_states_that_differ_in_little_join_the_same_either_way()
    {
        var (a, b) = (new OrSet<long>(Wires.Int64), new OrSet<long>(Wires.Int64));
        for (var number = 0; number < 500; number++)
        {
            a.Add(A, number);
        }

        b.Join(a);
        for (var number = 0; number < 500; number++)
        {
            _ = number % 7 == 0 ? a.Remove(number) : number % 11 == 0 ? b.Remove(number) : number % 13 == 0 ? b.Add(B, number) : a;
        }

        a.Add(A, 1_000);
        var expected = Enumerable.Range(0, 500).Where(number => number % 7 != 0 && number % 11 != 0).Select(number => (long)number).Append(1_000);
        AssertEqual(a.Joined(b), b.Joined(a));
        Assert.Equal(expected.Order(), a.Joined(b).Elements.Order());

        // A difference that is told apart has the same effect, and is small.
        AssertEqual(a.Joined(b), a.Joined(b.Minus(a)));
        Assert.InRange(StateCodec.Encode(b.Minus(a)).Length, 1, StateCodec.Encode(b).Length / 2);
    }

    /// <summary>Whole states are joined by walking both, and their parts by looking each up: with the same outcome, whatever happened before.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(30_000)]
    public void A_state_joins_as_its_parts_do(int removedBefore)
    {
        var random = new Random(7);
        ReplicaId[] names = [A, B, C];
        var sets = names.Select(_ => new OrSet<long>(Wires.Int64)).ToArray();
        for (var number = 0; number < removedBefore; number++)
        {
            sets[0].Add(A, -1);
            sets[0].Remove(-1);
        }

        var changes = 0;
        for (var step = 0; step < 6_000; step++)
        {
            var (who, element) = (random.Next(3), (long)random.Next(300));
            if (random.Next(3) == 0)
            {
                sets[who].Remove(element);
            }
            else
            {
                sets[who].Add(names[who], element);
            }

            if (step % 100 == 0)
            {
                var (mine, theirs) = (sets[who], sets[(who + 1) % 3]);
                var byParts = mine.Copy();
                var changed = false;
                foreach (var part in theirs.Decompose())
                {
                    changed |= byParts.Join(part);
                }

                Assert.Equal(changed, mine.Join(theirs));
                Assert.False(mine.Join(theirs));
                AssertEqual(byParts, mine);
                changes += changed ? 1 : 0;
            }
        }

        Assert.InRange(changes, 50, 60);
        Assert.InRange(sets[0].Count, 65, 300);
    }
}
