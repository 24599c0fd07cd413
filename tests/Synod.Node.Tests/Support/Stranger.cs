using System.Net;
using System.Net.Sockets;
using Synod.Core;

namespace Synod.Node.Tests;

/// <summary>A bare socket that says to a node what a test likes.</summary>
internal sealed class Stranger : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    private NetworkStream? _stream;

    public static Hello Good(int from, int to) =>
        new(1, "toys", new NodeId(from), new NodeId(to), (ulong)from, 1, LeapSecondPolicy.Smeared);

    public static async Task<Stranger> ConnectAsync(EndPoint endPoint)
    {
        var stranger = new Stranger();
        await stranger._socket.ConnectAsync(endPoint, ToyNode.Cancellation);
        stranger._stream = new NetworkStream(stranger._socket);
        return stranger;
    }

    /// <summary>Connects and is admitted.</summary>
    public static async Task<Stranger> AdmittedAsync(ToyNode node, Hello hello)
    {
        var stranger = await ConnectAsync(node.Transport.EndPoint!);
        await stranger.SendAsync(hello.ToFrame(FrameKind.Hello));
        Assert.Equal(FrameKind.Welcome, (await stranger.ReadAsync()).Kind);
        return stranger;
    }

    public async Task SendAsync(byte[] bytes) => await _stream!.WriteAsync(bytes, ToyNode.Cancellation);

    public Task<(FrameKind Kind, byte[]? Payload)> ReadAsync() => FrameReader.ReadAsync(_stream!, 4096, ToyNode.Cancellation);

    public async Task<ConnectionRefusal> ReadRefusalAsync()
    {
        var (kind, payload) = await ReadAsync();
        Assert.Equal(FrameKind.Refused, kind);
        return RefusalNotice.Read(payload)!.Reason;
    }

    /// <summary>Ends when the node has closed the connection.</summary>
    public async Task ClosedAsync()
    {
        try
        {
            var rest = new byte[1024];
            while (await _stream!.ReadAsync(rest, ToyNode.Cancellation) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is as good an end as any.
        }
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _socket.Dispose();
    }

    /// <summary>A frame of messages as a node would send it.</summary>
    public static byte[] Messages(params ReadOnlySpan<Toy.Message> messages)
    {
        var frame = new FrameBuffer();
        var writer = new CodecWriter();
        foreach (var message in messages)
        {
            writer.Clear();
            new Toy.MessageWire().Write(writer, message);
            frame.Add(writer.Span);
        }

        return frame.Seal(default).ToArray();
    }
}
