using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Values;

public sealed class KeyTests
{
    /// <summary>Short keys over three bytes, so that spans often touch.</summary>
    private static readonly Gen<Key> Keys =
        Gen.OneOf(Gen.Const((byte)0), Gen.Const((byte)'a'), Gen.Const((byte)255)).Array[0, 3].Select(bytes => new Key(bytes));

    private static readonly Gen<KeySpan> Spans = Gen.Select(Keys, Keys, (start, end) => new KeySpan(start, end));

    [Fact]
    public void Order_is_by_unsigned_bytes_and_a_prefix_comes_first()
    {
        Key[] ordered = [Key.Empty, new(new byte[] { 0 }), Key.Of("a"), Key.Of("a\0"), Key.Of("aa"), Key.Of("b"), new(new byte[] { 255 })];
        Assert.Equal(ordered, ordered.Reverse().Order());
        Assert.True(ordered[1] > ordered[0] && ordered[1] >= ordered[0] && ordered[0] < ordered[1] && ordered[0] <= ordered[1]);
    }

    [Fact]
    public void Nothing_lies_between_a_key_and_its_successor() => Gen.Select(Keys, Keys).Sample((key, other) =>
    {
        Assert.True(key < key.Successor());
        Assert.False(other > key && other < key.Successor());
    });

    [Fact]
    public void Equal_keys_have_equal_hashes() => Gen.Select(Keys, Keys).Sample((a, b) =>
    {
        Assert.Equal(a == b, a.CompareTo(b) == 0);
        Assert.Equal(a != b, !a.Equals((object)b));
        Assert.True(a != b || a.GetHashCode() == b.GetHashCode());
    });

    [Fact]
    public void Odd_bytes_are_shown() => Assert.Equal("a\\x00\\x5c", new Key("a\0\\"u8.ToArray()).ToString());

    [Fact]
    public void A_span_contains_what_its_bounds_say() => Gen.Select(Spans, Keys).Sample((span, key) =>
    {
        Assert.Equal(key >= span.Start && (span.End.IsEmpty || key < span.End), span.Contains(key));
        Assert.False(span.IsEmpty && span.Contains(key));
    });

    [Fact]
    public void Overlap_and_intersection_agree_with_the_keys_inside() => Gen.Select(Spans, Spans, Keys).Sample((a, b, key) =>
    {
        var inBoth = a.Contains(key) && b.Contains(key);
        Assert.False(inBoth && !a.Overlaps(b));
        Assert.Equal(a.Overlaps(b), b.Overlaps(a));
        if (a.Overlaps(b))
        {
            Assert.Equal(inBoth, a.Intersect(b).Contains(key));
            Assert.False(a.Intersect(b).IsEmpty);
        }

        Assert.False(a.Contains(b) && b.Contains(key) && !a.Contains(key));
    });

    [Fact]
    public void The_whole_space_and_a_single_key_are_spans()
    {
        Assert.True(KeySpan.All.Contains(Key.Empty) && KeySpan.All.Contains(new Key(new byte[] { 255, 255 })));
        Assert.True(KeySpan.Only(Key.Of("a")).Contains(Key.Of("a")));
        Assert.False(KeySpan.Only(Key.Of("a")).Contains(Key.Of("a\0")));
        Assert.True(new KeySpan(Key.Of("b"), Key.Of("b")).IsEmpty);
        Assert.Equal("[a, ∞)", new KeySpan(Key.Of("a"), Key.Empty).ToString());
    }
}
