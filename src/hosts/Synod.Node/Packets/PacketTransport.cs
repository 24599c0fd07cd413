using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Microsoft.Extensions.Logging;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Datagrams between all who have the cluster's key, and streams on demand for what no datagram holds. No connection is kept and no
/// configuration lists who may speak: it scales with who speaks to whom, and a node that was never heard of can say its first word.
/// Lossy by contract, like <see cref="Transport"/>, and on the same port.
/// </summary>
public sealed class PacketTransport
{
    private readonly TransportOptions _options;
    private readonly IFrameSink _sink;
    private readonly NodeMetrics _metrics;
    private readonly ILogger _log;
    private readonly PacketSealer _sealer;
    private readonly PacketOpener _opener;
    private readonly SealedStreams _streams;
    private readonly byte[] _sending = GC.AllocateArray<byte>(Packet.MaxLength, pinned: true);
    private readonly Thread _receiving;
    private readonly AddressBook _addresses;
    private Socket? _socket;
    private volatile bool _stopped;

    internal PacketTransport(TransportOptions options, IFrameSink sink, NodeMetrics metrics, ILogger log)
    {
        _options = options;
        _sink = sink;
        _metrics = metrics;
        _log = log;
        _sealer = new(options.Keys!, options.Cluster, options.Self, options.Session);
        _opener = new(options.Keys!, options.Cluster, options.Self);
        _addresses = new(options.Listen!.AddressFamily);
        _streams = new(options, () => _sealer.Session, _opener, Hand, metrics, log);
        _receiving = new Thread(ReceiveAll) { IsBackground = true, Name = "synod-packets" };
    }

    /// <summary>Notes where a node says that it is reached.</summary>
    public void SetAddress(NodeId node, EndPoint endPoint)
    {
        if (node != _options.Self)
        {
            _addresses.Declare(node, endPoint);
        }
    }

    /// <summary>Asks who is at <paramref name="endPoint"/>, and remembers it; null if nobody of the cluster answers there.</summary>
    public async Task<NodeId?> GreetAsync(EndPoint endPoint, CancellationToken cancellation)
    {
        var peer = await _streams.GreetAsync(endPoint, cancellation);
        if (peer is { } node)
        {
            _addresses.Declare(node, endPoint);
        }

        return peer;
    }

    /// <summary>Asks one after the other until somebody of the cluster answers, and again after a while if none does.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<NodeId> FindAsync(IReadOnlyList<EndPoint> endPoints, CancellationToken cancellation)
    {
        for (var pause = _options.MinBackoff; ; pause = pause * 2 < _options.MaxBackoff ? pause * 2 : _options.MaxBackoff)
        {
            foreach (var endPoint in endPoints)
            {
                if (await GreetAsync(endPoint, cancellation) is { } node)
                {
                    return node;
                }
            }

            await Task.Delay(pause, cancellation);
        }
    }

    /// <summary>Binds the datagram socket to the port that <paramref name="listener"/> has for streams.</summary>
    /// <exception cref="SocketException">It is taken.</exception>
    internal void Start(IPEndPoint listener)
    {
        var socket = new Socket(listener.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(listener);
            socket.ReceiveBufferSize = 1 << 20;
            socket.SendTimeout = 10;
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        _socket = socket;
        _receiving.Start();
    }

    /// <summary>Whether packets have come that were not looked at yet.</summary>
    internal bool HasUnread
    {
        get
        {
            try
            {
                return _socket is { } socket && socket.Available > 0;
            }
            catch (Exception cause) when (cause is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <summary>Sends one message as a packet, or drops and counts it. From one thread at a time.</summary>
    internal void Send(NodeId to, ReadOnlySpan<byte> message)
    {
        if (message.Length > Packet.MaxMessageLength)
        {
            _metrics.CountDropped(DropReason.Oversize);
            _log.MessageOversize(to, message.Length);
            return;
        }

        if (_socket is not { } socket || _addresses.PacketAddress(to) is not { } address)
        {
            _metrics.CountDropped(DropReason.UnknownPeer);
            return;
        }

        try
        {
            var length = _sealer.Seal(message, _sending);
            _ = socket.SendTo(_sending.AsSpan(0, length), SocketFlags.None, address);
            _metrics.CountPacketSent(length);
        }
        catch (Exception cause) when (cause is SocketException or ObjectDisposedException)
        {
            _metrics.CountDropped(DropReason.Disconnected);
        }
    }

    /// <summary>Sends one message over a stream, opened if there is none; or drops and counts it.</summary>
    internal void SendStream(NodeId to, ReadOnlySpan<byte> message) => _streams.Send(to, _addresses.StreamAddress(to), message);

    /// <summary>Takes over a connection that begins with <see cref="Greeting.KindAndVersion"/>.</summary>
    internal void Serve(Socket socket) => _streams.Serve(socket);

    internal async Task StopAsync()
    {
        _stopped = true;
        await _streams.StopAsync();
        if (_socket is { } socket)
        {
            socket.Dispose();
            _receiving.Join();
        }

        _sealer.Dispose();
        _opener.Dispose();
    }

    private void ReceiveAll()
    {
        var socket = _socket!;
        var packet = GC.AllocateArray<byte>(Packet.MaxLength + 1, pinned: true);
        var source = new SocketAddress(socket.AddressFamily);
        while (!_stopped)
        {
            try
            {
                var length = socket.ReceiveFrom(packet, SocketFlags.None, source);
                Take(packet.AsSpan(0, length), source);
            }
            catch (SocketException) when (!_stopped)
            {
                // A datagram that the kernel could not hand over; the next one may be fine.
            }
            catch (Exception cause) when (cause is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Take(ReadOnlySpan<byte> packet, SocketAddress source)
    {
        // An array of its own: messages keep slices of it for as long as they like.
        var message = packet.Length is > Packet.HeaderLength + Packet.TagLength and <= Packet.MaxLength
            ? GC.AllocateUninitializedArray<byte>(packet.Length - Packet.HeaderLength - Packet.TagLength)
            : [];
        var fault = _opener.Open(packet, message, out var from);
        if (fault == PacketFault.None)
        {
            _addresses.Observe(from, source);
            fault = _sink.ReceivePacket(from, message);
        }

        if (fault != PacketFault.None)
        {
            Refuse(fault, source);
        }
    }

    private void Refuse(PacketFault fault, SocketAddress source)
    {
        var count = _metrics.CountPacketFault(fault);
        if (fault == PacketFault.Forged && BitOperations.IsPow2(count))
        {
            // At the 1st, 2nd, 4th, …: whoever sends them must not fill our log.
            _log.ForgedPacket(Text(source), count);
        }
        else if (_log.IsEnabled(LogLevel.Debug))
        {
            _log.PacketRefused(Text(source), fault);
        }
    }

    private void Hand(NodeId from, ReadOnlyMemory<byte> message)
    {
        var fault = _sink.ReceivePacket(from, message);
        if (fault != PacketFault.None)
        {
            _ = _metrics.CountPacketFault(fault);
        }
    }

    private static EndPoint Text(SocketAddress source) =>
        new IPEndPoint(source.Family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0).Create(source);
}
