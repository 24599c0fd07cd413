using CsCheck;
using Synod.Simulation.Histories;

namespace Synod.Simulation.Tests.Histories;

public class StrictSerializabilityCheckerTests
{
    private static ListStep Append(string key, long value) => new ListStep.Append(key, value);

    private static ListStep Read(string key, params long[] values) => new ListStep.Read(key, values);

    private static ListTransaction T(long start, long end, params ListStep[] steps) =>
        new(0, start, end, Outcome.Committed, steps);

    private static string[] Names(params ListTransaction[] history) =>
        [.. StrictSerializabilityChecker.Check(history).Select(anomaly => anomaly.Name)];

    [Fact]
    public void A_serial_history_is_fine() => Assert.Empty(Names(
        T(1, 2, Append("x", 1)), T(3, 4, Read("x", 1), Append("x", 2)), T(5, 6, Read("x", 1, 2), Read("y"))));

    [Fact]
    public void Concurrent_transactions_may_take_either_order()
    {
        Assert.Empty(Names(T(1, 10, Append("x", 1)), T(1, 10, Read("x"))));
        Assert.Empty(Names(T(1, 10, Append("x", 1)), T(1, 10, Read("x", 1))));
    }

    [Fact]
    public void G0_writes_in_opposite_orders() => Assert.Contains("G0", Names(
        T(1, 10, Append("x", 1), Append("y", 1)),
        T(1, 10, Append("x", 2), Append("y", 2)),
        T(20, 30, Read("x", 1, 2), Read("y", 2, 1))));

    [Fact]
    public void G1a_read_of_an_aborted_append() => Assert.Contains("G1a", Names(
        T(1, 2, Append("x", 1)) with { Outcome = Outcome.Aborted }, T(3, 4, Read("x", 1))));

    [Fact]
    public void G1b_read_in_the_middle_of_a_transaction() => Assert.Contains("G1b", Names(
        T(1, 10, Append("x", 1), Append("x", 2)), T(1, 10, Read("x", 1))));

    [Fact]
    public void G1c_two_transactions_see_each_other() => Assert.Contains("G1c", Names(
        T(1, 10, Append("x", 1), Read("y", 1)), T(1, 10, Append("y", 1), Read("x", 1))));

    [Fact]
    public void G_single_a_read_skew() => Assert.Contains("G-single", Names(
        T(1, 10, Append("x", 1), Append("y", 1)), T(1, 10, Read("x"), Read("y", 1)), T(20, 30, Read("x", 1))));

    [Fact]
    public void G2_a_write_skew() => Assert.Contains("G2", Names(
        T(1, 10, Read("x"), Append("y", 1)), T(1, 10, Read("y"), Append("x", 1)), T(20, 30, Read("x", 1), Read("y", 1))));

    [Fact]
    public void A_lost_update() => Assert.Contains("lost-update", Names(
        T(1, 10, Read("x"), Append("x", 1)), T(1, 10, Read("x"), Append("x", 2)), T(20, 30, Read("x", 1, 2))));

    [Fact]
    public void A_stale_read_violates_real_time() => Assert.Equal(
        ["G-single-realtime"], Names(T(1, 2, Append("x", 1)), T(3, 4, Read("x")), T(5, 6, Read("x", 1))));

    [Fact]
    public void A_stale_read_is_seen_even_if_nobody_reads_the_append() => Assert.Equal(
        ["G-single-realtime"], Names(T(1, 2, Append("x", 1)), T(3, 4, Read("x"))));

    [Fact]
    public void Real_time_is_seen_through_others() => Assert.Equal(
        ["G-single-realtime"],
        Names(T(1, 2, Append("x", 1)), T(3, 4, Read("z")), T(5, 6, Read("z")), T(7, 8, Read("x")), T(9, 10, Read("x", 1))));

    [Fact]
    public void Writes_against_real_time() => Assert.Equal(
        ["G0-realtime"], Names(T(1, 2, Append("x", 1)), T(3, 4, Append("x", 2)), T(5, 6, Read("x", 2, 1))));

    [Fact]
    public void An_append_that_happened_twice() => Assert.Contains("duplicate", Names(
        T(1, 2, Append("x", 1)), T(3, 4, Read("x", 1, 1))));

    [Fact]
    public void A_value_from_nowhere() => Assert.Contains("garbage", Names(T(3, 4, Read("x", 9))));

    [Fact]
    public void Lists_that_are_not_prefixes_of_each_other() => Assert.Contains("incompatible-order", Names(
        T(1, 9, Append("x", 1)), T(1, 9, Append("x", 2)), T(1, 9, Read("x", 1)), T(1, 9, Read("x", 2, 1))));

    [Fact]
    public void A_transaction_sees_its_own_appends() => Assert.Contains("internal", Names(
        T(1, 9, Append("x", 1), Read("x"))));

    [Fact]
    public void An_unknown_append_may_be_seen_late_or_never()
    {
        var unknown = T(1, 2, Append("x", 1)) with { Outcome = Outcome.Unknown };
        Assert.Empty(Names(unknown, T(3, 4, Read("x")), T(5, 6, Read("x", 1))));
        Assert.Empty(Names(unknown, T(3, 4, Read("x")), T(5, 6, Read("x"))));
    }

    [Fact]
    public void An_unknown_append_does_not_vanish_again() => Assert.NotEmpty(Names(
        T(1, 2, Append("x", 1)) with { Outcome = Outcome.Unknown }, T(3, 4, Read("x", 1)), T(5, 6, Read("x"))));

    [Fact]
    public void Every_serial_execution_is_accepted() =>
        Gen.Select(Gen.Int[0, 30], Gen.Int[0, 30], Gen.Select(Gen.Int[0, 2], Gen.Bool).Array[1, 4]).Array[1, 40]
            .Sample(steps => StrictSerializabilityChecker.Check(Serial(steps, missing: -1)).Count == 0);

    // One transaction in the middle executes against a state without the last append before it, which had ended long ago.
    [Fact]
    public void A_transaction_that_misses_what_ended_before_is_caught() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4], Gen.Select(Gen.Int[0, 2], Gen.Bool).Array[1, 4]).Array[1, 20]
            .Sample(steps =>
            {
                (int, int, (int, bool)[]) write = (0, 0, [(0, true)]);
                (int, int, (int, bool)[]) read = (0, 0, [(0, false)]);
                return StrictSerializabilityChecker.Check(Serial([.. steps, write, read], steps.Length + 1)).Count > 0;
            });

    private static List<ListTransaction> Serial((int Before, int After, (int Key, bool IsAppend)[] Steps)[] plan, int missing)
    {
        var lists = new List<long>[] { [], [], [] };
        var history = new List<ListTransaction>();
        long value = 0;
        for (var at = 0; at < plan.Length; at++)
        {
            var steps = new List<ListStep>();
            foreach (var (key, isAppend) in plan[at].Steps)
            {
                var name = $"k{key}";
                if (isAppend)
                {
                    lists[key].Add(++value);
                    steps.Add(Append(name, value));
                }
                else
                {
                    steps.Add(Read(name, [.. at == missing ? lists[key].SkipLast(1) : lists[key]]));
                }
            }

            var moment = 100 + at * 10;
            history.Add(T(moment - plan[at].Before, moment + plan[at].After, [.. steps]));
        }

        return history;
    }
}
