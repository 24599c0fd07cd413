using CsCheck;
using Synod.Core;
using Synod.Storage.Mvcc;
using Xunit;

namespace Synod.Storage.Tests;

/// <summary>Versions, intents and their garbage against a model that keeps every version in a list.</summary>
public sealed class MvccTests
{
    // Zero bytes, 01, 02 and FF are what escaping could get wrong; short keys make prefixes of each other.
    private static readonly Gen<byte[]> GenBytes = Gen.Int[0, 3].Select(index => (byte)(index == 3 ? 0xff : index)).Array[0, 4];

    private static readonly Gen<KeySpan> GenSpan = Gen.Select(GenBytes, GenBytes, (start, end) => new KeySpan(new Key(start), new Key(end)));

    private static readonly Gen<List<Write>> GenWrites =
        Gen.Select(GenBytes, Gen.Long[1, 40], Gen.Byte.Array[0, 3], Gen.Int[0, 3]).Select(
            (key, at, value, kind) => new Write(new Key(key), new Timestamp(at), kind == 0 ? null : value)).List[0, 80];

    private static readonly ulong[] Groups = [0, 1, 255, 256, ulong.MaxValue];

    [Fact]
    public void Stored_order_is_the_order_of_keys_and_newest_first()
    {
        Gen.Select(GenBytes, Gen.Long[0, long.MaxValue], GenBytes, Gen.Long[0, long.MaxValue]).Sample((leftKey, leftAt, rightKey, rightAt) =>
        {
            var left = Stored(new Key(leftKey), new Timestamp(leftAt));
            var right = Stored(new Key(rightKey), new Timestamp(rightAt));
            var expected = leftKey.AsSpan().SequenceCompareTo(rightKey);
            expected = expected != 0 ? expected : rightAt.CompareTo(leftAt);
            Assert.Equal(Math.Sign(expected), Math.Sign(left.AsSpan().SequenceCompareTo(right)));
        });
    }

    [Fact]
    public void Reads_at_every_timestamp_see_what_the_model_sees()
    {
        Gen.Select(GenWrites, GenSpan).Sample((writes, span) =>
        {
            var (store, model) = Written(writes);
            for (var at = new Timestamp(0); at.Nanoseconds <= 41; at = at.Next)
            {
                foreach (var key in writes.Select(write => write.Key))
                {
                    AssertSame(model.Get(key, at), MvccStore.Get(store, key, at));
                }

                var items = new List<MvccItem>();
                Assert.False(MvccStore.Scan(store, span, at, int.MaxValue, int.MaxValue, items));
                AssertSame(model.Scan(span, at), items);
            }

            Assert.All(writes, write => AssertSame(model.Get(write.Key, Timestamp.MaxValue), MvccStore.Newest(store, write.Key)));
            Assert.Null(MvccStore.Get(store, Key.Of("absent"), Timestamp.MaxValue));
        });
    }

    [Fact]
    public void A_scan_in_pieces_is_the_whole_scan()
    {
        Gen.Select(GenWrites, GenSpan, Gen.Long[1, 40], Gen.Int[1, 3], Gen.Int[1, 12]).Sample((writes, span, at, maxItems, maxBytes) =>
        {
            var (store, model) = Written(writes);
            var items = new List<MvccItem>();
            bool more;
            var rest = span;
            do
            {
                var before = items.Count;
                more = MvccStore.Scan(store, rest, new Timestamp(at), maxItems, maxBytes, items);
                Assert.InRange(items.Count - before, more ? 1 : 0, maxItems);
                Assert.True(items.Skip(before).SkipLast(1).Sum(item => item.Key.Span.Length + item.Value.Length) < maxBytes);
                rest = more ? span with { Start = items[^1].Key.Successor() } : rest;
            }
            while (more);

            AssertSame(model.Scan(span, new Timestamp(at)), items);
        });
    }

    [Fact]
    public void A_long_history_is_passed_by()
    {
        var store = new MemoryStore();
        var batch = new StoreBatch();
        foreach (var key in (string[])["a", "b", "c"])
        {
            for (var at = 1; at <= 200; at++)
            {
                MvccStore.Put(batch, Key.Of(key), new Timestamp(at), new[] { (byte)at });
            }
        }

        store.Write(batch);
        foreach (var at in (long[])[1, 5, 100, 195, 200, 999])
        {
            var items = new List<MvccItem>();
            Assert.False(MvccStore.Scan(store, KeySpan.All, new Timestamp(at), 10, 1000, items));
            Assert.Equal(["a", "b", "c"], items.Select(item => item.Key.ToString()));
            Assert.All(items, item => Assert.Equal(Math.Min(at, 200), item.Timestamp.Nanoseconds));
        }
    }

    [Fact]
    public void Garbage_is_what_no_read_at_or_above_the_threshold_can_see()
    {
        Gen.Select(GenWrites, GenSpan, Gen.Long[0, 41], Gen.Int[1, 3]).Sample((writes, span, threshold, maxKeys) =>
        {
            var (store, model) = Written(writes);
            var kept = model.Versions.Where(version => !span.Contains(version.Key) || !model.IsGarbage(version, new Timestamp(threshold))).ToList();
            var removed = 0;
            var progress = new GarbageProgress(span.Start, true, 0);
            while (progress.More)
            {
                var batch = new StoreBatch();
                progress = MvccStore.CollectGarbage(store, batch, span with { Start = progress.Next }, new Timestamp(threshold), maxKeys);
                Assert.Equal(progress.Removed, batch.Operations.Length);
                removed += progress.Removed;
                store.Write(batch);
            }

            Assert.Equal(model.Versions.Count - kept.Count, removed);
            Assert.Equal(kept.Count, store.Count);
            for (var at = threshold; at <= 41; at++)
            {
                var items = new List<MvccItem>();
                MvccStore.Scan(store, KeySpan.All, new Timestamp(at), int.MaxValue, int.MaxValue, items);
                AssertSame(model.Scan(KeySpan.All, new Timestamp(at)), items);
            }
        });
    }

    [Fact]
    public void A_span_is_exported_whole_imported_whole_and_deleted_whole()
    {
        Gen.Select(GenWrites, GenSpan).Sample((writes, span) =>
        {
            var (store, model) = Written(writes);
            var batch = new StoreBatch();
            batch.Put(MetaKey.Of(1, 2), [3]);
            store.Write(batch);
            var copy = new MemoryStore();
            batch.Clear();
            Assert.All(MvccStore.Export(store, span), pair => Assert.True(MvccStore.Import(batch, span, pair)));
            copy.Write(batch);
            AssertSame(model.Scan(span, new Timestamp(20)), Scan(copy, 20));

            batch.Clear();
            MvccStore.DeleteSpan(batch, span);
            store.Write(batch);
            Assert.Empty(MvccStore.Export(store, span));
            AssertSame(model.Scan(KeySpan.All, new Timestamp(20)).Where(item => !span.Contains(item.Key)), Scan(store, 20));
            Assert.Equal([3], store.Get(MetaKey.Of(1, 2))!);
        });
    }

    [Fact]
    public void What_is_no_version_is_not_imported()
    {
        var store = new MemoryStore();
        var batch = new StoreBatch();
        MvccStore.Put(batch, Key.Of("k"), new Timestamp(5), new byte[] { 1 });
        MvccStore.Put(batch, Key.Of("k"), new Timestamp(4), null);
        store.Write(batch);
        foreach (var pair in MvccStore.Export(store, KeySpan.All).ToArray())
        {
            Assert.True(MvccStore.Import(batch, KeySpan.All, pair));
            batch.Clear();
            var key = pair.Key.ToArray();
            Assert.False(MvccStore.Import(batch, new KeySpan(Key.Of("l"), Key.Empty), pair));
            Assert.False(MvccStore.Import(batch, KeySpan.All, pair with { Key = key[..^1] }));
            Assert.False(MvccStore.Import(batch, KeySpan.All, pair with { Key = (byte[])[.. key, 0] }));
            Assert.False(MvccStore.Import(batch, KeySpan.All, pair with { Key = Array.Empty<byte>() }));
            Assert.False(MvccStore.Import(batch, KeySpan.All, pair with { Value = Array.Empty<byte>() }));
            Assert.False(MvccStore.Import(batch, KeySpan.All, pair with { Value = new byte[] { 0x81 } }));
            Assert.True(batch.IsEmpty);
        }

        Assert.False(MvccStore.Import(batch, KeySpan.All, new RawPair(MetaKey.Of(1, 1), new byte[] { 1 })));
    }

    [Fact]
    public void Keys_and_values_over_their_limits_are_our_own_mistake()
    {
        var batch = new StoreBatch();
        var longest = new Key(new byte[MvccLimits.MaxKeyBytes]);
        MvccStore.Put(batch, longest, new Timestamp(1), new byte[MvccLimits.MaxValueBytes]);
        Assert.Throws<InvariantViolation>(() => MvccStore.Put(batch, longest.Successor(), new Timestamp(1), null));
        Assert.Throws<InvariantViolation>(() => MvccStore.Put(batch, longest, new Timestamp(1), new byte[MvccLimits.MaxValueBytes + 1]));
    }

    [Fact]
    public void Meta_keys_are_grouped_by_group_and_kind()
    {
        Gen.Select(Gen.Int[0, 4].Select(index => Groups[index]), Gen.Int[0, 2].Select(index => (byte)(index == 2 ? 255 : index)), GenBytes).Sample((group, kind, suffix) =>
        {
            var key = MetaKey.Of(group, kind, suffix);
            Assert.Equal((group, kind), (MetaKey.GroupOf(key), MetaKey.KindOf(key)));
            Assert.Equal(suffix, MetaKey.SuffixOf(key).ToArray());
            foreach (var other in Groups)
            {
                Assert.Equal(other == group, MetaKey.Group(other).Contains(new Key(key)));
                Assert.Equal(other == group && kind == 255, MetaKey.Kind(other, 255).Contains(new Key(key)));
            }

            Assert.True(MetaKey.All.Contains(new Key(key)));
            Assert.False(MetaKey.All.Contains(new Key(Stored(Key.Empty, default))));
        });
    }

    private static byte[] Stored(Key key, Timestamp at)
    {
        var batch = new StoreBatch();
        MvccStore.Put(batch, key, at, null);
        return batch.Operations[0].Key;
    }

    private static (MemoryStore Store, MvccModel Model) Written(List<Write> writes)
    {
        var store = new MemoryStore();
        var batch = new StoreBatch();
        foreach (var write in writes)
        {
            MvccStore.Put(batch, write.Key, write.At, write.Memory);
        }

        store.Write(batch);
        return (store, new MvccModel(writes));
    }

    private static List<MvccItem> Scan(IStoreReader store, long at)
    {
        var items = new List<MvccItem>();
        MvccStore.Scan(store, KeySpan.All, new Timestamp(at), int.MaxValue, int.MaxValue, items);
        return items;
    }

    private static void AssertSame(Write? expected, MvccVersion? found)
    {
        Assert.Equal(expected?.At, found?.Timestamp);
        Assert.Equal(expected?.Value, found?.Value?.ToArray());
    }

    private static void AssertSame(IEnumerable<Write> expected, List<MvccItem> found) => Assert.Equal(
        expected.Select(write => (write.Key, write.At, Convert.ToHexString(write.Value!))),
        found.Select(item => (item.Key, item.Timestamp, Convert.ToHexString(item.Value.Span))));

    public sealed record Write(Key Key, Timestamp At, byte[]? Value)
    {
        // A null array by itself would convert to an empty value, not to none.
        public ReadOnlyMemory<byte>? Memory => Value is null ? null : (ReadOnlyMemory<byte>?)Value;
    }

    private sealed class MvccModel(List<Write> writes)
    {
        /// <summary>The last write of each key and timestamp.</summary>
        public List<Write> Versions { get; } = [.. writes.GroupBy(write => (write.Key, write.At)).Select(same => same.Last())];

        public Write? Get(Key key, Timestamp at) =>
            Versions.Where(version => version.Key == key && version.At <= at).MaxBy(version => version.At);

        public IEnumerable<Write> Scan(KeySpan span, Timestamp at) =>
            from version in Versions
            where span.Contains(version.Key) && version.Value is not null && Get(version.Key, at) == version
            orderby version.Key
            select version;

        public bool IsGarbage(Write version, Timestamp threshold) =>
            Get(version.Key, threshold) is { } newest
            && (version.At < newest.At || version == newest && version.Value is null);
    }
}
