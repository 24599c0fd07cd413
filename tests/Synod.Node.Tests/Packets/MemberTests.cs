using System.Net;
using System.Net.Sockets;
using Synod.Core;

namespace Synod.Node.Tests;

/// <summary>Membership over real packets and streams.</summary>
public sealed class MemberTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sixty_four_members_agree_after_a_join_and_after_a_silent_death()
    {
        await using var crowd = new Crowd();
        var first = await crowd.AddAsync(1);
        for (var id = 2; id <= 63; id++)
        {
            _ = await crowd.AddAsync(id, first);
        }

        await crowd.AgreeAsync();
        _ = await crowd.AddAsync(200, crowd.Members[40]);
        await crowd.AgreeAsync();
        await crowd.KillAsync(17);
        await crowd.AgreeAsync();
        Assert.All(crowd.Members.Values, member => Assert.Equal(0, member.Metrics.Faults(PacketFault.Forged)));
        Assert.All(crowd.Members.Values, member => Assert.Equal(0, member.Metrics.Faults(PacketFault.Malformed)));
        Assert.All(crowd.Members.Values, member => Assert.Equal(0, member.Metrics.Dropped(DropReason.Oversize)));
    }

    [Fact]
    public async Task A_member_that_comes_back_on_another_port_is_found_there()
    {
        await using var crowd = new Crowd();
        var first = await crowd.AddAsync(1);
        _ = await crowd.AddAsync(2, first);
        var disk = new TestDisk();
        _ = await crowd.AddAsync(3, first, disk);
        await crowd.AgreeAsync();
        var port = crowd.Members[3].EndPoint.Port;
        await crowd.KillAsync(3);
        await crowd.AgreeAsync();
        var again = await crowd.AddAsync(3, first, disk);
        Assert.NotEqual(port, again.EndPoint.Port);
        await crowd.AgreeAsync();
    }

    [Fact]
    public async Task A_member_with_another_key_is_refused_and_both_sides_say_so()
    {
        await using var crowd = new Crowd();
        var first = await crowd.AddAsync(1);
        _ = await crowd.AddAsync(2, first);
        await crowd.AgreeAsync();
        await using var others = new Crowd();
        var stranger = await others.StartAsync(3);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var joining = stranger.JoinAsync([first.EndPoint], giveUp.Token);
        _ = await crowd.Book.SeeAsync(32, "did not prove that it knows a cluster key", Cancellation);
        _ = await others.Book.SeeAsync(32, "does not know our cluster key", Cancellation);
        await giveUp.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joining);
        Assert.True(first.Metrics.Faults(PacketFault.Forged) > 0);

        // A packet of it gets no further.
        using var sealer = new PacketSealer(new ClusterKeys(others.Key), Crowd.Cluster, new NodeId(3), 1);
        using var socket = Packets();
        _ = await SendAsync(socket, sealer, [1, 2, 3], first.EndPoint);
        _ = await crowd.Book.SeeAsync(31, "No cluster key of this node opens", Cancellation);
    }

    [Fact]
    public async Task Foreign_oversize_malformed_and_repeated_packets_are_refused_and_counted()
    {
        await using var crowd = new Crowd();
        var member = await crowd.AddAsync(1);
        using var socket = Packets();
        using var sealer = new PacketSealer(new ClusterKeys(crowd.Key), Crowd.Cluster, new NodeId(7), 1);
        _ = await socket.SendToAsync("GET / HTTP/1.1\r\n\r\n and so on, for more than a header"u8.ToArray(), member.EndPoint);
        _ = await socket.SendToAsync(new byte[3_000], member.EndPoint);
        var packet = await SendAsync(socket, sealer, [0xff, 0xff, 0xff], member.EndPoint);
        _ = await socket.SendToAsync(packet, member.EndPoint);

        // Packets of one socket to another on one machine stay in order: when the last has been counted, so have the others.
        _ = await crowd.Book.SeeAsync(34, "(Replayed)", Cancellation);
        Assert.Equal(1, member.Metrics.Faults(PacketFault.Replayed));
        Assert.Equal(1, member.Metrics.Faults(PacketFault.Oversize));
        Assert.Equal(2, member.Metrics.Faults(PacketFault.Malformed));
        Assert.Equal(0, member.Metrics.PacketsReceived);
        _ = await crowd.AddAsync(2, member);
        await crowd.AgreeAsync();
    }

    [Fact]
    public async Task What_belongs_on_a_connection_is_not_taken_from_a_packet()
    {
        var key = ClusterKeys.Draw();
        await using var node = await ToyNode.StartAsync(transport: options => options with { Keys = new ClusterKeys(key) });
        using var socket = Packets();
        using var sealer = new PacketSealer(new ClusterKeys(key), "toys", new NodeId(2), 1);
        var writer = new CodecWriter();
        new Toy.MessageWire().Write(writer, new Toy.Message(Toy.MessageKind.Told, 0, 7));
        _ = await SendAsync(socket, sealer, writer.ToArray(), node.Transport.EndPoint!);
        _ = await node.Book.SeeAsync(34, "(Malformed)", Cancellation);
        Assert.Equal(0, node.Metrics.PacketsReceived);
    }

    [Theory]
    [InlineData("oversize", PacketFault.Oversize)]
    [InlineData("forged", PacketFault.Forged)]
    public async Task A_faulty_stream_is_closed_and_the_member_stays_up(string kind, PacketFault fault)
    {
        await using var crowd = new Crowd();
        var member = await crowd.AddAsync(1);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(member.EndPoint, Cancellation);
            var options = new TransportOptions { Cluster = Crowd.Cluster, Self = new NodeId(7), Keys = new ClusterKeys(crowd.Key) };
            var stream = client.GetStream();
            var (peer, _, _, _) = await SealedStream.GreetAsync(stream, options, 1, Cancellation);
            Assert.Equal(1, peer.Value);
            byte[] frame = kind == "oversize" ? [0, 0, 0, 0x40] : [0, 0, 0, 0, .. new byte[Packet.TagLength]];
            await stream.WriteAsync(frame, Cancellation);
            Assert.Equal(0, await stream.ReadAsync(new byte[1], Cancellation));
        }

        _ = await crowd.Book.SeeAsync(32, "Closed the stream", Cancellation);
        Assert.Equal(1, member.Metrics.Faults(fault));
        _ = await crowd.AddAsync(2, member);
        await crowd.AgreeAsync();
    }

    private static Socket Packets() => new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    private static async Task<byte[]> SendAsync(Socket socket, PacketSealer sealer, byte[] message, EndPoint to)
    {
        var packet = new byte[Packet.MaxLength];
        packet = packet[..sealer.Seal(message, packet)];
        _ = await socket.SendToAsync(packet, to);
        return packet;
    }
}
