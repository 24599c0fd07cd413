using System.Xml.Linq;
using Xunit;

namespace Synod.House.Tests;

/// <summary>A project refers only to floors below its own, so no floor can call upwards.</summary>
public sealed class FloorTests
{
    private static readonly SortedDictionary<string, int> Floors = new(StringComparer.Ordinal)
    {
        ["Synod.Core"] = 1,
        ["Synod.Api"] = 2,
        ["Synod.Crdt"] = 2,
        ["Synod.Protocols"] = 2,
        ["Synod.Storage"] = 2,
        ["Synod.Exploration"] = 3,
        ["Synod.Node"] = 3,
        ["Synod.Simulation"] = 3,
        ["Synod.Database"] = 4,
        ["Synod.Lab"] = 4,
        ["Synod.Client"] = 5,
        ["Synod.Doors.Direct"] = 6,
        ["Synod.Doors.Grpc"] = 6,
        ["Synod.Workloads"] = 6,
        ["Synod.Hosting"] = 7,
        ["synod"] = 8,
    };

    private static readonly string[] Deterministic = ["Synod.Core", "Synod.Crdt", "Synod.Database", "Synod.Protocols", "Synod.Storage"];

    public static TheoryData<string> Projects() => [.. Repository.Files("src", "*.csproj")];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_only_to_floors_below(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(Floors.TryGetValue(name, out var floor), $"{name} has no floor yet.");
        foreach (var reference in References(project))
        {
            Assert.True(Floors[reference] < floor, $"{name} on floor {floor} refers to {reference} on floor {Floors[reference]}.");
        }
    }

    [Fact]
    public void Deterministic_floors_are_held_to_it_by_the_analyzer()
    {
        foreach (var project in Repository.Files("src", "*.csproj"))
        {
            var isMarked = XDocument.Parse(Repository.Read(project)).Descendants("SynodDeterministic").Any(item => item.Value == "true");
            Assert.Equal(Deterministic.Contains(Path.GetFileNameWithoutExtension(project)), isMarked);
        }
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var listed = XDocument.Parse(Repository.Read("Synod.slnx")).Descendants("Project").Select(item => item.Attribute("Path")!.Value);
        Assert.Equal(
            new[] { "src", "tests", "bench" }.SelectMany(folder => Repository.Files(folder, "*.csproj")).Order(StringComparer.Ordinal),
            listed.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> References(string project) =>
        XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference")
            .Select(item => Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value.Replace('\\', '/')));
}
