using System.Text.Json.Nodes;
using System.Xml.Linq;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary><c>synod lab</c>, from its arguments to what it prints and its exit code.</summary>
public class LabTests
{
    private const int Usage = 2;

    [Fact]
    public async Task The_list_names_every_scenario_and_what_it_shows()
    {
        var listed = JsonNode.Parse((await SynodProgram.RunAsync("lab", "list", "--json")).Ends(0).Output)!["scenarios"]!.AsArray();
        Assert.Contains(listed, item => (string?)item!["name"] == "money-transfer");
        Assert.All(listed, item => Assert.NotEmpty((string)item!["title"]!));
        var partition = Assert.Single(listed, item => (string?)item!["name"] == "3pc-partition")!;
        Assert.NotEmpty(partition["broken"]!.AsArray());
        var drawn = (await SynodProgram.RunAsync("lab", "list")).Ends(0).Output;
        Assert.All(listed, item => Assert.Contains((string)item!["name"]!, drawn, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_shows_the_diagram_the_story_and_the_verdict()
    {
        var shown = (await SynodProgram.RunAsync("lab", "run", "2pc-coordinator-told-one")).Ends(0).Output;
        Assert.Contains("├─ Prepare", shown, StringComparison.Ordinal);
        Assert.Contains("verdict: consistent, as promised", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3pc-partition", "inconsistent")]
    [InlineData("2pc-blocking", "blocked")]
    public async Task A_promise_that_something_breaks_is_kept_by_breaking_it(string scenario, string verdict)
    {
        var report = JsonNode.Parse((await SynodProgram.RunAsync("lab", "run", scenario, "--seed", "5", "--json")).Ends(0).Output)!;
        Assert.Equal(verdict, (string?)report["verdict"]);
        Assert.True((bool)report["as_promised"]!);
        Assert.Equal(5, (long)report["seed"]!);
        Assert.NotEmpty(report["histories"]![0]!["events"]!.AsArray());
    }

    [Fact]
    public async Task A_run_is_drawn_into_a_file()
    {
        var file = Path.Combine(Path.GetTempPath(), $"synod-lab-{Guid.NewGuid():N}.svg");
        try
        {
            (await SynodProgram.RunAsync("lab", "run", "money-transfer", "--svg", file)).Ends(0);
            Assert.Equal("svg", XDocument.Load(file).Root!.Name.LocalName);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("/", "a folder")]
    [InlineData("/no/such/folder/x.svg", "no folder '/no/such/folder'")]
    [InlineData("/proc/x.svg", "cannot be written")]
    public async Task A_picture_that_cannot_be_written_is_refused(string file, string says) =>
        Assert.Empty((await SynodProgram.RunAsync("lab", "run", "2pc-blocking", "--svg", file)).Fails(Usage, file, says).Output);

    [Theory]
    [InlineData("commit")]
    [InlineData("consensus")]
    public async Task Costs_are_counted_beside_their_formulas(string family)
    {
        var costs = JsonNode.Parse((await SynodProgram.RunAsync("lab", "cost", family, "--json")).Ends(0).Output)!;
        Assert.True((bool)costs["ok"]!);
        Assert.All(costs["costs"]!.AsArray(), line => Assert.Equal((long)line!["expected"]!, (long)line["counted"]!));
    }

    [Fact]
    public async Task A_proof_says_what_it_saw_and_how_far_it_came_on_the_way()
    {
        var listed = JsonNode.Parse((await SynodProgram.RunAsync("lab", "prove", "--json")).Ends(0).Output)!["proofs"]!.AsArray();
        Assert.Contains(listed, item => (string?)item!["name"] == "pbft-twin-n1");
        var run = (await SynodProgram.RunAsync("lab", "prove", "pbft-twin-n1", "--size", "1", "--json")).Ends(0);
        var proof = JsonNode.Parse(run.Output)!;
        Assert.True((bool)proof["holds"]!);
        Assert.Contains("states of", (string)proof["seen"]!, StringComparison.Ordinal);
        Assert.Contains("round 1, worlds followed: 1 of 1", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_does_not_exist_is_answered_with_what_does()
    {
        (await SynodProgram.RunAsync("lab", "prove", "p-is-np")).Fails(Usage, "'p-is-np'", "pbft-twin-n1");
        (await SynodProgram.RunAsync("lab", "run", "4pc")).Fails(Usage, "'4pc'", "money-transfer", "3pc-partition");
        (await SynodProgram.RunAsync("lab", "cost", "gossip")).Fails(Usage, "'gossip'", "commit", "consensus", "byzantine");
        var judged = JsonNode.Parse((await SynodProgram.RunAsync("lab", "run", "4pc", "--json")).Fails(Usage, "'4pc'").Output)!;
        Assert.False((bool)judged["ok"]!);
        Assert.Contains("There is no scenario '4pc'", (string)judged["error"]!, StringComparison.Ordinal);
    }
}
