using Synod.Simulation.Histories;

namespace Synod.Simulation.Tests.Histories;

/// <summary>Known good and known bad histories of convergent objects: the checker passes the first and names what is wrong with the others.</summary>
public sealed class ConvergenceCheckerTests
{
    private readonly ConvergenceChecker _checker = new();

    [Fact]
    public void An_add_that_a_removal_has_not_seen_wins()
    {
        Add(1, ConvergentType.AddWinsSet, "x");
        Add(2, ConvergentType.AddWinsSet, "x", 1);
        Remove(3, ConvergentType.AddWinsSet, "x", 1);
        Assert.Empty(Shown(ConvergentType.AddWinsSet, [1, 2, 3], "x"));
        Assert.Equal("wrong-value", Single(Shown(ConvergentType.AddWinsSet, [1, 2, 3])));
    }

    [Fact]
    public void What_was_removed_does_not_come_back()
    {
        Add(1, ConvergentType.AddWinsSet, "x");
        Remove(2, ConvergentType.AddWinsSet, "x", 1);
        Assert.Empty(Shown(ConvergentType.AddWinsSet, [1, 2]));
        Assert.Empty(Shown(ConvergentType.AddWinsSet, [1], "x"));
        Assert.Equal("wrong-value", Single(Shown(ConvergentType.AddWinsSet, [1, 2], "x")));
    }

    [Fact]
    public void A_removal_of_what_was_never_there_does_nothing()
    {
        Remove(1, ConvergentType.AddWinsSet, "x");
        Add(2, ConvergentType.AddWinsSet, "x");
        Assert.Empty(Shown(ConvergentType.AddWinsSet, [1, 2], "x"));
    }

    [Fact]
    public void Every_increment_counts_once()
    {
        _checker.Note(Operation(1, ConvergentType.Counter, "", amount: 3));
        _checker.Note(Operation(2, ConvergentType.Counter, "", amount: -1));
        Assert.Empty(Counted(ConvergentType.Counter, [1, 2], 2));
        Assert.Empty(Counted(ConvergentType.Counter, [1], 3));
        Assert.Equal("wrong-value", Single(Counted(ConvergentType.Counter, [1, 2], 3)));
        Assert.Equal("wrong-value", Single(Counted(ConvergentType.Counter, [1, 2], 5)));
    }

    [Fact]
    public void A_stock_is_never_below_zero()
    {
        _checker.Note(Operation(1, ConvergentType.BoundedCounter, "", amount: 2));
        _checker.Note(Operation(2, ConvergentType.BoundedCounter, "", amount: -3));
        Assert.Empty(Counted(ConvergentType.BoundedCounter, [1], 2));
        Assert.Equal(["below-zero"], Counted(ConvergentType.BoundedCounter, [1, 2], -1).Select(anomaly => anomaly.Name));
    }

    [Fact]
    public void A_removed_name_keeps_what_its_removal_has_not_seen_and_no_more()
    {
        _checker.Note(Operation(1, ConvergentType.AddWinsMap, "k", amount: 5));
        _checker.Note(Operation(2, ConvergentType.AddWinsMap, "k", amount: 2, observed: [1]));
        Remove(3, ConvergentType.AddWinsMap, "k", 1);
        Assert.Empty(Check([1, 2, 3], ConvergentType.AddWinsMap, new ConvergentItem("k", 2)));
        Assert.Equal("wrong-value", Single(Check([1, 2, 3], ConvergentType.AddWinsMap, new ConvergentItem("k", 7))));
        Assert.Equal("wrong-value", Single(Check([1, 3], ConvergentType.AddWinsMap, new ConvergentItem("k", 0))));
        Assert.Empty(Check([1, 3], ConvergentType.AddWinsMap));
    }

    [Fact]
    public void A_register_shows_every_write_that_no_other_has_seen()
    {
        Add(1, ConvergentType.MultiValueRegister, "a");
        Add(2, ConvergentType.MultiValueRegister, "b", 1);
        Add(3, ConvergentType.MultiValueRegister, "c", 1);
        Assert.Empty(Shown(ConvergentType.MultiValueRegister, [1, 2, 3], "b", "c"));
        Assert.Equal("wrong-value", Single(Shown(ConvergentType.MultiValueRegister, [1, 2, 3], "b")));
        Assert.Equal("wrong-value", Single(Shown(ConvergentType.MultiValueRegister, [1, 2], "a", "b")));
    }

    [Fact]
    public void A_last_writer_is_one_that_no_other_has_seen()
    {
        Add(1, ConvergentType.LastWriterRegister, "a");
        Add(2, ConvergentType.LastWriterRegister, "b", 1);
        Add(3, ConvergentType.LastWriterRegister, "c", 1);
        Assert.Empty(Shown(ConvergentType.LastWriterRegister, [1, 2, 3], "b"));
        Assert.Empty(Shown(ConvergentType.LastWriterRegister, [1, 2, 3], "c"));
        Assert.Equal("wrong-value", Single(Shown(ConvergentType.LastWriterRegister, [1, 2, 3], "a")));
        Assert.Equal("wrong-value", Single(Shown(ConvergentType.LastWriterRegister, [1, 2, 3])));
    }

    [Fact]
    public void A_sequence_has_one_order_everywhere_and_puts_what_is_inserted_behind_its_place()
    {
        Add(1, ConvergentType.Sequence, "a");
        _checker.Note(Operation(2, ConvergentType.Sequence, "b", after: "a", observed: [1]));
        _checker.Note(Operation(3, ConvergentType.Sequence, "c", after: "a", observed: [1]));
        Remove(4, ConvergentType.Sequence, "a", 1, 2);
        Assert.Empty(Shown(ConvergentType.Sequence, [1, 2, 3], "a", "b", "c"));
        Assert.Empty(Shown(ConvergentType.Sequence, [1, 2, 3, 4], "b", "c"));
        Assert.Equal("wrong-value", Single(Shown(ConvergentType.Sequence, [1, 2, 3, 4], "a", "b", "c")));
        Assert.Equal("out-of-order", Single(Shown(ConvergentType.Sequence, [1, 2, 3, 4], "c", "b")));
        Assert.Contains(Shown(ConvergentType.Sequence, [1, 2], "b", "a"), anomaly => anomaly.Detail.Contains("behind which it was put", StringComparison.Ordinal));
    }

    [Fact]
    public void No_effect_is_without_its_cause()
    {
        Add(1, ConvergentType.AddWinsSet, "x");
        Add(2, ConvergentType.AddWinsSet, "y", 1);
        Assert.Equal("effect-without-cause", Single(Shown(ConvergentType.AddWinsSet, [2], "y")));
        Assert.Equal("never-happened", Single(Shown(ConvergentType.AddWinsSet, [1, 9], "x")));
    }

    [Fact]
    public void In_the_end_all_show_the_same_and_nothing_that_was_acknowledged_is_missing()
    {
        Add(1, ConvergentType.AddWinsSet, "x");
        Add(2, ConvergentType.AddWinsSet, "y");
        var (all, some) = (View("a", [1, 2], ConvergentType.AddWinsSet, "x", "y"), View("b", [1], ConvergentType.AddWinsSet, "x"));
        Assert.Empty(_checker.CheckEnd([all, all with { Replica = "b" }], [1, 2]));
        Assert.Equal(["lost", "not-converged", "not-converged"], _checker.CheckEnd([all, some], [1, 2]).Select(anomaly => anomaly.Name));
        Assert.Equal(["lost", "lost"], _checker.CheckEnd([some, some with { Replica = "a" }], [2]).Select(anomaly => anomaly.Name));
        Assert.Empty(_checker.CheckEnd([some, some with { Replica = "a" }], [1]));
    }

    private static string Single(IReadOnlyList<Anomaly> anomalies) => Assert.Single(anomalies).Name;

    private static ConvergentOperation Operation(
        long id, ConvergentType type, string element, bool isRemoval = false, long amount = 0, string after = "", params long[] observed) =>
        new(id, type, isRemoval, element, amount, after, observed.ToHashSet());

    private static ConvergentView View(string replica, long[] observed, ConvergentType type, params string[] elements) => new(
        replica,
        observed.ToHashSet(),
        new Dictionary<ConvergentType, IReadOnlyList<ConvergentItem>> { [type] = [.. elements.Select(element => new ConvergentItem(element))] });

    private void Add(long id, ConvergentType type, string element, params long[] observed) => _checker.Note(Operation(id, type, element, observed: observed));

    private void Remove(long id, ConvergentType type, string element, params long[] observed) =>
        _checker.Note(Operation(id, type, element, isRemoval: true, observed: observed));

    private IReadOnlyList<Anomaly> Shown(ConvergentType type, long[] observed, params string[] elements) => _checker.Check(View("a", observed, type, elements));

    private IReadOnlyList<Anomaly> Counted(ConvergentType type, long[] observed, long amount) => Check(observed, type, new ConvergentItem("", amount));

    private IReadOnlyList<Anomaly> Check(long[] observed, ConvergentType type, params ConvergentItem[] items) => _checker.Check(
        new ConvergentView("a", observed.ToHashSet(), new Dictionary<ConvergentType, IReadOnlyList<ConvergentItem>> { [type] = items }));
}
