using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Synod.Bench.Reports;
using Synod.Client;

namespace Synod.Bench.Idle;

/// <summary>What a number of ranges cost that nobody uses.</summary>
internal sealed record IdleRanges(int Ranges, double CutSeconds, IReadOnlyList<double> FewShares, IReadOnlyList<double> ManyShares)
{
    /// <summary>Measures the cluster as it is, cuts it into <paramref name="ranges"/> ranges, lets it settle, measures again.</summary>
    public static async Task<IdleRanges> MeasureAsync(
        IReadOnlyList<string> endpoints, IReadOnlyList<int> processes, int ranges, TimeSpan settle, TimeSpan measure, TextWriter progress)
    {
        await using var client = new SynodClient(new SynodClientOptions { Endpoints = endpoints });
        (await client.PutAsync("idle/touched", "once")).EnsureCommitted();
        await Task.Delay(settle);
        var few = await ProcessorShare.MeasureAsync(processes, measure);
        var began = Stopwatch.GetTimestamp();
        var have = (await client.DirectoryAsync()).Ranges.Count;
        for (var cut = have; cut < ranges; cut++)
        {
            await client.SplitAsync($"idle/{cut:D6}");
            if (cut % 100 == 0)
            {
                await progress.WriteLineAsync($"  {cut} ranges");
            }
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var count = (await client.DirectoryAsync()).Ranges.Count;
        await Task.Delay(settle);
        return new IdleRanges(count, seconds, few, await ProcessorShare.MeasureAsync(processes, measure));
    }

    public void Write(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"Share of a core per node, {Ranges} idle ranges ({CutSeconds:N1} s to cut them)");
        var table = new TextTable("node", "", "few ranges", "many ranges");
        for (var node = 0; node < ManyShares.Count; node++)
        {
            table.Add(
                (node + 1).ToString(CultureInfo.InvariantCulture), "", FewShares[node].ToString("P2", CultureInfo.InvariantCulture),
                ManyShares[node].ToString("P2", CultureInfo.InvariantCulture));
        }

        table.Write(output);
    }

    public JsonObject ToJson() => new()
    {
        ["ranges"] = Ranges,
        ["cut_seconds"] = Math.Round(CutSeconds, 2),
        ["share_few"] = new JsonArray([.. FewShares.Select(share => JsonValue.Create(Math.Round(share, 5)))]),
        ["share_many"] = new JsonArray([.. ManyShares.Select(share => JsonValue.Create(Math.Round(share, 5)))]),
    };
}
