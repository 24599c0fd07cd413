using Synod.Lab.Costs;

namespace Synod.Lab.Tests.Scenarios;

/// <summary>What is counted is what the notes' formulas say.</summary>
public sealed class CostTests
{
    public static TheoryData<string> Families() => [.. CostTable.Families];

    [Theory]
    [MemberData(nameof(Families))]
    public void Counts_are_as_the_formulas_say(string family)
    {
        var table = CostTable.Of(family);
        Assert.NotEmpty(table.Lines);
        Assert.All(table.Lines, line => Assert.Equal((line.Protocol, line.What, line.Expected), (line.Protocol, line.What, line.Counted)));
        Assert.True(table.IsAsWritten);
    }

    [Fact]
    public void A_count_that_differs_is_seen()
    {
        var table = new CostTable("x", [new("p", "messages", "2n", 8, 9)]);
        Assert.False(table.IsAsWritten);
        Assert.Equal("DIFFERS", table.ToFigures().Rows[0][^1]);
    }
}
