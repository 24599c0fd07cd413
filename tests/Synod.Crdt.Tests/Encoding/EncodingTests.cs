using Synod.Core;

namespace Synod.Crdt.Tests.Encoding;

using static Replicas;

/// <summary>Bytes from anyone: what is read is what we would write, and everything else is refused as data.</summary>
public sealed class EncodingTests
{
    public static TheoryData<string> Types() => [.. Samples.All.Keys];

    [Theory]
    [MemberData(nameof(Types))]
    public void Bytes_are_read_back(string type) => Samples.All[type].RoundTrip();

    /// <summary>Every byte of a state changed, every cut and every longer one: refused, or a state that is written like this.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void No_other_bytes_are_read_as_a_state(string type)
    {
        var sample = Samples.All[type];
        var bytes = sample.Bytes;
        var (refused, read) = (0, 0);
        foreach (var changed in Changed(bytes))
        {
            var outcome = sample.Read(changed, out var again);
            if (outcome == Decoding.Ok)
            {
                Assert.Equal(Convert.ToHexString(changed), Convert.ToHexString(again!));
                read++;
            }
            else
            {
                refused++;
            }
        }

        Assert.True(refused > 20 && read > 20, $"{refused} refused, {read} read");
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(Decoding.Malformed, sample.Read(bytes[..length], out _));
        }

        Assert.Equal(Decoding.Malformed, sample.Read([.. bytes, 0], out _));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Noise_is_refused_without_a_throw(string type)
    {
        var sample = Samples.All[type];
        var random = new Random(7);
        for (var run = 0; run < 3_000; run++)
        {
            var noise = new byte[2 + random.Next(60)];
            random.NextBytes(noise);
            for (var at = 0; at < noise.Length; at++)
            {
                noise[at] = random.Next(3) == 0 ? noise[at] : (byte)(noise[at] % 4);
            }

            (noise[0], noise[1]) = (sample.Bytes[0], sample.Bytes[1]);
            if (sample.Read(noise, out var again) == Decoding.Ok)
            {
                Assert.Equal(Convert.ToHexString(noise), Convert.ToHexString(again!));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_error_says_what_is_wrong(string type)
    {
        var sample = Samples.All[type];
        var bytes = sample.Bytes;
        Assert.Equal(Decoding.UnknownVersion, sample.Read([2, .. bytes[1..]], out _));
        Assert.Equal(Decoding.UnknownVersion, sample.Read([0, .. bytes[1..]], out _));
        Assert.Equal(Decoding.OtherType, sample.Read([bytes[0], 255, .. bytes[2..]], out _));
        Assert.Equal(Decoding.TooLarge, sample.Read(bytes, out _, bytes.Length - 1));
        Assert.Equal(Decoding.Ok, sample.Read(bytes, out _, bytes.Length));
    }

    [Fact]
    public void Every_type_has_a_tag_of_its_own()
    {
        var tags = Samples.All.Values.Select(sample => sample.Bytes[1]).ToList();
        Assert.Equal(tags.Count, tags.Distinct().Count());
        Assert.All(tags, tag => Assert.InRange(tag, 1, 127));
    }

    [Fact]
    public void States_that_were_made_in_other_orders_have_equal_bytes()
    {
        var (x, y) = (new OrSet<string>(Wires.Text), new OrSet<string>(Wires.Text));
        var deltas = Enumerable.Range(0, 50).Select(number => new OrSet<string>(Wires.Text).Joined(Add(number))).ToList();
        deltas.ForEach(delta => x.Join(delta));
        deltas.Reverse();
        deltas.ForEach(delta => y.Join(delta));
        AssertEqual(x, y);

        static OrSet<string> Add(int number)
        {
            var set = new OrSet<string>(Wires.Text);
            for (var before = 0; before < number; before++)
            {
                set.Add(A, "x");
            }

            return set.Add(A, $"element {number * 37 % 50}");
        }
    }

    /// <summary>The dots of a store are in its context, or joins would drop what nobody removed.</summary>
    [Fact]
    public void A_dot_outside_of_the_context_is_refused()
    {
        var writer = new CodecWriter();
        writer.Byte(StateCodec.Version);
        writer.Byte(new EnableWinsFlag().Tag);
        CausalContext.Of(new Dot(A, 1)).Write(writer);
        writer.Unsigned(1);
        writer.Unsigned(0);
        var prefix = writer.ToArray();
        Assert.Equal(Decoding.Ok, StateCodec.Decode(new EnableWinsFlag(), (byte[])[.. prefix, 1], out _));
        Assert.Equal(Decoding.Malformed, StateCodec.Decode(new EnableWinsFlag(), (byte[])[.. prefix, 2], out _));
    }

    [Fact]
    public void A_dot_under_two_elements_is_refused()
    {
        var map = new OrMap<string, DotSet>(Wires.Text, new DotSet());
        map.Update(A, "a", static (flag, source) => flag.Raise(source));
        map.Update(A, "b", static (flag, source) => flag.Raise(source));
        var bytes = StateCodec.Encode(map);
        Assert.Equal(2, bytes[^1]);
        bytes[^1] = 1;
        Assert.Equal(Decoding.Malformed, StateCodec.Decode(map, bytes, out _));
    }

    [Fact]
    public void Few_bytes_do_not_stand_for_very_many()
    {
        // Elements that claim to share a long beginning with the one before.
        var set = new GSet<Key>(Wires.Bytes);
        var start = new byte[5_000];
        for (var number = 0; number < 100; number++)
        {
            set.Add(new Key((byte[])[.. start, (byte)number]));
        }

        Assert.True(StateCodec.Encode(set).Length > 100 * 4_800);
        AssertEqual(set, Sent(set));

        // A count that promises more than there is.
        Assert.Equal(Decoding.Malformed, StateCodec.Decode(set, (byte[])[StateCodec.Version, set.Tag, 0xff, 0xff, 0xff, 0xff, 0x0f], out _));
    }

    /// <summary>Everything that three replicas could ever do, in fifty bytes: it takes away what is there, and no time.</summary>
    [Fact]
    public void A_context_that_claims_everything_is_joined_like_any_other()
    {
        var text = new Sequence<System.Text.Rune>(Wires.Rune);
        text.Insert(A, 0, "abc");
        var set = new OrSet<string>(Wires.Text);
        set.Add(A, "apple");
        var claim = new CodecWriter();
        claim.Unsigned(3);
        foreach (var (replica, last) in new[] { (A, Dot.MaxCounter), (B, Dot.MaxCounter), (C, 3UL) })
        {
            claim.Replica(replica);
            claim.Unsigned(1);
            claim.Unsigned(1);
            claim.Unsigned(last - 1);
        }

        var empty = (byte[])[.. claim.Span, 0, 0];
        Assert.Equal(Decoding.Ok, StateCodec.Decode(set, (byte[])[StateCodec.Version, set.Tag, .. empty], out var everything));
        Assert.Equal(ulong.MaxValue, everything!.Context.DotCount);
        Assert.True(everything.Minus(set).LessOrEqual(everything));
        Assert.True(set.Join(everything));
        Assert.Equal(0, set.Count);
        Assert.Throws<OverflowException>(() => set.Add(A, "pear"));
        Assert.Equal(Decoding.Ok, StateCodec.Decode(text, (byte[])[StateCodec.Version, text.Tag, .. empty], out var nothing));
        Assert.True(text.Join(nothing!));
        Assert.Equal(0, text.Count);

        // And a run of deletions as long as that is not read.
        var run = (byte[])[StateCodec.Version, text.Tag, .. claim.Span, 0, 1, 0, 1];
        Assert.Equal(Decoding.Ok, StateCodec.Decode(text, (byte[])[.. run, 16, 1, 0, 1], out _));
        Assert.Equal(Decoding.Malformed, StateCodec.Decode(text, (byte[])[.. run, 17, 1, 0, 1], out _));
    }

    [Fact]
    public void A_state_among_the_fields_of_a_message_ends_where_it_ends()
    {
        var set = new OrSet<string>(Wires.Text);
        set.Add(A, "apple");
        var wire = new StateWire<OrSet<string>>(set);
        var writer = new CodecWriter();
        wire.Write(writer, set);
        wire.Write(writer, set.Bottom());
        var reader = new CodecReader(writer.Memory);
        AssertEqual(set, wire.Read(ref reader)!);
        AssertEqual(set.Bottom(), wire.Read(ref reader)!);
        Assert.True(reader.IsComplete);
        Assert.Null(wire.Read(ref reader));
        Assert.True(reader.Failed);
    }

    private static IEnumerable<byte[]> Changed(byte[] bytes)
    {
        for (var at = 2; at < bytes.Length; at++)
        {
            foreach (var value in new[] { 0, 1, 2, 0x7f, 0x80, 0xff, bytes[at] + 1, bytes[at] - 1, bytes[at] ^ 0x80 })
            {
                if ((byte)value != bytes[at])
                {
                    var changed = bytes.ToArray();
                    changed[at] = (byte)value;
                    yield return changed;
                }
            }
        }
    }
}
