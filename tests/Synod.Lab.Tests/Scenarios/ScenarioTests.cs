using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Synod.Lab.Drawing;
using Synod.Lab.Histories;
using Synod.Lab.Scenarios;

namespace Synod.Lab.Tests.Scenarios;

/// <summary>Every scenario keeps its promise, under several seeds, and is the same run each time.</summary>
public sealed partial class ScenarioTests
{
    private static readonly Dictionary<string, Report> s_first = [];

    public static TheoryData<string> Names() => [.. ScenarioList.All.Select(scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_verdict_is_the_promised_one(string name)
    {
        var scenario = ScenarioList.Named(name);
        foreach (var report in SeedsOf(name).Select(seed => seed == 1 ? First(name) : scenario.Run(seed)))
        {
            Assert.True(report.IsAsPromised, $"seed {report.Seed}: {string.Join("; ", report.Findings.Where(item => item.Holds == scenario.Promise.Broken.Contains(item.Name)))}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_seed_is_the_same_run(string name)
    {
        var (first, second) = (First(name), ScenarioList.Named(name).Run(1));
        Assert.Equal(first.Acts.Select(act => act.History.ToString()), second.Acts.Select(act => act.History.ToString()));
        Assert.Equal(JsonReport.Of(first).ToJsonString(), JsonReport.Of(second).ToJsonString());
        Assert.Equal(SvgPicture.Draw(first), SvgPicture.Draw(second));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_picture_is_sound_and_holds_every_event(string name)
    {
        var report = First(name);
        var picture = XDocument.Parse(SvgPicture.Draw(report));
        Assert.Equal("svg", picture.Root!.Name.LocalName);
        var drawn = picture.Descendants().Attributes("data-event").SelectMany(item => item.Value.Split(' ')).ToList();
        Assert.Equal(
            report.Acts.SelectMany(act => act.History.Events).Select(item => $"{item.Number}").Order(StringComparer.Ordinal),
            drawn.Order(StringComparer.Ordinal));
        Assert.All(
            picture.Descendants().Where(item => item.Attribute("data-event") is not null),
            item => Assert.NotEmpty(item.Elements().Single(child => child.Name.LocalName == "title").Value));
        Assert.DoesNotContain("NaN", picture.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Words_of_arrows_do_not_stand_on_each_other(string name)
    {
        var boxes = XDocument.Parse(SvgPicture.Draw(First(name))).Descendants()
            .Where(item => item.Attribute("class")?.Value.StartsWith("label", StringComparison.Ordinal) == true).Select(BoxOf).ToList();
        Assert.All(
            boxes.Index(), item => Assert.All(boxes.Take(item.Index), before => Assert.False(before.Box.Overlaps(item.Item.Box), $"{before.Words} and {item.Item.Words}")));

        static (string Words, LabelBox Box) BoxOf(XElement label)
        {
            var turn = double.Parse(label.Attribute("transform")!.Value.Split('(', ' ')[1], CultureInfo.InvariantCulture) * Math.PI / 180;
            return (label.Value, new(Place(label, "x"), Place(label, "y") - 4, turn, label.Value.Length * 6, 10));
        }

        static double Place(XElement label, string axis) => double.Parse(label.Attribute(axis)!.Value, CultureInfo.InvariantCulture);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_diagram_shows_every_arrival_and_mark(string name)
    {
        foreach (var history in First(name).Acts.Select(act => act.History))
        {
            var drawn = SpaceTimeText.Draw(history);
            Assert.Equal(
                history.Events.Count(item => item.Kind is EventKind.Decided), drawn.Count(letter => letter == '★'));
            Assert.Equal(
                history.Events.Count(item => item.Kind is EventKind.Arrived), drawn.Count(letter => letter is '▶' or '◀'));
            Assert.All(drawn.Split('\n').Skip(1).Where(line => line.Length > 0 && !line.Contains('⋮')), line => Assert.Matches(Time(), line));
        }
    }

    [Fact]
    public void Names_are_unique_and_titles_are_sentences()
    {
        Assert.Equal(ScenarioList.All.Count, ScenarioList.All.Select(scenario => scenario.Name).Distinct().Count());
        Assert.All(ScenarioList.All, scenario => Assert.EndsWith(".", scenario.Title, StringComparison.Ordinal));
    }

    [Fact]
    public void An_unknown_name_is_answered_with_the_list()
    {
        var refused = Assert.Throws<ArgumentException>(() => ScenarioList.Named("4pc"));
        Assert.All(ScenarioList.All, scenario => Assert.Contains(scenario.Name, refused.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_seed_changes_what_is_left_to_chance()
    {
        var runs = Enumerable.Range(1, 8).Select(seed => ScenarioList.Named("2pc-blocking").Run((ulong)seed).Acts[0].History.ToString());
        Assert.True(runs.Distinct().Count() > 1);
    }

    /// <summary>Counting up to 128 replicas, or spreading among 10,000 nodes, takes a while.</summary>
    private static ulong[] SeedsOf(string name) => name is "hotstuff-linear" or "status-spreads" or "half-the-cluster-dies" ? [1] : [1, 2, 3];

    /// <summary>The report of seed 1, which several tests look at.</summary>
    private static Report First(string name) =>
        s_first.TryGetValue(name, out var report) ? report : s_first[name] = ScenarioList.Named(name).Run(1);

    [GeneratedRegex(@"^ *\d+\.\d ")]
    private static partial Regex Time();
}
