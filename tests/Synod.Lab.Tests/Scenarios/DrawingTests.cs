using System.Runtime.CompilerServices;
using Synod.Lab.Drawing;
using Synod.Lab.Scenarios;

namespace Synod.Lab.Tests.Scenarios;

/// <summary>Diagrams as they are printed, for people to read when they change; <c>SYNOD_REWRITE_TRACES=1</c> writes them anew.</summary>
public sealed class DrawingTests
{
    [Theory]
    [InlineData("2pc-coordinator-told-one")]
    [InlineData("money-transfer")]
    [InlineData("3pc-partition")]
    [InlineData("re-added-apple")]
    public void The_diagram_is_as_written(string name)
    {
        var file = Path.Combine(Folder(), name + ".txt");
        var drawn = string.Join("\n", ScenarioList.Named(name).Run(1).Acts.Select(act => $"{act.Heading}\n{SpaceTimeText.Draw(act.History)}"));
        if (Environment.GetEnvironmentVariable("SYNOD_REWRITE_TRACES") == "1")
        {
            File.WriteAllText(file, drawn);
        }

        Assert.Equal(File.ReadAllText(file), drawn);
    }

    [Fact]
    public void A_table_is_aligned_and_a_plot_has_its_curves()
    {
        var figures = new Figures("x", ["name", "n"], [["a", "1"], ["long", "100"]]);
        Assert.Equal("name    n\n────  ───\na       1\nlong  100\n", TextTable.Draw(figures));
        var plot = TextTable.Draw(new Plot("n", "messages", [1, 2], [new("square", [1, 4]), new("line", [1, 2])]));
        Assert.Contains('a', plot);
        Assert.Contains('b', plot);
        Assert.EndsWith("messages: a square, b line\n", plot, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_goes_where_there_is_room()
    {
        LabelBox here = new(100, 100, 0, 60, 12), across = new(100, 100, Math.PI / 4, 60, 12), below = new(100, 113, 0, 60, 12), beside = new(161, 100, 0, 60, 12);
        Assert.True(here.Overlaps(across) && across.Overlaps(here) && across.Overlaps(below));
        Assert.False(here.Overlaps(below) || here.Overlaps(beside));
        Assert.Equal([0, 1], new LabelPlaces([], [[here], [across, below]]).Arrange());
        Assert.Equal([1], new LabelPlaces([here], [[across, below]]).Arrange());

        // Nothing is free: the first steps aside, and another for it.
        Assert.Equal([1, 1, 0], new LabelPlaces([], [[here, below], [below, beside], [across with { Angle = 0 }]]).Arrange());

        // Nor can anything be freed: what covers the least, and a mark rather than another label.
        Assert.Equal([0, 0, 1], new LabelPlaces([], [[here], [below], [new(100, 106, 0, 60, 12), beside with { X = 155 }]]).Arrange());
        Assert.Equal([0, 1], new LabelPlaces([beside], [[here], [across, beside with { X = 165 }]]).Arrange());
    }

    [Fact]
    public void A_legend_says_what_the_marks_mean_that_are_there()
    {
        Assert.StartsWith("▶ arrives  ▷ asked  ◁ answered  ▪ durable", SpaceTimeText.Legend, StringComparison.Ordinal);
        var drawn = SvgPicture.Draw(ScenarioList.Named("2pc-coordinator-told-one").Run(1));
        Assert.All(["asked", "answered", "durable", "decided", "time-out", "crash", "lost"], meaning => Assert.Contains($">{meaning}</text>", drawn, StringComparison.Ordinal));
        Assert.All(["executed", "restart"], meaning => Assert.DoesNotContain($">{meaning}</text>", drawn, StringComparison.Ordinal));
    }

    private static string Folder([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "Drawings");
}
