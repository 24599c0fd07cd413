using Synod.Bench.Reports;

namespace Synod.Bench.Load;

/// <summary>
/// Runs the same load against two targets in one run, taking turns, so that a disturbance of the machine hits both. Of two
/// targets the first is ours and the second the peer.
/// </summary>
internal sealed record Comparison(string Title, IReadOnlyList<int> Clients, int Rounds, TimeSpan WarmUp, TimeSpan Measure)
{
    private const int Seed = 20_261_123;

    public async Task<ComparisonReport> RunAsync(IReadOnlyList<ITarget> targets, TextWriter progress)
    {
        foreach (var target in targets)
        {
            // Once for all: a side that is compiled while it runs would else begin its first stretch half compiled.
            await new ClosedLoop(target, Clients.Max(), Seed).RunAsync(2 * WarmUp, WarmUp, new LoadResult(target.Name, Clients.Max()));
        }

        var pairs = new List<LoadResult[]>();
        foreach (var clients in Clients)
        {
            var results = targets.Select(target => new LoadResult(target.Name, clients)).ToArray();
            for (var round = 0; round < Rounds; round++)
            {
                for (var index = 0; index < targets.Count; index++)
                {
                    // Who goes first changes, so that neither always follows the other's dirty pages.
                    var turn = round % 2 == 0 ? index : targets.Count - 1 - index;
                    await new ClosedLoop(targets[turn], clients, Seed + (round * 1_000))
                        .RunAsync(WarmUp, Measure, results[turn]);
                    await progress.WriteLineAsync(
                        $"  {targets[turn].Name}, {clients} clients, round {round + 1}: {results[turn].Stretches[^1]:N0}/s");
                }
            }

            pairs.Add(results);
        }

        return new ComparisonReport(Title, pairs);
    }
}
