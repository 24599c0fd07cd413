using System.Globalization;
using Synod.Cluster.Tests.Support;
using Synod.Workloads;

namespace Synod.Cluster.Tests.Faults;

/// <summary>Disks that forget, and folders that belong to somebody else.</summary>
public class DamagedDiskTests
{
    private const int RefusedExitCode = 5;

    private const int SectorBytes = 512;

    [Fact]
    public async Task A_flipped_bit_is_told_with_its_place_and_never_guessed_over()
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        await run.CommitsAsync(200);
        var node = await cluster.BusiestAsync();
        await node.KillAsync();
        var (file, offset) = FlipBit(Path.Combine(node.Folder, "log"));

        for (var start = 0; start < 2; start++)
        {
            var refused = node.Start();
            Assert.Equal(RefusedExitCode, await refused.ExitAsync());
            Assert.Contains($"'{file}' is damaged at byte {offset.ToString(CultureInfo.InvariantCulture)}", refused.Errors, StringComparison.Ordinal);
            Assert.Contains("empty the folder and start the node with --rejoin", refused.Errors, StringComparison.Ordinal);
        }

        await run.CommitsAsync();
        await RejoinAsync(cluster, run, node);
        await run.FinishAsync();
    }

    [Fact]
    public async Task A_node_that_lost_its_disk_is_refused_until_it_rejoins_as_a_new_replica()
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        await run.CommitsAsync();
        var node = cluster.Node(2);
        await node.KillAsync();
        node.Wipe();

        var stranger = node.Start();
        await stranger.SaysAsync("may have forgotten its votes");
        await run.CommitsAsync();
        await cluster.AnswersAsync(node);
        Assert.DoesNotContain((await cluster.StatusAsync(node))!.Groups, group => group.Role == "Leader");

        // Its folder has become that of a new node by now: whoever says that it is lost must really have emptied it.
        await node.KillAsync();
        var careless = node.Start("--rejoin");
        Assert.Equal(2, await careless.ExitAsync());
        Assert.Contains("is not empty", careless.Errors, StringComparison.Ordinal);

        await RejoinAsync(cluster, run, node);
        await run.FinishAsync();
    }

    [Fact]
    public async Task Nobody_recovers_from_anothers_promises()
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        await run.CommitsAsync();
        var node = cluster.Node(3);
        await node.KillAsync();

        string[] others = [.. cluster.Arguments.SkipWhile(argument => argument != "--node")];
        var otherCluster = await SynodProgram.RunAsync(
            ["start", "--id", "3", "--cluster", "another", "--data", node.Folder, "--clock", "bound", "--max-offset", "0", .. others]);
        otherCluster.Fails(RefusedExitCode, "belongs to cluster", cluster.Name, "another", "Point this node at its own data folder");

        var otherNode = await SynodProgram.RunAsync(["start", "--id", "1", "--data", node.Folder, .. cluster.Arguments]);
        otherNode.Fails(RefusedExitCode, "node 3", "node 1");

        var inUse = await SynodProgram.RunAsync(["start", "--id", "2", "--data", cluster.Node(2).Folder, .. cluster.Arguments]);
        inUse.Fails(RefusedExitCode, "use");

        // Nothing was changed by any of these.
        node.Start();
        await cluster.AnswersAsync(node);
        await cluster.CaughtUpAsync(node);
        await run.CommitsAsync();
        await run.FinishAsync();
    }

    /// <summary>Comes back with an empty folder, is a replica of everything again, and its vote is enough when another node is gone.</summary>
    private static async Task RejoinAsync(TestCluster cluster, WorkloadRun run, TestNode node)
    {
        node.Wipe();
        node.Start("--rejoin");
        await cluster.AnswersAsync(node);
        await cluster.CaughtUpAsync(node);
        await run.CommitsAsync();
        await cluster.CaughtUpAsync(node);

        var other = cluster.Others(node).First();
        await other.KillAsync();
        await run.CommitsAsync();

        // The flag may stay in whatever starts the node.
        await node.KillAsync();
        node.Start("--rejoin");
        other.Start();
        await cluster.AnswersAsync(node);
        await cluster.AnswersAsync(other);
        await cluster.CaughtUpAsync(node);
        await cluster.CaughtUpAsync(other);
        await run.CommitsAsync();
    }

    /// <summary>Flips a bit in the records of a batch in the middle of the log; returns where the batch begins.</summary>
    private static (string File, long Offset) FlipBit(string folder)
    {
        var path = Directory.GetFiles(folder, "segment-*").Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(path);
        var batches = Enumerable.Range(1, bytes.Length / SectorBytes - 1)
            .Select(sector => sector * SectorBytes)
            .Where(offset => bytes.AsSpan(offset, 4).SequenceEqual("SNB1"u8))
            .ToList();
        Assert.True(batches.Count > 10);
        var batch = batches[batches.Count / 2];
        using var file = File.OpenWrite(path);
        file.Position = batch + 80;
        file.WriteByte((byte)(bytes[batch + 80] ^ 0x10));
        return (Path.GetFileName(path), batch);
    }
}
