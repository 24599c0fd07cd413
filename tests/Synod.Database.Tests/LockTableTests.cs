using CsCheck;
using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Tests;

/// <summary>Wound-wait two-phase locking (spanner.md §4.1).</summary>
public sealed class LockTableTests
{
    private readonly LockTable _table = new();

    [Fact]
    public void Readers_share_and_a_younger_writer_waits()
    {
        var (a, b, c) = (new Owner(1), new Owner(2), new Owner(3));
        Assert.True(Ask(a, LockMode.Shared, "k").Granted);
        Assert.True(Ask(b, LockMode.Shared, "k").Granted);
        var asked = Ask(c, LockMode.Exclusive, "k");
        Assert.False(asked.Granted);
        Assert.Empty(asked.Wounded);
    }

    [Fact]
    public void An_older_request_wounds_a_younger_holder_and_gets_the_lock_when_it_is_released()
    {
        var (old, young) = (new Owner(1), new Owner(2));
        Assert.True(Ask(young, LockMode.Exclusive, "k").Granted);
        var asked = Ask(old, LockMode.Exclusive, "k");
        Assert.False(asked.Granted);
        Assert.Equal([young], asked.Wounded);
        Assert.Equal([old], Release(young));
    }

    [Fact]
    public void A_prepared_holder_is_never_wounded()
    {
        var (old, young) = (new Owner(1), new Owner(2));
        Assert.True(Ask(young, LockMode.Exclusive, "k").Granted);
        young.IsWoundable = false;
        var asked = Ask(old, LockMode.Exclusive, "k");
        Assert.False(asked.Granted);
        Assert.Empty(asked.Wounded);
    }

    [Fact]
    public void Of_two_that_upgrade_the_older_wounds_the_younger()
    {
        var (old, young) = (new Owner(1), new Owner(2));
        Assert.True(Ask(old, LockMode.Shared, "k").Granted);
        Assert.True(Ask(young, LockMode.Shared, "k").Granted);
        Assert.False(Ask(young, LockMode.Exclusive, "k").Granted);
        var asked = Ask(old, LockMode.Exclusive, "k");
        Assert.Equal([young], asked.Wounded);
        Assert.Equal([old], Release(young));
    }

    [Fact]
    public void A_younger_request_does_not_pass_an_older_waiter_even_where_the_holders_would_let_it()
    {
        var (holder, writer, reader) = (new Owner(1), new Owner(2), new Owner(3));
        Assert.True(Ask(holder, LockMode.Shared, "k").Granted);
        Assert.False(Ask(writer, LockMode.Exclusive, "k").Granted);
        Assert.False(Ask(reader, LockMode.Shared, "k").Granted);
        Assert.Equal([writer], Release(holder));
        Assert.Equal([reader], Release(writer));
    }

    [Fact]
    public void An_older_request_passes_a_younger_waiter_or_the_queue_would_hide_an_edge_from_older_to_younger()
    {
        var (holder, old, young) = (new Owner(1), new Owner(2), new Owner(3));
        Assert.True(Ask(holder, LockMode.Exclusive, "k").Granted);
        Assert.False(Ask(young, LockMode.Exclusive, "k").Granted);
        Assert.False(Ask(old, LockMode.Exclusive, "k").Granted);
        Assert.Equal([old], Release(holder));
    }

    [Fact]
    public void A_span_lock_keeps_out_a_key_that_does_not_exist_yet()
    {
        var (reader, writer) = (new Owner(1), new Owner(2));
        Assert.True(_table.Acquire(reader, LockMode.Shared, [new KeySpan(Key.Of("a"), Key.Of("m"))], reader, []));
        Assert.False(Ask(writer, LockMode.Exclusive, "b").Granted);
        Assert.True(Ask(writer, LockMode.Exclusive, "m").Granted);
    }

    [Fact]
    public void A_span_read_waits_for_a_writer_inside_it()
    {
        var (writer, reader) = (new Owner(1), new Owner(2));
        Assert.True(Ask(writer, LockMode.Exclusive, "b").Granted);
        Assert.False(_table.Acquire(reader, LockMode.Shared, [new KeySpan(Key.Of("a"), Key.Empty)], reader, []));
        Assert.Equal([reader], Release(writer));
    }

    /// <summary>To look at every pair of them would take hours, on the one loop that the whole node has.</summary>
    [Fact]
    public void One_that_writes_very_many_keys_costs_no_more_for_each_of_them()
    {
        const int Count = 300_000;
        var (holder, first, second, third) = (new Owner(1), new Owner(2), new Owner(3), new Owner(4));
        Assert.True(Ask(holder, LockMode.Exclusive, "0").Granted);
        Assert.False(_table.Acquire(first, LockMode.Exclusive, [.. Keys("a"), KeySpan.Only(Key.Of("0"))], first, []));
        Assert.True(_table.Acquire(second, LockMode.Exclusive, Keys("b"), second, []));
        Assert.False(_table.Acquire(third, LockMode.Exclusive, [KeySpan.Only(Key.Of("a0000007")), .. Keys("c")], third, []));
        Assert.Equal(1 + Count, _table.Count);
        Assert.Empty(Release(second));
        Assert.Equal([first], Release(holder));
        Assert.Equal([third], Release(first));

        static KeySpan[] Keys(string prefix) => [.. Enumerable.Range(0, Count).Select(key => KeySpan.Only(Key.Of($"{prefix}{key:d7}")))];
    }

    [Fact]
    public void Whatever_is_asked_writers_are_alone_nobody_older_waits_for_a_younger_and_everyone_gets_through()
    {
        var step = Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Bool, Gen.Int[0, 9]);
        step.Array[1, 60].Sample(steps =>
        {
            var world = new World();
            foreach (var (owner, key, exclusive, choice) in steps)
            {
                world.Step(owner, key, exclusive, choice);
            }

            world.Drain();
        });
    }

    private (bool Granted, List<ILockOwner> Wounded) Ask(Owner owner, LockMode mode, string key)
    {
        var wounded = new List<ILockOwner>();
        return (_table.Acquire(owner, mode, [KeySpan.Only(Key.Of(key))], owner, wounded), wounded);
    }

    private List<object> Release(Owner owner)
    {
        var granted = new List<object>();
        _table.Release(owner.Id, granted, []);
        return granted;
    }

    private sealed class Owner(int age) : ILockOwner
    {
        public TransactionId Id { get; } = new((ulong)age, 1);

        public Age Age { get; } = new(age, 0);

        public bool IsWoundable { get; set; } = true;

        public override string ToString() => $"T{Age.Start}";
    }

    /// <summary>A table and a model of who must be alone.</summary>
    private sealed class World
    {
        private readonly LockTable _table = new();
        private readonly Dictionary<Owner, List<(int Key, bool Exclusive)>> _held = [];
        private readonly List<(Owner Owner, int Key, bool Exclusive)> _waiting = [];
        private readonly Owner?[] _owners = new Owner?[6];
        private int _age;

        public void Step(int index, int key, bool exclusive, int choice)
        {
            // One that waits or is prepared does nothing more but end.
            if (_owners[index] is { } running
                && (choice == 0 || !running.IsWoundable || _waiting.Any(wait => wait.Owner == running)))
            {
                if (choice == 0)
                {
                    End(running);
                }

                return;
            }

            var owner = _owners[index] ??= new Owner(++_age);
            _held.TryAdd(owner, []);
            owner.IsWoundable = choice != 1;
            if (!owner.IsWoundable)
            {
                return;
            }

            var wounded = new List<ILockOwner>();
            _waiting.Add((owner, key, exclusive));
            if (_table.Acquire(owner, exclusive ? LockMode.Exclusive : LockMode.Shared, [KeySpan.Only(Key.Of($"{key}"))], owner, wounded))
            {
                Granted(owner);
            }

            WoundAll(wounded);
            _table.CheckInvariants();
        }

        public void Drain()
        {
            while (_held.Count > 0)
            {
                // Whoever waits for nothing can end; if nobody could, there would be a deadlock.
                var next = _held.Keys.FirstOrDefault(owner => _waiting.All(wait => wait.Owner != owner));
                Assert.NotNull(next);
                End(next);
            }

            Assert.Equal(0, _table.Count);
            Assert.Equal(0, _table.WaitingCount);
        }

        private void End(Owner owner)
        {
            _held.Remove(owner);
            _waiting.RemoveAll(wait => wait.Owner == owner);
            _owners[Array.IndexOf(_owners, owner)] = null;
            var granted = new List<object>();
            var wounded = new List<ILockOwner>();
            _table.Release(owner.Id, granted, wounded);
            foreach (var tag in granted)
            {
                Granted((Owner)tag);
            }

            WoundAll(wounded);
        }

        private void WoundAll(List<ILockOwner> wounded)
        {
            foreach (var owner in wounded.Cast<Owner>().Where(_held.ContainsKey))
            {
                Assert.True(owner.IsWoundable);
                End(owner);
            }
        }

        private void Granted(Owner owner)
        {
            var index = _waiting.FindIndex(wait => wait.Owner == owner);
            var (_, key, exclusive) = _waiting[index];
            _waiting.RemoveAt(index);
            foreach (var (other, locks) in _held)
            {
                Assert.DoesNotContain(locks, held => other != owner && held.Key == key && (held.Exclusive || exclusive));
            }

            _held[owner].Add((key, exclusive));
        }
    }
}
