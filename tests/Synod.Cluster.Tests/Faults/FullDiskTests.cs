using System.Diagnostics;
using System.Text;
using Synod.Client;
using Synod.Cluster.Tests.Support;
using Synod.Workloads;

namespace Synod.Cluster.Tests.Faults;

/// <summary>A disk that has no room left.</summary>
public class FullDiskTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_whose_disk_is_full_stops_and_comes_back_when_there_is_room()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Mounting a small file system takes root.");
        await using var cluster = new TestCluster();
        var node = cluster.Node(2);

        // Room for a segment of the log, the spare one and the store, and for no third segment.
        using var disk = new SmallDisk(node.Folder, "150m");
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        await run.CommitsAsync();

        var written = await FillAsync(cluster, node);
        Assert.Equal(5, await node.Program.ExitAsync());
        Assert.Contains("The disk is full", node.Log, StringComparison.Ordinal);
        await run.CommitsAsync();

        // As long as there is no room it must not pretend to be well.
        Assert.Equal(5, await node.Start().ExitAsync());

        disk.Resize("600m");
        node.Start();
        await cluster.AnswersAsync(node);
        await cluster.CaughtUpAsync(node);
        await run.CommitsAsync();
        await run.FinishAsync();
        for (var key = 0; key < written; key++)
        {
            Assert.Equal(1 << 20, (await cluster.Client.GetAsync($"ballast/{key:d4}", Cancellation))!.Value.Length);
        }

        await node.KillAsync();
    }

    /// <summary>Writes until the node has stopped; each write is acknowledged by the other two.</summary>
    private static async Task<int> FillAsync(TestCluster cluster, TestNode node)
    {
        var value = new byte[1 << 20];
        var key = 0;
        for (; node.IsRunning; key++)
        {
            Assert.True(key < 400, "The disk does not get full.");
            (await cluster.Client.PutAsync(Encoding.UTF8.GetBytes($"ballast/{key:d4}"), value, Cancellation)).EnsureCommitted();
        }

        return key;
    }

    /// <summary>A file system of its own in memory.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly string _folder;

        public SmallDisk(string folder, string size)
        {
            _folder = folder;
            Directory.CreateDirectory(folder);
            Run("mount", "-t", "tmpfs", "-o", $"size={size}", "synod-test", folder);
        }

        public void Resize(string size) => Run("mount", "-o", $"remount,size={size}", _folder);

        // Lazily: if the test failed, the node still has files open there.
        public void Dispose() => Run("umount", "--lazy", _folder);

        private static void Run(string program, params string[] arguments)
        {
            using var process = Process.Start(program, arguments);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }
    }
}
