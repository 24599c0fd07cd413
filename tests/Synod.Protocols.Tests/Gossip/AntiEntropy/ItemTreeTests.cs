using CsCheck;
using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

/// <summary>The tree of items against a sorted map: order, ranks, spans, sums.</summary>
public sealed class ItemTreeTests
{
    private static readonly Gen<Key> s_key = Gen.Byte.Array[0, 3].Select(bytes => new Key(bytes));

    [Fact]
    public void After_any_changes_it_holds_what_a_sorted_map_holds_and_every_sum_is_exact() =>
        Gen.Select(Gen.Bool, Gen.Byte[0, 40], Gen.Byte).List[0, 120].Sample(changes =>
        {
            var (tree, map) = (new ItemTree(), new SortedDictionary<Key, byte>());
            foreach (var (isSet, number, value) in changes)
            {
                var key = new Key(new[] { (byte)(number / 7), (byte)(number % 7) });
                if (isSet)
                {
                    tree.Set(Item.Of(key, new[] { value }));
                    map[key] = value;
                }
                else
                {
                    Assert.Equal(map.Remove(key), tree.Remove(key));
                }

                Assert.True(tree.IsSound());
            }

            Assert.Equal(map.Select(pair => (pair.Key, pair.Value)), tree.Within(KeySpan.All).Select(item => (item.Key, item.Value.Span[0])));
            Assert.All(map.Keys.Index(), pair => Assert.Equal((pair.Index, pair.Item), (tree.Rank(pair.Item), tree.At(pair.Index).Key)));
        });

    [Fact]
    public void Number_and_sum_of_a_span_are_those_of_the_items_in_it() =>
        Gen.Select(s_key.List[0, 40], s_key, s_key).Sample((keys, start, end) =>
        {
            var tree = Tree(keys);
            var span = new KeySpan(start, end);
            var within = tree.Within(KeySpan.All).Where(item => span.Contains(item.Key)).ToList();
            Assert.Equal(span.IsEmpty ? [] : within, tree.Within(span));
            var sum = within.Aggregate(ItemHash.Zero, (sum, item) => sum + item.Hash);
            Assert.Equal(span.IsEmpty ? (0, ItemHash.Zero) : (within.Count, sum), tree.Total(span));
        });

    [Fact]
    public void Parts_of_a_span_cover_it_without_overlap_and_are_about_equally_full() =>
        Gen.Select(s_key.List[0, 60], s_key, s_key, Gen.Int[2, 5]).Where(item => !new KeySpan(item.Item2, item.Item3).IsEmpty).Sample((keys, start, end, parts) =>
        {
            var tree = Tree(keys);
            var span = new KeySpan(start, end);
            var split = tree.Split(span, parts).ToList();
            Assert.Equal((start, end), (split[0].Start, split[^1].End));
            Assert.All(split.Zip(split.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
            Assert.All(split, part => Assert.False(part.IsEmpty));
            var count = tree.Total(span).Count;
            Assert.InRange(split.Max(part => tree.Total(part).Count), count / parts, (count / parts) + 1);
        });

    [Fact]
    public void Bounds_are_as_short_as_keys_allow()
    {
        var tree = Tree([Key.Of("apple"), Key.Of("apricot"), Key.Of("banana"), Key.Of("bandit")]);
        Assert.Equal(["[, apr)", "[apr, b)", "[b, band)", "[band, ∞)"], tree.Split(KeySpan.All, 4).Select(span => span.ToString()));
    }

    [Fact]
    public void A_fingerprint_does_not_depend_on_how_the_set_came_about()
    {
        var keys = Enumerable.Range(0, 200).Select(number => Key.Of(Stores.Name(number))).ToList();
        var (up, down) = (Tree(keys), Tree(Enumerable.Reverse(keys)));
        down.Set(Item.Of(Key.Of("other"), default));
        Assert.NotEqual(up.Fingerprint(KeySpan.All), down.Fingerprint(KeySpan.All));
        down.Remove(Key.Of("other"));
        Assert.Equal(up.Fingerprint(KeySpan.All), down.Fingerprint(KeySpan.All));
        down.Set(Item.Of(keys[3], "changed"u8.ToArray()));
        Assert.NotEqual(up.Fingerprint(KeySpan.All), down.Fingerprint(KeySpan.All));
    }

    [Fact]
    public void Hashes_add_and_subtract_modulo_two_to_the_256() =>
        Gen.Select(s_key, s_key, s_key).Sample((first, second, third) =>
        {
            var (a, b, c) = (ItemHash.Of(first, default), ItemHash.Of(second, default), ItemHash.Of(third, default));
            Assert.Equal(a, a + b - b);
            Assert.Equal(a + (b + c), c + a + b);
            Assert.Equal(ItemHash.Zero, ItemHash.Zero - a + a);
        });

    [Fact]
    public void Key_and_content_do_not_run_into_each_other() =>
        Assert.NotEqual(ItemHash.Of(Key.Of("ab"), "c"u8), ItemHash.Of(Key.Of("a"), "bc"u8));

    private static ItemTree Tree(IEnumerable<Key> keys)
    {
        var tree = new ItemTree();
        foreach (var key in keys)
        {
            tree.Set(Item.Of(key, default));
        }

        return tree;
    }
}
