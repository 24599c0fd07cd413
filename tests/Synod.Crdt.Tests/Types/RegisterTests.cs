using Synod.Core;

namespace Synod.Crdt.Tests.Types;

using static Replicas;

/// <summary>Notes §4.2, §4.4 and §9: registers, flags and clocks.</summary>
public sealed class RegisterTests
{
    private static LwwRegister<string> Lww() => new(Wires.Text);

    private static string Value(LwwRegister<string> register) => register.TryGet(out var value) ? value : "-";

    [Fact]
    public void The_later_write_wins_and_of_two_at_once_the_same_everywhere()
    {
        var (a, b) = (Lww(), Lww());
        a.Set(A, At(5), "early");
        b.Set(B, At(6), "late");
        Assert.Equal("late", Value(a.Joined(b)));
        AssertEqual(a.Joined(b), b.Joined(a));

        (a, b) = (Lww(), Lww());
        a.Set(A, At(5), "of A");
        b.Set(B, At(5), "of B");
        Assert.Equal("of B", Value(a.Joined(b)));
        AssertEqual(a.Joined(b), b.Joined(a));
    }

    [Fact]
    public void A_write_never_loses_to_the_value_that_it_has_seen()
    {
        var (a, b) = (Lww(), Lww());
        a.Set(A, At(1_000), "of a fast clock");
        b.Join(a);
        var written = b.Set(B, At(1), "of a slow one");
        Assert.Equal("of a slow one", Value(b));
        a.Join(written);
        Assert.Equal("of a slow one", Value(a));
    }

    [Fact]
    public void One_stamp_with_two_values_is_decided_by_their_bytes()
    {
        var (x, y) = (Lww(), Lww());
        x.Set(A, At(5), "x");
        y.Set(A, At(5), "y");
        Assert.Equal("y", Value(x.Joined(y)));
        AssertEqual(x.Joined(y), y.Joined(x));
    }

    [Fact]
    public void Values_of_concurrent_writes_are_kept_until_somebody_has_seen_them()
    {
        var (a, b) = (new MvRegister<string>(Wires.Text), new MvRegister<string>(Wires.Text));
        a.Set(A, "one");
        b.Set(B, "two");
        a.Join(b);
        Assert.Equal(["one", "two"], a.Values);
        a.Set(A, "both");
        b.Join(a);
        Assert.Equal(["both"], b.Values);
    }

    /// <summary>Version vectors for values, without dots, make a sibling of every write that has not seen the last one.</summary>
    [Fact]
    public void Siblings_do_not_multiply()
    {
        var (server, client) = (new MvRegister<long>(Wires.Int64), new MvRegister<long>(Wires.Int64));
        for (var number = 0L; number < 50; number++)
        {
            client.Set(B, number);
            server.Set(A, -number);
            server.Join(client);
        }

        Assert.Equal(2, server.Values.Count);
        client.Join(server);
        client.Set(B, 0);
        server.Join(client);
        Assert.Equal([0], server.Values);
    }

    [Fact]
    public void Flags_differ_in_who_wins()
    {
        var (on, off) = (new EnableWinsFlag(), new DisableWinsFlag());
        Assert.Equal((false, true), (on.IsEnabled, off.IsEnabled));
        on.Enable(A);
        off.Disable(A);
        var (otherOn, otherOff) = (on.Copy(), off.Copy());
        on.Disable();
        otherOn.Enable(B);
        off.Enable();
        otherOff.Disable(B);
        Assert.Equal((false, true), (on.IsEnabled, off.IsEnabled));
        Assert.True(on.Joined(otherOn).IsEnabled);
        Assert.False(off.Joined(otherOff).IsEnabled);
    }

    [Theory]
    [InlineData(Bias.Add, true)]
    [InlineData(Bias.Remove, false)]
    public void The_bias_decides_between_an_add_and_a_removal_of_the_same_time(Bias bias, bool isThere)
    {
        var (a, b) = (new LwwElementSet<string>(Wires.Text, bias), new LwwElementSet<string>(Wires.Text, bias));
        a.Add(A, At(5), "apple");
        b.Remove(B, At(5), "apple");
        Assert.Equal(isThere, a.Joined(b).Contains("apple"));
        AssertEqual(a.Joined(b), b.Joined(a));
        Assert.False(new LwwElementSet<string>(Wires.Text, bias).Contains("apple"));
        var other = new LwwElementSet<string>(Wires.Text, bias == Bias.Add ? Bias.Remove : Bias.Add);
        Assert.Equal(Decoding.Malformed, StateCodec.Decode(other, StateCodec.Encode(a), out _));
        Assert.Throws<InvariantViolation>(() => a.Join(other));
    }

    /// <summary>Notes §4.4: a clock ten minutes ahead removes; whoever has not seen it adds in vain until true time has come there.</summary>
    [Fact]
    public void A_removal_by_a_fast_clock_hides_adds_that_have_not_seen_it()
    {
        const long Minute = 60;
        var (fast, correct) = (new LwwElementSet<string>(Wires.Text, Bias.Add), new LwwElementSet<string>(Wires.Text, Bias.Add));
        fast.Remove(A, At(730 * Minute), "apple");
        correct.Add(B, At(725 * Minute), "apple");
        Assert.True(correct.Contains("apple"));
        correct.Join(fast);
        Assert.False(correct.Contains("apple"));

        // Who has seen the removal goes past it, whatever his clock says.
        correct.Add(B, At(726 * Minute), "apple");
        Assert.True(correct.Contains("apple"));
        Assert.True(fast.Joined(correct).Contains("apple"));
    }

    [Fact]
    public void What_comes_from_too_far_in_the_future_is_told_by_its_newest_timestamp()
    {
        var clock = new HybridClock(Duration.FromSeconds(1));
        var now = new Timestamp(0) + Duration.FromSeconds(100);
        var set = new LwwElementSet<string>(Wires.Text, Bias.Add);
        set.Add(A, clock.Tick(now), "apple");
        var fast = new LwwElementSet<string>(Wires.Text, Bias.Add);
        var delta = fast.Remove(B, new HybridTimestamp(now + Duration.FromSeconds(600), 0), "apple");
        Assert.False(clock.Observe(delta.Newest, now));
        Assert.True(clock.Observe(set.Newest, now));
        Assert.True(Sent(delta).Newest == delta.Newest && delta.Newest.Physical == now + Duration.FromSeconds(600));
        var register = Lww();
        register.Set(A, At(77), "x");
        Assert.Equal(At(77), Sent(register).Newest);
    }

    [Fact]
    public void A_set_of_two_phases_takes_nothing_back_that_was_removed()
    {
        var (a, b) = (new TwoPhaseSet<string>(Wires.Text), new TwoPhaseSet<string>(Wires.Text));
        a.Add("apple");
        b.Join(a);
        b.Remove("apple");
        a.Add("apple");
        Assert.False(a.Joined(b).Contains("apple"));
        Assert.True(b.IsRemoved("apple"));
        Assert.True(b.Remove("pear").IsBottom);
    }
}
