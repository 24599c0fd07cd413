using System.Text;

namespace Synod.Crdt.Tests.Causality;

using static Replicas;

/// <summary>Notes §6: what everybody has seen can go, the dead do not hold it up, and nothing comes back.</summary>
public sealed class StabilityTests
{
    [Fact]
    public void A_tombstone_goes_when_every_replica_has_said_that_it_has_seen_the_deletion()
    {
        var (a, b) = (Replica.Make(A, A, B), Replica.Make(B, A, B));
        a.Text.Insert(A, 0, "abc");
        b.Hear(a);
        a.Hear(b);
        a.Text.Delete(A, 2);

        // The element is known to be everywhere, and its deletion is not.
        Assert.Equal(0, a.Compact());
        b.Hear(a);
        Assert.Equal(0, a.Compact());
        a.Hear(b);
        Assert.Equal((1, 0), (a.Compact(), a.Text.Tombstones));

        // And elsewhere as the compaction arrives, though B has not come to the same by itself.
        b.Text.Join(a.Text);
        Assert.Equal(0, b.Text.Tombstones);
        AssertEqual(a.Text, b.Text);
        Assert.Equal("ab", $"{b.Text}");
    }

    [Fact]
    public void What_stands_beside_a_tombstone_keeps_it()
    {
        var (a, b) = (Replica.Make(A, A, B), Replica.Make(B, A, B));
        a.Text.Insert(A, 0, "abc");
        b.Hear(a);
        a.Text.Delete(A, 1);

        // B has not seen the deletion, and types beside what it deletes.
        b.Text.Insert(B, 2, "X");
        a.Hear(b);
        b.Hear(a);
        a.Hear(b);
        b.Hear(a);
        Assert.Equal("aXc", $"{a.Text}");
        Assert.Equal(0, a.Compact());
        Assert.Equal(1, a.Text.Tombstones);

        // Once all that is deleted too, it goes together.
        a.Text.Delete(A, 1, 2);
        b.Hear(a);
        a.Hear(b);
        Assert.Equal(3, a.Compact());
        Assert.Equal("a", $"{a.Text}");
        b.Text.Join(a.Text);
        AssertEqual(a.Text, b.Text);
    }

    [Fact]
    public void What_a_replica_says_it_has_seen_counts_once_we_have_seen_it_too()
    {
        var (a, b) = (Replica.Make(A, A, B), Replica.Make(B, A, B));
        a.Text.Insert(A, 0, "abc");
        b.Hear(a);
        b.Text.Insert(B, 3, "d");
        Assert.False(a.Stability.Observe(B, b.Text.Context, a.Text.Context));
        Assert.True(a.Stability.Stable(a.Text.Context).IsEmpty);
        a.Text.Join(b.Text);
        Assert.True(a.Stability.Observe(B, b.Text.Context, a.Text.Context));
        Assert.Equal(4UL, a.Stability.Stable(a.Text.Context).DotCount);
    }

    [Fact]
    public void A_dead_replica_holds_everything_up_until_it_is_removed()
    {
        var (a, b, dead) = (Replica.Make(A, A, B, C), Replica.Make(B, A, B, C), Replica.Make(C, A, B, C));
        a.Text.Insert(A, 0, "abc");
        b.Hear(a);
        dead.Hear(a);
        a.Hear(dead);
        a.Text.Delete(A, 2);
        b.Hear(a);
        a.Hear(b);
        Assert.Equal(0, a.Compact());

        // What was told in the old epoch does not count: B may still have heard the dead one since.
        Assert.True(a.Stability.Advance(2, A, B));
        Assert.False(a.Stability.Advance(2, A));
        Assert.Equal(0, a.Compact());
        Assert.Equal(Admission.Ahead, b.Stability.Admit(A, a.Stability.Epoch));
        Assert.Equal(Admission.Stale, a.Stability.Admit(B, b.Stability.Epoch));
        b.Stability.Advance(2, A, B);
        a.Hear(b);
        Assert.Equal(1, a.Compact());
    }

    /// <summary>The reason for the fence: the dead one still has what everybody else has forgotten.</summary>
    [Fact]
    public void A_removed_replica_is_refused_and_comes_back_as_another()
    {
        var (a, b, stale) = (Replica.Make(A, A, B, C), Replica.Make(B, A, B, C), Replica.Make(C, A, B, C));
        a.Text.Insert(A, 0, "abc");
        stale.Hear(a);
        stale.Text.Insert(C, 3, "lost");
        b.Hear(a);
        foreach (var survivor in new[] { a, b })
        {
            survivor.Stability.Advance(2, A, B);
        }

        a.Text.Delete(A, 2);
        b.Hear(a);
        a.Hear(b);
        Assert.Equal(1, a.Compact());

        // Without the fence its text would wait, unseen for ever, for a neighbour that is gone.
        Assert.Equal(4, a.Text.Joined(stale.Text).Waiting);
        Assert.Equal(Admission.Removed, a.Stability.Admit(C, stale.Stability.Epoch));
        Assert.Equal(Admission.Removed, a.Hear(stale));
        Assert.Equal(Admission.Ahead, stale.Hear(a));

        // It gives up its state and its name.
        var reborn = C with { Incarnation = C.Incarnation + 1 };
        foreach (var survivor in new[] { a, b })
        {
            survivor.Stability.Advance(3, A, B, reborn);
        }

        var fresh = new Replica(reborn, new CausalStability(reborn, 3, A, B, reborn));
        Assert.Equal(Admission.Accepted, fresh.Hear(a));
        fresh.Text.Insert(reborn, 0, ">");
        Assert.Equal(Admission.Accepted, a.Hear(fresh));
        Assert.Equal(">ab", $"{a.Text}");
        Assert.Equal(0, a.Text.Waiting);
    }

    [Fact]
    public void A_removal_that_wins_is_remembered_until_it_is_stable()
    {
        var (a, b) = (new RemoveWinsSet<string>(Wires.Text), new RemoveWinsSet<string>(Wires.Text));
        var (stability, other) = (new CausalStability(A, 1, A, B), b.Copy());
        a.Add(A, "apple");
        b.Join(a);
        a.Remove(A, "apple");
        var concurrent = b.Add(B, "apple");
        Assert.True(a.Compact(stability.Stable(a.Context)).IsBottom);
        a.Join(concurrent);
        Assert.False(a.Contains("apple"));
        b.Join(a);
        Assert.True(stability.Observe(B, b.Context, a.Context));
        var compaction = a.Compact(stability.Stable(a.Context));
        Assert.Equal(0, a.Tombstones);
        Assert.False(a.Contains("apple"));
        b.Join(compaction);
        AssertEqual(a, b);
        b.Add(B, "apple");
        Assert.True(a.Joined(b).Contains("apple"));
        Assert.True(other.IsBottom);
    }

    /// <summary>Random editing with compaction whenever something is stable: all agree, and in the end no tombstone is left.</summary>
    [Fact]
    public void Compaction_at_any_time_loses_nothing_and_confuses_nobody()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            ReplicaId[] names = [A, B, C];
            var replicas = names.Select(name => Replica.Make(name, names)).ToArray();
            var plain = names.Select(_ => new Sequence<Rune>(Wires.Rune)).ToArray();
            var compacted = 0;
            for (var step = 0; step < 300; step++)
            {
                var (who, other) = (random.Next(3), random.Next(3));
                var (mine, twin) = (replicas[who], plain[who]);
                switch (random.Next(6))
                {
                    case 0 or 1:
                        var at = random.Next(mine.Text.Count + 1);
                        twin.Join(mine.Text.Insert(mine.Name, at, "x"));
                        break;
                    case 2 when mine.Text.Count > 0:
                        twin.Join(mine.Text.Delete(mine.Name, random.Next(mine.Text.Count)));
                        break;
                    case 3:
                        compacted += mine.Compact();
                        break;
                    default:
                        mine.Hear(replicas[other]);
                        twin.Join(plain[other]);
                        break;
                }

                // The same, without compaction: nobody sees a difference.
                Assert.Equal($"{twin}", $"{mine.Text}");
                Assert.Equal(twin.Values.Count(), mine.Text.Count);
                Assert.Equal(Enumerable.Range(0, twin.Count).Select(twin.IdAt), Enumerable.Range(0, twin.Count).Select(mine.Text.IdAt));
                Assert.Equal(0, mine.Text.Waiting);
            }

            Assert.True(compacted > 0);
            for (var round = 0; round < 6; round++)
            {
                foreach (var replica in replicas)
                {
                    Array.ForEach(replicas, other => replica.Hear(other));
                    replica.Compact();
                }
            }

            AssertEqual(replicas[0].Text, replicas[1].Text);
            AssertEqual(replicas[0].Text, replicas[2].Text);
        }
    }

    private sealed class Replica(ReplicaId name, CausalStability stability)
    {
        public ReplicaId Name => name;

        public CausalStability Stability => stability;

        public Sequence<Rune> Text { get; } = new(Wires.Rune);

        public static Replica Make(ReplicaId name, params ReplicaId[] members) => new(name, new CausalStability(name, 1, members));

        /// <summary>Takes in another one's whole state, if it may.</summary>
        public Admission Hear(Replica other)
        {
            var admission = stability.Admit(other.Name, other.Stability.Epoch);
            if (admission == Admission.Accepted)
            {
                Text.Join(other.Text);
                Assert.True(other == this || stability.Observe(other.Name, other.Text.Context, Text.Context));
            }

            return admission;
        }

        /// <summary>Drops what is stable; how many tombstones went.</summary>
        public int Compact()
        {
            var before = Text.Tombstones;
            Text.Compact(stability.Stable(Text.Context));
            return before - Text.Tombstones;
        }
    }
}
