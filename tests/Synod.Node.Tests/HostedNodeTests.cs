using System.Net;
using Synod.Core;
using Synod.Storage;
using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

/// <summary>The whole node over a real folder.</summary>
public sealed class HostedNodeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("synod-node").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_restart_finds_what_was_answered_and_counts_its_starts()
    {
        for (var boot = 1; boot <= 3; boot++)
        {
            await using var node = Open(1, "one");
            await node.StartAsync();
            Assert.Equal(boot, node.Ledger.Boot);
            Assert.Equal(boot * 10, (await node.Host.SubmitAsync(new Toy.Command.Add(10), Cancellation)).Value);
            await node.StopAsync();
            Assert.True(node.Completion.IsCompletedSuccessfully);
        }
    }

    [Fact]
    public async Task Three_nodes_replicate_over_sockets_and_disks()
    {
        await using var one = Open(1, "one");
        await using var two = Open(2, "two");
        await using var three = Open(3, "three");
        await Task.WhenAll(one.StartAsync(), two.StartAsync(), three.StartAsync());
        var book = new Dictionary<NodeId, EndPoint> { [new(1)] = one.EndPoint!, [new(2)] = two.EndPoint!, [new(3)] = three.EndPoint! };
        foreach (var node in new[] { one, two, three })
        {
            foreach (var (peer, endPoint) in book)
            {
                node.Meet(peer, endPoint.ToString()!);
            }
        }

        await ConnectedAsync(one, 2, 3);
        await ConnectedAsync(two, 1);
        await ConnectedAsync(three, 1);
        NodeId[] peers = [new(2), new(3)];
        var answers = Enumerable.Range(0, 200).Select(_ => one.Host.SubmitAsync(new Toy.Command.Replicate(peers), Cancellation));
        Assert.Equal(200, (await Task.WhenAll(answers)).Length);
    }

    [Fact]
    public async Task Another_clusters_folder_another_nodes_folder_and_one_in_use_are_refused()
    {
        await using (var node = Open(1, "one"))
        {
            await node.StartAsync();
            _ = Assert.Throws<StorageFailure>(() => Open(1, "one"));
        }

        _ = Assert.Throws<LogRefused>(() => Open(1, "one", cluster: "others"));
        _ = Assert.Throws<LogRefused>(() => Open(2, "one"));
        _ = Assert.Throws<ConfigurationRefused>(() => Open(0, "zero"));
        await using var again = Open(1, "one");
        await again.StartAsync();
    }

    [Fact]
    public async Task Applied_state_without_its_log_is_refused()
    {
        await using (var node = Open(1, "one"))
        {
            await node.StartAsync();
        }

        foreach (var file in Directory.GetFiles(Path.Combine(_folder, "one", "log")))
        {
            File.Delete(file);
        }

        // Each time anew: the refusal leaves no log behind.
        for (var start = 0; start < 2; start++)
        {
            var refused = Assert.Throws<StoreRefused>(() => Open(1, "one"));
            Assert.Contains("applied state but no log", refused.What, StringComparison.Ordinal);
            Assert.Contains("--rejoin", refused.Remedy, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_ledger_remembers_peers_stores_and_counts_starts_across_a_torn_write()
    {
        var disk = new TestDisk();
        using (var ledger = new NodeLedger(disk))
        {
            Assert.Equal(1, ledger.Boot);
            Assert.True(ledger.Accept(new NodeId(2), 22));
            Assert.True(ledger.Accept(new NodeId(2), 22));
            Assert.False(ledger.Accept(new NodeId(2), 23));
        }

        using (var ledger = new NodeLedger(disk))
        {
            Assert.Equal(2, ledger.Boot);
            Assert.False(ledger.Accept(new NodeId(2), 23));
            Assert.True(ledger.Accept(new NodeId(127), 5));
        }

        // The next start writes sector 1; a torn write there must not bring back the number before last.
        using (var file = disk.Open("node.ledger"))
        {
            file.Write(4096 + 8, [0xff, 0xff]);
        }

        using (var ledger = new NodeLedger(disk))
        {
            Assert.Equal(3, ledger.Boot);
        }
    }

    [Fact]
    public void Each_call_of_the_ledgers_disk_that_fails_is_told()
    {
        var disk = new TestDisk();
        foreach (var what in (string[])["list", "create", "sync the directory", "open", "read", "write", "sync"])
        {
            Assert.Equal(what, Assert.Throws<StorageFailure>(() => Failing(what, () => new NodeLedger(disk))).Message);
        }

        using var ledger = new NodeLedger(disk);
        foreach (var what in (string[])["write", "sync"])
        {
            Assert.Equal(what, Assert.Throws<StorageFailure>(() => Failing(what, () => ledger.Accept(new NodeId(2), 22))).Message);
        }

        Assert.True(ledger.Accept(new NodeId(2), 22));

        object Failing(string what, Func<object> act)
        {
            disk.Entering = call =>
            {
                if (call.What == what)
                {
                    throw new StorageFailure(what);
                }
            };
            try
            {
                return act();
            }
            finally
            {
                disk.Entering = null;
            }
        }
    }

    [Theory]
    [InlineData("10.0.0.7:7001")]
    [InlineData("[::1]:7001")]
    [InlineData("localhost:7001")]
    [InlineData("db-1.example.org:7001")]
    public void Addresses_are_read(string text)
    {
        var endPoint = NodeOptions.ParseEndPoint(text);
        Assert.Equal(7001, endPoint is IPEndPoint ip ? ip.Port : ((DnsEndPoint)endPoint).Port);
    }

    [Theory]
    [InlineData("")]
    [InlineData("7001")]
    [InlineData("host")]
    [InlineData("10.0.0.7")]
    [InlineData("::1")]
    [InlineData("host:99999")]
    [InlineData("host:-1")]
    [InlineData("a b:1")]
    public void What_is_no_address_is_refused(string text) =>
        Assert.Throws<ConfigurationRefused>(() => NodeOptions.ParseEndPoint(text));

    private HostedNode<Toy.Message, Toy.Record, Toy.Command, Toy.Result> Open(int id, string folder, string cluster = "toys") => new(
        new NodeOptions
        {
            Cluster = cluster,
            Id = new NodeId(id),
            DataFolder = Path.Combine(_folder, folder),
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Clock = new BoundedClock(Duration.Zero),
            Log = new LogOptions(1 << 20),
        },
        (_, _) => Toy.Hosted(new Toy(new NodeId(id))),
        new LogBook());

    private static async Task ConnectedAsync(HostedNode<Toy.Message, Toy.Record, Toy.Command, Toy.Result> node, params int[] peers)
    {
        foreach (var id in peers)
        {
            var connected = new TaskCompletionSource();
            node.Host.PeerConnectionChanged += (peer, up) =>
            {
                if (up && peer == new NodeId(id))
                {
                    _ = connected.TrySetResult();
                }
            };
            if (!node.IsConnected(new NodeId(id)))
            {
                await connected.Task.WaitAsync(Cancellation);
            }
        }
    }
}
