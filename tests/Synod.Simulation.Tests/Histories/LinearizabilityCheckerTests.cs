using CsCheck;
using Synod.Simulation.Histories;

namespace Synod.Simulation.Tests.Histories;

public class LinearizabilityCheckerTests
{
    private static RegisterOperation Write(long start, long end, long value, Outcome outcome = Outcome.Committed) =>
        new("x", 0, start, end, RegisterAction.Write, value, outcome);

    private static RegisterOperation Read(long start, long end, long value) =>
        new("x", 1, start, end, RegisterAction.Read, value, Outcome.Committed);

    private static RegisterOperation Swap(long start, long end, long expected, long value) =>
        new("x", 2, start, end, RegisterAction.CompareAndSet, value, Outcome.Committed, expected);

    [Fact]
    public void An_empty_history_is_linearizable() => Assert.Null(LinearizabilityChecker.Check([]));

    [Fact]
    public void A_read_concurrent_with_a_write_may_see_it_or_not()
    {
        Assert.Null(LinearizabilityChecker.Check([Write(1, 10, 5), Read(2, 3, 0)]));
        Assert.Null(LinearizabilityChecker.Check([Write(1, 10, 5), Read(2, 3, 5)]));
    }

    [Fact]
    public void A_read_after_a_write_must_see_it() =>
        Assert.NotNull(LinearizabilityChecker.Check([Write(1, 2, 5), Read(3, 4, 0)]));

    [Fact]
    public void Touching_times_are_concurrent() =>
        Assert.Null(LinearizabilityChecker.Check([Write(1, 2, 5), Read(2, 4, 0)]));

    [Fact]
    public void Once_seen_a_write_stays_seen() =>
        Assert.NotNull(LinearizabilityChecker.Check([Write(1, 10, 5), Read(2, 3, 5), Read(4, 5, 0)]));

    [Fact]
    public void An_unknown_write_may_take_effect_late_or_never()
    {
        Assert.Null(LinearizabilityChecker.Check([Write(1, 2, 5, Outcome.Unknown), Read(3, 4, 0), Read(5, 6, 5)]));
        Assert.Null(LinearizabilityChecker.Check([Write(1, 2, 5, Outcome.Unknown), Read(3, 4, 0), Read(5, 6, 0)]));
    }

    [Fact]
    public void An_unknown_write_does_not_come_and_go() =>
        Assert.NotNull(LinearizabilityChecker.Check(
            [Write(1, 2, 5, Outcome.Unknown), Read(3, 4, 5), Read(5, 6, 0)]));

    [Fact]
    public void An_aborted_write_is_never_seen() =>
        Assert.NotNull(LinearizabilityChecker.Check([Write(1, 2, 5, Outcome.Aborted), Read(3, 4, 5)]));

    [Fact]
    public void Of_two_swaps_from_one_value_only_one_succeeds()
    {
        Assert.Null(LinearizabilityChecker.Check([Swap(1, 5, 0, 1), Swap(2, 6, 1, 2)]));
        Assert.NotNull(LinearizabilityChecker.Check([Swap(1, 5, 0, 1), Swap(2, 6, 0, 2)]));
    }

    [Fact]
    public void Keys_are_judged_one_by_one()
    {
        var bad = LinearizabilityChecker.Check(
            [Write(1, 2, 5), Read(3, 4, 5), Read(3, 4, 7) with { Key = "y" }]);
        Assert.Contains("register y", bad);
    }

    // An atomic register in the middle of each operation's interval explains every generated history; a read changed to a value
    // that was overwritten before it began does not.
    [Fact]
    public void Every_history_of_an_atomic_register_is_accepted() =>
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 20], Gen.Int[0, 1]).Array[1, 40].Sample(steps =>
        {
            var history = Atomic(steps);
            return LinearizabilityChecker.Check(history) is null;
        });

    [Fact]
    public void A_read_of_a_value_never_written_is_refused() =>
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 20], Gen.Int[0, 1]).Array[1, 40].Sample(steps =>
        {
            List<RegisterOperation> history = [.. Atomic(steps), Read(1, 100_000, -1)];
            return LinearizabilityChecker.Check(history) is not null;
        });

    private static List<RegisterOperation> Atomic((int Before, int After, int IsWrite)[] steps)
    {
        var history = new List<RegisterOperation>();
        long state = 0;
        for (var at = 0; at < steps.Length; at++)
        {
            var moment = 100 + at * 10;
            var (start, end) = (moment - steps[at].Before, moment + steps[at].After);
            if (steps[at].IsWrite == 1)
            {
                state = at + 1;
            }

            history.Add(steps[at].IsWrite == 1 ? Write(start, end, state) : Read(start, end, state));
        }

        return history;
    }
}
