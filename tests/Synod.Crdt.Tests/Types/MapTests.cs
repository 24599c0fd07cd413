using Synod.Core;

namespace Synod.Crdt.Tests.Types;

using static Replicas;

/// <summary>Notes §4.5: one context for the map and all that is in it.</summary>
public sealed class MapTests
{
    private static OrMap<string, Field> Map() => new(Wires.Text, new Field());

    [Fact]
    public void An_update_wins_over_a_removal_with_just_what_the_removal_has_not_seen()
    {
        var (a, b) = (Map(), Map());
        a.Update(A, "cart", static (field, source) => field.Add(source, Key.Of("milk")));
        a.Update(A, "cart", static (field, source) => field.Increment(source, 5));
        b.Join(a);
        var update = a.Update(A, "cart", static (field, source) => field.Add(source, Key.Of("bread")));
        b.Remove("cart");
        Assert.Empty(b.Keys);
        b.Join(update);
        a.Join(b);
        AssertEqual(a, b);
        Assert.Equal([Key.Of("bread")], a["cart"]!.Set.Elements);
        Assert.Equal(0, a["cart"]!.Count);
    }

    [Fact]
    public void A_key_without_a_value_is_no_key()
    {
        var map = Map();
        map.Update(A, "cart", static (field, source) => field.Add(source, Key.Of("milk")));
        Assert.Equal(1, map.Count);
        map.Update(A, "cart", static (field, _) => field.Remove(Key.Of("milk")));
        Assert.Equal(0, map.Count);
        Assert.Null(map["cart"]);
        map.Update(A, "nested", static (field, source) => field.Update(source, "x", static (inner, dots) => inner.Enable(dots)));
        map.Update(A, "nested", static (field, _) => field.Remove("x"));
        Assert.Equal(0, map.Count);
    }

    [Fact]
    public void The_removal_of_a_field_inside_is_seen_as_one()
    {
        var (a, b) = (Map(), Map());
        a.Update(A, "user", static (field, source) => field.Update(source, "name", static (name, dots) => name.Assign(dots, Key.Of("Ann"))));
        a.Update(A, "user", static (field, source) => field.Update(source, "age", static (age, dots) => age.Increment(dots, 40)));
        b.Join(a);
        var removal = b.Update(B, "user", static (field, _) => field.Remove("name"));
        Assert.False(removal.IsBottom);
        a.Join(removal);
        Assert.Null(a["user"]!["name"]);
        Assert.Equal(40, a["user"]!["age"]!.Count);
        AssertEqual(a, b);
    }

    /// <summary>A map of values with contexts of their own takes a removed field for one that it has never seen.</summary>
    [Fact]
    public void Values_with_contexts_of_their_own_come_back()
    {
        var (a, b) = (new OrSet<string>(Wires.Text), new OrSet<string>(Wires.Text));
        a.Add(A, "milk");
        b.Join(a);

        // The cart is removed with its context, and made anew by the next delta that mentions it.
        b = b.Bottom();
        b.Join(a);
        Assert.True(b.Contains("milk"));
    }

    [Fact]
    public void One_key_used_in_two_ways_keeps_both()
    {
        var (a, b) = (Map(), Map());
        a.Update(A, "x", static (field, source) => field.Enable(source));
        b.Update(B, "x", static (field, source) => field.Assign(source, Key.Of("text")));
        a.Join(b);
        Assert.True(a["x"]!.IsEnabled);
        Assert.Equal([Key.Of("text")], a["x"]!.Register.Values);
        Assert.Equal("{x: on [text]}", $"{a}");
        AssertEqual(a, Sent(a));
    }

    [Fact]
    public void Deltas_of_a_large_map_are_small()
    {
        var (a, b) = (Map(), Map());
        for (var number = 0; number < 10_000; number++)
        {
            a.Update(A, $"key {number}", static (field, source) => field.Increment(source, 1));
        }

        b.Join(a);
        var delta = a.Update(B, "key 77", static (field, source) => field.Increment(source, 1));
        Assert.InRange(StateCodec.Encode(delta).Length, 1, 60);
        Assert.True(b.Join(delta));
        Assert.Equal(2, b["key 77"]!.Count);
        AssertEqual(a, b);
        b.Join(a.Remove("key 78"));
        Assert.Null(b["key 78"]);
        AssertEqual(a, b);
    }

    [Fact]
    public void A_counter_in_a_map_is_folded_too()
    {
        var map = Map();
        for (var number = 0; number < 20; number++)
        {
            map.Update(A, "likes", static (field, source) => field.Increment(source, 2));
        }

        map.Update(A, "likes", static (field, source) => field.Fold(source, A));
        Assert.Equal((Int128)40, map["likes"]!.Count);
        Assert.Single(map["likes"]!.Counter.Values);
    }

    [Fact]
    public void Maps_lie_in_maps_up_to_a_depth()
    {
        var map = Map();
        map.Update(A, "x", static (field, source) => Deep(field, source, Field.MaxDepth));
        AssertEqual(map, Sent(map));
        Assert.Throws<InvariantViolation>(() => Map().Update(A, "x", static (field, source) => Deep(field, source, Field.MaxDepth + 1)));

        static Change<Field> Deep(Field field, DotSource source, int depth) =>
            depth == 0 ? field.Enable(source) : field.Update(source, "x", (inner, dots) => Deep(inner, dots, depth - 1));
    }
}
