using System.Net;
using Synod.Core;
using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("synod-tls").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Nodes_of_one_authority_talk_over_TLS()
    {
        Certificates.CreateAuthority(_folder, "toys");
        await using var left = await StartSecureAsync(1, Certificates.CreateNode(_folder, new NodeId(1)));
        await using var right = await StartSecureAsync(2, Certificates.CreateNode(_folder, new NodeId(2), "db2.example", "10.1.2.3"));
        await MeetAllAsync(left, right);
        var padding = new byte[500_000];
        _ = await left.Submit(new Toy.Command.Tell(right.Id, 5, padding));
        Assert.Equal(padding.Length, (await right.NextMessageAsync()).Padding.Length);
        Assert.Equal(5, (await right.NextMessageAsync()).Number);
        _ = await right.Submit(new Toy.Command.Tell(left.Id, 6));
        Assert.Equal(6, (await left.NextMessageAsync()).Number);
    }

    /// <summary>A transaction may be longer than what may wait: the range that it is for would stand still for ever.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_frame_that_is_longer_than_what_may_wait_is_sent_all_the_same(bool secure)
    {
        Certificates.CreateAuthority(_folder, "toys");
        await using var left = await StartAsync(1, transport: options => options with
        {
            MaxQueuedBytes = 100_000, Tls = secure ? Certificates.CreateNode(_folder, new NodeId(1)) : null,
        });
        await using var right = await StartAsync(2, transport: options => options with
        {
            Tls = secure ? Certificates.CreateNode(_folder, new NodeId(2)) : null,
        });
        await MeetAllAsync(left, right);
        _ = await left.Submit(new Toy.Command.Tell(right.Id, 5, new byte[3_000_000]));
        Assert.Equal(3_000_000, (await right.NextMessageAsync()).Padding.Length);
    }

    [Fact]
    public async Task Another_authority_is_refused_by_both_ends()
    {
        Certificates.CreateAuthority(_folder, "toys");
        var other = Path.Combine(_folder, "other");
        Certificates.CreateAuthority(other, "toys");
        await using var left = await StartSecureAsync(1, Certificates.CreateNode(_folder, new NodeId(1)));
        await using var right = await StartSecureAsync(2, Certificates.CreateNode(other, new NodeId(2)));
        left.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [right.Id] = right.Transport.EndPoint! });
        _ = await left.Book.SeeAsync(26, "(Certificate)", Cancellation);
        _ = await right.Book.SeeAsync(25, "", Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.False(left.Transport.IsConnected(right.Id));
        Assert.Equal(1, (await right.Submit(new Toy.Command.Add(1))).Value);
    }

    [Fact]
    public async Task A_node_that_claims_another_nodes_id_is_refused()
    {
        Certificates.CreateAuthority(_folder, "toys");
        await using var left = await StartSecureAsync(1, Certificates.CreateNode(_folder, new NodeId(1)));
        left.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = new IPEndPoint(IPAddress.Loopback, 1) });
        using var tls = new NodeTls(Certificates.CreateNode(_folder, new NodeId(3)));
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await socket.ConnectAsync(left.Transport.EndPoint!, Cancellation);
        await using var stream = await tls.DialAsync(new System.Net.Sockets.NetworkStream(socket), left.Id, Cancellation);
        await stream.WriteAsync(Stranger.Good(2, 1).ToFrame(FrameKind.Hello), Cancellation);
        var (kind, payload) = await FrameReader.ReadAsync(stream, 4096, Cancellation);
        Assert.Equal(FrameKind.Refused, kind);
        Assert.Equal(ConnectionRefusal.Certificate, RefusalNotice.Read(payload)!.Reason);
    }

    [Fact]
    public async Task The_dialler_refuses_a_server_whose_certificate_is_another_nodes()
    {
        Certificates.CreateAuthority(_folder, "toys");
        await using var left = await StartSecureAsync(1, Certificates.CreateNode(_folder, new NodeId(1)));
        await using var three = await StartSecureAsync(3, Certificates.CreateNode(_folder, new NodeId(3)));
        left.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = three.Transport.EndPoint! });
        _ = await left.Book.SeeAsync(26, "(Certificate)", Cancellation);
        Assert.False(left.Transport.IsConnected(new NodeId(2)));
    }

    [Fact]
    public void A_clients_certificate_does_not_make_a_node()
    {
        Certificates.CreateAuthority(_folder, "toys");
        var client = Certificates.CreateClient(_folder, "2");
        var refused = Assert.Throws<ConfigurationRefused>(() => new ToyNode(2, transport: options => options with { Tls = client }));
        Assert.Contains("synod-node-2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_are_readable_by_their_owner_only_and_an_authority_is_never_replaced()
    {
        Certificates.CreateAuthority(_folder, "toys");
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "ca.key")));
        }

        _ = Assert.Throws<IOException>(() => Certificates.CreateAuthority(_folder, "toys"));
    }

    [Fact]
    public async Task Sending_in_the_clear_to_other_machines_needs_an_explicit_permission()
    {
        var open = new IPEndPoint(IPAddress.Any, 0);
        await using var node = new ToyNode(1, transport: options => options with { Listen = open });
        _ = Assert.Throws<ConfigurationRefused>(node.Transport.Start);
        foreach (var far in new EndPoint[] { new IPEndPoint(IPAddress.Parse("10.0.0.1"), 1), new DnsEndPoint("db.example", 1) })
        {
            _ = Assert.Throws<ConfigurationRefused>(() => node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = far }));
        }

        await using var permitted = new ToyNode(1, transport: options => options with { Listen = open, AllowPlaintext = true });
        permitted.Transport.Start();
        Assert.NotNull(permitted.Transport.EndPoint);
    }

    private static Task<ToyNode> StartSecureAsync(int id, TlsOptions tls) =>
        StartAsync(id, transport: options => options with { Tls = tls });
}
