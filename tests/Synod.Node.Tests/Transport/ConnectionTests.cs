using System.Net;
using System.Net.Sockets;
using CsCheck;
using Synod.Core;
using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

/// <summary>What happens on a connection that stands.</summary>
public sealed class ConnectionTests
{
    [Theory]
    [InlineData("checksum", FrameFault.Checksum)]
    [InlineData("oversize", FrameFault.Oversize)]
    [InlineData("magic", FrameFault.Magic)]
    [InlineData("kind", FrameFault.Malformed)]
    [InlineData("hello", FrameFault.Malformed)]
    [InlineData("message", FrameFault.Malformed)]
    [InlineData("rest", FrameFault.Malformed)]
    [InlineData("interval", FrameFault.Malformed)]
    [InlineData("part without a header", FrameFault.Malformed)]
    [InlineData("part of a hello", FrameFault.Malformed)]
    [InlineData("part of an oversize frame", FrameFault.Oversize)]
    [InlineData("part too long", FrameFault.Malformed)]
    [InlineData("parts that do not match", FrameFault.Checksum)]
    public async Task A_faulty_frame_closes_the_connection_and_the_node_stays_up(string kind, FrameFault fault)
    {
        await using var node = await StartAsync(1, transport: options => options with { MaxFrameBytes = 1000 });
        node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = new IPEndPoint(IPAddress.Loopback, 1) });
        using (var peer = await Stranger.AdmittedAsync(node, Stranger.Good(2, 1)))
        {
            await peer.SendAsync(Faulty(kind));
            await peer.ClosedAsync();
        }

        _ = await node.Book.SeeAsync(29, $"({fault})", Cancellation);
        Assert.Equal(1, node.Metrics.Faults(fault));
        using var again = await Stranger.AdmittedAsync(node, Stranger.Good(2, 1));
        await again.SendAsync(Stranger.Messages(new Toy.Message(Toy.MessageKind.Told, 0, 7)));
        Assert.Equal(7, (await node.NextMessageAsync()).Number);
    }

    [Fact]
    public async Task A_peer_that_comes_back_is_reached_again()
    {
        await using var left = await StartAsync(1);
        var right = await StartAsync(2);
        var endPoint = right.Transport.EndPoint!;
        await MeetAllAsync(left, right);
        await right.DisposeAsync();
        _ = await left.Book.SeeAsync(22, "Connection to n2 ", Cancellation);
        left.Book.Forget();

        await using var again = await StartAsync(2, transport: options => options with { Listen = endPoint, Boot = 2 });
        await again.MeetAsync(left);
        _ = await left.Book.SeeAsync(21, "Connected to n2 ", Cancellation);
        _ = await left.Submit(new Toy.Command.Tell(again.Id, 6));
        Assert.Equal(6, (await again.NextMessageAsync()).Number);
    }

    [Fact]
    public async Task What_is_for_a_peer_that_is_not_there_is_dropped_and_counted()
    {
        await using var node = await StartAsync(1);
        node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = new IPEndPoint(IPAddress.Loopback, 1) });
        _ = await node.Submit(new Toy.Command.Tell(new NodeId(2), 0));
        _ = await node.Submit(new Toy.Command.Tell(new NodeId(3), 0));
        _ = await node.Submit(new Toy.Command.Tell(new NodeId(1000), 0));
        await node.Host.ReadAsync(() => 0);
        Assert.Equal(1, node.Metrics.Dropped(DropReason.Disconnected));
        Assert.Equal(3, node.Metrics.Dropped(DropReason.UnknownPeer));
    }

    [Fact]
    public async Task A_peer_that_does_not_read_costs_it_its_own_frames_and_never_the_loop()
    {
        await using var node = await StartAsync(1, transport: options => options with { MaxQueuedBytes = 1 << 20 });
        await using var stream = await DialledByAsync(node);

        var padding = new byte[100_000];
        while (node.Metrics.Dropped(DropReason.QueueFull) == 0)
        {
            _ = await node.Submit(new Toy.Command.Tell(new NodeId(2), 0, padding));
        }

        Assert.Equal(1, (await node.Submit(new Toy.Command.Add(1))).Value);

        // Whole frames are dropped: what arrives is in one piece.
        var reader = new FrameReader(stream);
        for (var i = 0; i < 10; i++)
        {
            Assert.NotNull(reader.Read(1 << 20, out _, out var fault));
            Assert.Equal(FrameFault.None, fault);
        }
    }

    [Fact]
    public async Task What_is_said_meanwhile_passes_a_long_frame()
    {
        await using var node = await StartAsync(1);
        await using var stream = await DialledByAsync(node);

        // More than the kernel holds for who does not read.
        _ = await node.Submit(new Toy.Command.Tell(new NodeId(2), 0, new byte[30_000_000]));
        _ = await node.Submit(new Toy.Command.Tell(new NodeId(2), 0));
        var kinds = new List<FrameKind>();
        var (parts, whole) = (new FrameParts(), (byte[]?)null);
        while (whole is null)
        {
            var (kind, payload) = await FrameReader.ReadAsync(stream, 1 << 20, Cancellation);
            Assert.NotNull(payload);
            kinds.Add(kind);
            whole = kind == FrameKind.Part ? parts.Add(payload, 80 << 20, out _) : null;
        }

        Assert.Contains(FrameKind.Messages, kinds);
        Assert.True(whole.Length > 30_000_000);
    }

    [Fact]
    public async Task A_message_beyond_the_limit_is_dropped_and_the_others_arrive()
    {
        await using var left = await StartAsync(1, host: options => options with { MaxFrameBytes = 10_000 });
        await using var right = await StartAsync(2);
        await MeetAllAsync(left, right);
        _ = await left.Submit(new Toy.Command.Tell(right.Id, 2, new byte[20_000]));
        Assert.Equal(Toy.MessageKind.Told, (await right.NextMessageAsync()).Kind);
        Assert.Equal(1, left.Metrics.Dropped(DropReason.Oversize));
    }

    [Fact]
    public async Task Large_messages_arrive_whole()
    {
        await using var left = await StartAsync(1);
        await using var right = await StartAsync(2);
        await MeetAllAsync(left, right);
        var padding = Enumerable.Range(0, 3_000_000).Select(i => (byte)(i * 31)).ToArray();
        var told = Enumerable.Range(0, 5).Select(_ => left.Submit(new Toy.Command.Tell(right.Id, 0, padding))).ToArray();
        _ = await Task.WhenAll(told);
        for (var i = 0; i < 10; i++)
        {
            var message = await right.NextMessageAsync();
            Assert.True(message.Kind == Toy.MessageKind.Told || message.Padding.Span.SequenceEqual(padding));
        }
    }

    [Fact]
    public async Task A_peer_that_left_the_address_book_is_disconnected_both_ways()
    {
        await using var left = await StartAsync(1);
        await using var right = await StartAsync(2);
        await MeetAllAsync(left, right);
        left.Transport.SetPeers(new Dictionary<NodeId, EndPoint>());
        _ = await right.Book.SeeAsync(28, "from n1 ended", Cancellation);
        _ = await right.Book.SeeAsync(24, "(UnknownPeer)", Cancellation);
        Assert.False(left.Transport.IsConnected(right.Id));
    }

    [Fact]
    public async Task Clocks_that_cannot_both_be_right_are_noticed_and_ours_is_not_trusted()
    {
        await using var ahead = await StartAsync(1, clock: new ShiftedClock(Duration.FromSeconds(5)));
        await using var behind = await StartAsync(2);
        await MeetAllAsync(ahead, behind);
        _ = await behind.Submit(new Toy.Command.Tell(ahead.Id, 0));
        _ = await ahead.NextMessageAsync();
        Assert.True(ahead.Host.Clock.Now().IsTrusted);
        _ = await ahead.Submit(new Toy.Command.Tell(behind.Id, 0));
        _ = await behind.NextMessageAsync();
        Assert.True(behind.Metrics.ClockContradictions > 0);
        Assert.False(behind.Host.Clock.Now().IsTrusted);
    }

    [Fact]
    public void Frames_come_back_as_they_were_sealed_and_a_flipped_bit_is_found() =>
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[0, 10_000]).Sample((payload, flip) =>
        {
            byte[] frame = [.. new byte[Frame.HeaderLength], .. payload];
            Frame.Seal(frame, FrameKind.Messages);
            Assert.Equal(payload, new FrameReader(new MemoryStream(frame)).Read(1000, out var kind, out _));
            Assert.Equal(FrameKind.Messages, kind);
            frame[flip / 8 % frame.Length] ^= (byte)(1 << flip % 8);
            Assert.Null(new FrameReader(new MemoryStream(frame)).Read(1000, out _, out _));
        });

    [Fact]
    public void No_bytes_make_a_reader_throw() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        _ = new FrameReader(new MemoryStream(bytes)).Read(1000, out _, out _);
        _ = Hello.Read(bytes);
        _ = RefusalNotice.Read(bytes);
        _ = FrameBuffer.TryReadInterval(bytes, out _);
        ReadOnlyMemory<byte> rest = bytes;
        while (FrameBuffer.TryNext(ref rest, out _))
        {
        }
    });

    /// <summary>The receiving end of the node's connection to a second one that reads nothing by itself.</summary>
    private static async Task<NetworkStream> DialledByAsync(ToyNode node)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        node.Transport.SetPeers(new Dictionary<NodeId, EndPoint> { [new NodeId(2)] = listener.LocalEndPoint! });
        var stream = new NetworkStream(await listener.AcceptAsync(Cancellation), ownsSocket: true);
        _ = await FrameReader.ReadAsync(stream, 4096, Cancellation);
        await stream.WriteAsync(Stranger.Good(2, 1).ToFrame(FrameKind.Welcome), Cancellation);
        _ = await node.Book.SeeAsync(21, "Connected to n2 ", Cancellation);
        return stream;
    }

    private static byte[] Faulty(string kind)
    {
        var good = Stranger.Messages(new Toy.Message(Toy.MessageKind.Told, 0, 1));
        switch (kind)
        {
            case "checksum":
                good[^1] ^= 1;
                return good;
            case "oversize":
                return new byte[Frame.HeaderLength + 1001].Sealed(FrameKind.Messages);
            case "magic":
                good[0] = 0;
                return good;
            case "kind":
                return good.Sealed((FrameKind)77);
            case "hello":
                return Stranger.Good(2, 1).ToFrame(FrameKind.Hello);
            case "part without a header":
                return Part(good.AsSpan(0, Frame.HeaderLength - 1));
            case "part of a hello":
                return Part(good.Sealed(FrameKind.Hello));
            case "part of an oversize frame":
                return Part(new byte[Frame.HeaderLength + 1001].Sealed(FrameKind.Messages).AsSpan(0, 100));
            case "part too long":
                return Part([.. good, 1]);
            case "parts that do not match":
                good[^1] ^= 1;
                return [.. Part(good.AsSpan(0, 20)), .. Part(good.AsSpan(20))];
            case "message":
                return Stranger.Messages(new Toy.Message((Toy.MessageKind)99, 0, 1));
            case "rest":
                return ((byte[])[.. good, 1]).Sealed(FrameKind.Messages);
            default:
                good[Frame.HeaderLength + 16] = 200;
                return good.Sealed(FrameKind.Messages);
        }
    }

    private static byte[] Part(ReadOnlySpan<byte> part) => ((byte[])[.. new byte[Frame.HeaderLength], .. part]).Sealed(FrameKind.Part);

    private sealed class ShiftedClock(Duration shift) : IClock
    {
        private readonly BoundedClock _clock = new(Duration.FromMilliseconds(1));

        public string Source => "shifted";

        public TimeInterval Now()
        {
            var interval = _clock.Now();
            return interval with { Earliest = interval.Earliest + shift, Latest = interval.Latest + shift };
        }
    }
}
