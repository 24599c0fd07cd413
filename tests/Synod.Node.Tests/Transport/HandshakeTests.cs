using System.Net;
using System.Net.Sockets;
using Synod.Core;
using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

/// <summary>Who is let in. Each refusal is told, logged and counted, and the node stays up.</summary>
public sealed class HandshakeTests
{
    [Theory]
    [InlineData("cluster", ConnectionRefusal.ForeignCluster)]
    [InlineData("version", ConnectionRefusal.Version)]
    [InlineData("unknown", ConnectionRefusal.UnknownPeer)]
    [InlineData("absurd", ConnectionRefusal.UnknownPeer)]
    [InlineData("self", ConnectionRefusal.SelfConnection)]
    [InlineData("wrong", ConnectionRefusal.WrongNode)]
    [InlineData("leap", ConnectionRefusal.LeapSeconds)]
    [InlineData("store", ConnectionRefusal.ForeignStore)]
    public async Task A_stranger_is_refused_with_the_reason(string kind, ConnectionRefusal reason)
    {
        await using var node = await StartAsync(1, stores: new OnlyStore(2));
        node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = new IPEndPoint(IPAddress.Loopback, 1) });
        var good = Stranger.Good(2, 1);
        var hello = kind switch
        {
            "cluster" => good with { Cluster = "others" },
            "version" => good with { Protocol = 2 },
            "unknown" => good with { Node = new NodeId(9) },
            "absurd" => good with { Node = new NodeId(100_000) },
            "self" => good with { Node = new NodeId(1) },
            "wrong" => good with { To = new NodeId(3) },
            "leap" => good with { LeapSeconds = LeapSecondPolicy.Stepped },
            _ => good with { Store = 99 },
        };
        using (var stranger = await Stranger.ConnectAsync(node.Transport.EndPoint!))
        {
            await stranger.SendAsync(hello.ToFrame(FrameKind.Hello));
            Assert.Equal(reason, await stranger.ReadRefusalAsync());
            await stranger.ClosedAsync();
        }

        _ = await node.Book.SeeAsync(25, $"({reason})", Cancellation);
        Assert.Equal(1, node.Metrics.Refused(reason));
        using var friend = await Stranger.AdmittedAsync(node, good);
        Assert.Equal(1, (await node.Submit(new Toy.Command.Add(1))).Value);
    }

    [Fact]
    public async Task Another_framing_version_is_refused_politely()
    {
        await using var node = await StartAsync(1);
        using var stranger = await Stranger.ConnectAsync(node.Transport.EndPoint!);
        var frame = Stranger.Good(2, 1).ToFrame(FrameKind.Hello);
        Frame.Seal(frame, FrameKind.Hello, version: 9);
        await stranger.SendAsync(frame);
        Assert.Equal(ConnectionRefusal.Version, await stranger.ReadRefusalAsync());
        Assert.Equal(1, node.Metrics.Faults(FrameFault.Version));
    }

    [Fact]
    public async Task Another_protocol_gets_no_answer_and_is_counted()
    {
        await using var node = await StartAsync(1);
        using var stranger = await Stranger.ConnectAsync(node.Transport.EndPoint!);
        await stranger.SendAsync("GET / HTTP/1.1\r\nHost: synod\r\n\r\n"u8.ToArray());
        await stranger.ClosedAsync();
        _ = await node.Book.SeeAsync(25, "(Malformed)", Cancellation);
        Assert.Equal(1, node.Metrics.Faults(FrameFault.Magic));
        Assert.Equal(1, (await node.Submit(new Toy.Command.Add(1))).Value);
    }

    [Fact]
    public async Task No_stranger_can_make_us_allocate_much()
    {
        await using var node = await StartAsync(1);
        using var stranger = await Stranger.ConnectAsync(node.Transport.EndPoint!);
        await stranger.SendAsync(new byte[Frame.HeaderLength + 5000].Sealed(FrameKind.Hello));
        Assert.Equal(ConnectionRefusal.Malformed, await stranger.ReadRefusalAsync());
        Assert.Equal(1, node.Metrics.Faults(FrameFault.Oversize));
    }

    [Fact]
    public async Task A_caller_who_says_nothing_is_dropped_after_a_while()
    {
        await using var node = await StartAsync(1,
            transport: options => options with { HandshakeTimeout = TimeSpan.FromMilliseconds(50) });
        using var stranger = await Stranger.ConnectAsync(node.Transport.EndPoint!);
        await stranger.ClosedAsync();
        Assert.Equal(1, (await node.Submit(new Toy.Command.Add(1))).Value);
    }

    [Fact]
    public async Task Callers_who_say_nothing_cannot_use_up_the_node()
    {
        await using var node = await StartAsync(1);
        var silent = new List<Stranger>();
        for (var i = 0; i < 65; i++)
        {
            silent.Add(await Stranger.ConnectAsync(node.Transport.EndPoint!));
        }

        _ = await node.Book.SeeAsync(25, "(Busy)", Cancellation);
        silent.ForEach(stranger => stranger.Dispose());
    }

    [Fact]
    public async Task A_newer_connection_replaces_the_older_but_not_one_of_a_later_start()
    {
        await using var node = await StartAsync(1);
        node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = new IPEndPoint(IPAddress.Loopback, 1) });
        var hello = Stranger.Good(2, 1) with { Boot = 5 };
        using var first = await Stranger.AdmittedAsync(node, hello);
        using var second = await Stranger.AdmittedAsync(node, hello with { Boot = 6 });
        await first.ClosedAsync();

        using var late = await Stranger.ConnectAsync(node.Transport.EndPoint!);
        await late.SendAsync((hello with { Boot = 4 }).ToFrame(FrameKind.Hello));
        Assert.Equal(ConnectionRefusal.StaleBoot, await late.ReadRefusalAsync());
        await second.SendAsync(Stranger.Messages(new Toy.Message(Toy.MessageKind.Told, 0, 3)));
        Assert.Equal(3, (await node.NextMessageAsync()).Number);
    }

    /// <summary>Starts are counted in the data folder. The end of the former life may not have been noticed here: a half-open connection.</summary>
    [Fact]
    public async Task A_node_that_lost_its_disk_counts_its_starts_anew_and_replaces_what_is_left_of_its_former_life()
    {
        await using var node = await StartAsync(1, stores: new AnyStore());
        node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = new IPEndPoint(IPAddress.Loopback, 1) });
        var hello = Stranger.Good(2, 1) with { Boot = 5 };
        using var former = await Stranger.AdmittedAsync(node, hello);
        using var next = await Stranger.AdmittedAsync(node, hello with { Store = 77, Boot = 1 });
        await former.ClosedAsync();
        await next.SendAsync(Stranger.Messages(new Toy.Message(Toy.MessageKind.Told, 0, 3)));
        Assert.Equal(3, (await node.NextMessageAsync()).Number);
    }

    [Fact]
    public async Task The_dialler_refuses_a_node_that_is_not_the_one_it_dialled()
    {
        await using var node = await StartAsync(1);
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = listener.LocalEndPoint! });
        using var accepted = await listener.AcceptAsync(Cancellation);
        await using var stream = new NetworkStream(accepted);
        var (kind, payload) = await FrameReader.ReadAsync(stream, 4096, Cancellation);
        Assert.Equal(FrameKind.Hello, kind);
        Assert.Equal(new NodeId(2), Hello.Read(payload)!.To);
        await stream.WriteAsync(Stranger.Good(3, 1).ToFrame(FrameKind.Welcome), Cancellation);
        _ = await node.Book.SeeAsync(26, "(WrongNode)", Cancellation);
        Assert.False(node.Transport.IsConnected(new NodeId(2)));
    }

    [Fact]
    public void Nothing_that_a_refusal_says_can_write_lines_into_our_log()
    {
        var frame = new RefusalNotice(ConnectionRefusal.Busy, "one\ntwo\u001b[31m" + new string('x', 9000)).ToFrame();
        var text = RefusalNotice.Read(frame.AsMemory(Frame.HeaderLength))!.Text;
        Assert.DoesNotContain(text, char.IsControl);
        Assert.True(text.Length <= 512);
    }

    private sealed class AnyStore : IPeerStores
    {
        public bool Accept(NodeId peer, ulong store) => true;
    }

    private sealed class OnlyStore(ulong known) : IPeerStores
    {
        public bool Accept(NodeId peer, ulong store) => store == known;
    }
}

internal static class FrameExtensions
{
    public static byte[] Sealed(this byte[] frame, FrameKind kind)
    {
        Frame.Seal(frame, kind);
        return frame;
    }
}
