using Synod.Client;
using Synod.Core;

namespace Synod.Workloads.Simulated;

/// <summary>An operator who splits ranges and moves leaders while everyone works.</summary>
internal sealed class Rearrangement(IWorkload workload, IReadOnlyList<NodeId> nodes)
{
    private const int MostSplits = 4;

    public async Task WorkAsync(WorkloadContext context, int worker)
    {
        var random = context.Random(worker);
        var client = context.Client(worker);
        var splits = 0;
        while (!context.IsStopping)
        {
            await context.PauseAsync(TimeSpan.FromMilliseconds(random.Between(500, 4_000)));
            try
            {
                if (splits < MostSplits && random.Below(3) == 0)
                {
                    splits++;
                    await client.SplitAsync(workload.AnyKey(random));
                }
                else
                {
                    var directory = await client.DirectoryAsync();
                    if (directory.Ranges.Count > 0)
                    {
                        var range = directory.Ranges[random.Below(directory.Ranges.Count)];
                        await client.TransferLeadershipAsync(range.Group, nodes[random.Below(nodes.Count)].Value);
                    }
                }
            }
            catch (Exception refused) when (refused is SynodUnavailableException or SynodRefusedException)
            {
                context.Statistics.CountUnavailable();
            }
        }
    }
}
