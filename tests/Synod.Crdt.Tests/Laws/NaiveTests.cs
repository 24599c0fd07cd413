using Synod.Crdt.Laws;
using Synod.Lab.Worlds.Convergence;

namespace Synod.Crdt.Tests.Laws;

/// <summary>What looks right and is not, with the counterexamples that the checker prints.</summary>
public sealed class NaiveTests
{
    private static readonly Operation<NaiveOrSet> s_add = new("add", 2, static (set, me, element) => set.Add(me, Checkers.Element(element)));

    private static readonly Operation<NaiveOrSet> s_remove = new("remove", 2, static (set, _, element) => set.Remove(Checkers.Element(element)));

    [Fact]
    public void The_union_of_tags_is_no_set_that_one_can_remove_from()
    {
        var checker = new LawChecker<NaiveOrSet>(new(), s_add, s_remove) { Specification = Checkers.AddWins };
        const string Expected =
            "NaiveOrSet breaks the law Inflation:\n"
            + "  A: add(0)\n"
            + "  A: remove(0)\n"
            + "  => {a} became {}, which does not hold what was there before: joined they are {a}";
        Assert.Equal(Expected, checker.Search(runs: 200, steps: 30)?.ToString());
        Assert.Equal(Expected, checker.Exhaust(steps: 3)?.ToString());
        Assert.Equal(Expected, Assert.Throws<LawViolation>(() => checker.Verify()).Message);
    }

    [Fact]
    public void The_union_of_tags_brings_back_what_was_removed()
    {
        // Even for those who do not mind that its removals are no deltas, and send whole states.
        var checker = new LawChecker<NaiveOrSet>(new(), s_add, s_remove)
        {
            Specification = Checkers.AddWins,
            Without = [Law.Inflation, Law.DeltaIsState, Law.Convergence],
        };
        const string Expected =
            "NaiveOrSet breaks the law Meaning:\n"
            + "  A: add(0)\n"
            + "  B joins the state of A\n"
            + "  A: remove(0)\n"
            + "  A joins the state of B\n"
            + "  => A has {a} and should have {}";
        Assert.Equal(Expected, checker.Exhaust(steps: 4)?.ToString());
        Assert.Equal(Law.Meaning, checker.Search(runs: 200, steps: 30)?.Law);
    }

    [Fact]
    public void To_add_only_is_fine() => new LawChecker<NaiveOrSet>(new(), s_add).Verify();

    [Fact]
    public void The_larger_of_two_differences_loses_what_was_taken()
    {
        var found = new LawChecker<DifferenceCounter>(
            new DifferenceCounter(),
            new Operation<DifferenceCounter>("add", 3, static (counter, me, amount) => counter.Add(me, amount)),
            new Operation<DifferenceCounter>("take", 3, static (counter, me, amount) => counter.Add(me, -amount))).Exhaust(steps: 3);
        Assert.Equal(Law.Inflation, found?.Law);
        Assert.Equal(["A: add(0)", "A: take(1)"], found!.Steps);
    }
}
