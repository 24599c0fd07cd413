using System.Text.Json.Nodes;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary><c>synod sim</c>, from its arguments to what it prints and its exit code. Each run here is short.</summary>
public sealed class SimTests : IDisposable
{
    private const int Failed = 1;
    private const int Usage = 2;
    private const string Replay = "synod:   replay: ./synod ";

    private readonly string _folder = Directory.CreateTempSubdirectory("synod-sim").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_failure_names_the_invariant_writes_the_trace_and_prints_the_command_that_replays_it()
    {
        var trace = Path.Combine(_folder, "failure.trace");
        var failure = (await SynodProgram.RunAsync(
            "sim", "--bug", "intent-released-early", "--seeds", "1..3", "--seconds", "4", "--trace", trace)).Ends(Failed);
        var (said, replay) = First(failure);

        var written = await File.ReadAllTextAsync(trace, TestContext.Current.CancellationToken);
        Assert.True(written.Count(letter => letter == '\n') > 100, "The trace has hardly an event.");

        var again = (await SynodProgram.RunAsync([.. replay, "--trace", trace])).Ends(Failed);
        Assert.Equal(said, First(again).Said);
        Assert.Equal(replay, First(again).Replay);
    }

    [Fact]
    public async Task A_clean_run_says_so_and_every_seed_is_the_same_twice()
    {
        var result = JsonNode.Parse((await SynodProgram.RunAsync(
            "sim", "-w", "all", "--seeds", "3..4", "--seconds", "2", "--twice", "--json")).Ends(0).Output)!;
        Assert.True((bool)result["ok"]!);
        Assert.Equal(0, (int)result["unequal"]!);
        Assert.Empty(result["failures"]!.AsArray());
        Assert.True((long)result["transactions_committed"]! > 0);
    }

    [Fact]
    public async Task A_failure_is_told_once_and_the_table_has_only_what_happened()
    {
        var trace = Path.Combine(_folder, "failure.trace");
        var failure = (await SynodProgram.RunAsync(
            "sim", "--bug", "intent-released-early", "--seeds", "1..2", "--seconds", "4", "--trace", trace)).Ends(Failed);
        var said = failure.Errors.Split('\n').Where(line => line.Contains("wrong-audit", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, said.Count);
        Assert.Equal(2, said.Distinct().Count());
        Assert.Equal(2, failure.Errors.Split(Replay).Length - 1);

        // A file that was asked for by name has one trace.
        Assert.Single(failure.Errors.Split('\n'), line => line.Contains(trace, StringComparison.Ordinal));
        var faults = failure.Output.Split('\n').Where(line => line.StartsWith("│   ", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(faults);
        Assert.Single(faults, line => line.EndsWith(" 0 │", StringComparison.Ordinal) && line.Contains("other kinds", StringComparison.Ordinal));
        Assert.Single(faults, line => line.EndsWith(" 0 │", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--trace", "/no/such/folder/x.trace")]
    [InlineData("--seeds", "9..1")]
    [InlineData("--seeds", "many")]
    [InlineData("--seconds", "0")]
    [InlineData("--workload", "roulette")]
    [InlineData("--bug", "no-such-bug")]
    [InlineData("--frobnicate", "1")]
    public async Task Bad_arguments_are_named(string flag, string value) =>
        (await SynodProgram.RunAsync("sim", flag, value)).Fails(Usage);

    private static (string Said, string[] Replay) First(Finished failure)
    {
        var lines = failure.Errors.Split('\n');
        var at = Array.FindIndex(lines, line => line.StartsWith(Replay, StringComparison.Ordinal));
        Assert.True(at >= 2, failure.Errors);
        return (lines[at - 2], lines[at][Replay.Length..].Split(' '));
    }
}
