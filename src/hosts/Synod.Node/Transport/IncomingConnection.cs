using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// A connection that a peer opened to send to us, served by a thread of its own that blocks in the kernel: a frame costs one
/// wake-up instead of the three of an event queue and a pool, and a node has few peers.
/// </summary>
internal sealed class IncomingConnection
{
    private readonly Socket _socket;
    private readonly Transport _transport;
    private readonly EndPoint? _remote;
    private readonly Thread _thread;
    private volatile string _reason = "the peer closed it";
    private volatile bool _isHandedOver;

    public IncomingConnection(Socket socket, Transport transport)
    {
        _socket = socket;
        _transport = transport;
        _remote = socket.RemoteEndPoint;
        _thread = new Thread(Serve) { IsBackground = true, Name = "synod-receive" };
    }

    /// <summary>Who is at the other end, once known.</summary>
    public NodeId Peer { get; private set; }

    /// <summary>The peer's data folder, whose starts <see cref="Boot"/> counts.</summary>
    public ulong Store { get; private set; }

    public long Boot { get; private set; }

    public void Start() => _thread.Start();

    public void Join() => _thread.Join();

    /// <summary>Ends the connection from any thread, more than once if need be.</summary>
    public void Close(string reason)
    {
        _reason = reason;
        Transport.Unblock(_socket);
    }

    private void Serve()
    {
        try
        {
            using var deadline = new Timer(
                static self => ((IncomingConnection)self!).Close("the handshake took too long"),
                this, _transport.Options.HandshakeTimeout, Timeout.InfiniteTimeSpan);
            if (_transport.Packets is { } packets && BeginsStream())
            {
                _isHandedOver = true;
                packets.Serve(_socket);
                return;
            }

            SocketOptions.Apply(_socket);
            using Stream plain = new NetworkStream(_socket, ownsSocket: false);
            using var stream = _transport.Tls is { } tls ? tls.Accept(plain) : plain;
            var reader = new FrameReader(stream);
            if (ShakeHands(stream, reader))
            {
                _ = deadline.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                Pump(reader);
            }
        }
        catch (AuthenticationException cause)
        {
            _transport.Refuse(_remote, new RefusalNotice(ConnectionRefusal.Certificate, cause.Message));
        }
        catch (Exception cause) when (cause is IOException or SocketException or ObjectDisposedException)
        {
            if (Peer != NodeId.None)
            {
                _transport.Log.Ended(Peer, _reason);
            }
        }
        finally
        {
            if (!_isHandedOver)
            {
                _socket.Dispose();
            }

            _transport.Forget(this);
        }
    }

    private bool BeginsStream()
    {
        Span<byte> first = stackalloc byte[1];
        return _socket.Receive(first, SocketFlags.Peek) == 1 && first[0] == Greeting.KindAndVersion;
    }

    private bool ShakeHands(Stream stream, FrameReader reader)
    {
        var payload = reader.Read(Transport.MaxHandshakeBytes, out var kind, out var fault);
        if (payload is null && fault == FrameFault.None)
        {
            return false;
        }

        if (fault != FrameFault.None)
        {
            _transport.Metrics.CountFault(fault);
        }

        var hello = payload is not null && kind == FrameKind.Hello ? Hello.Read(payload) : null;
        var refusal = fault == FrameFault.Version
            ? new RefusalNotice(ConnectionRefusal.Version, $"This node speaks framing version {Frame.Version}.")
            : hello is null
                ? new RefusalNotice(ConnectionRefusal.Malformed, "The hello cannot be read.")
                : JudgeCaller(hello, (stream as SslStream)?.RemoteCertificate);
        if (refusal is null)
        {
            (Peer, Store, Boot) = (hello!.Node, hello.Store, hello.Boot);
            refusal = _transport.Admit(this);
        }

        if (refusal is not null)
        {
            Turn(stream, refusal, fault);
            return false;
        }

        stream.Write(_transport.HelloTo(Peer).ToFrame(FrameKind.Welcome));
        _transport.Log.Accepted(Peer, _remote);
        return true;
    }

    private RefusalNotice? JudgeCaller(Hello hello, X509Certificate? certificate) =>
        _transport.Tls is not null && !NodeTls.Names(certificate, hello.Node)
            ? new RefusalNotice(ConnectionRefusal.Certificate, $"The certificate does not name node {hello.Node.Value}.")
            : hello.To != _transport.Options.Self
                ? new RefusalNotice(ConnectionRefusal.WrongNode, $"This is node {_transport.Options.Self.Value}.")
                : _transport.Judge(hello);

    private void Turn(Stream stream, RefusalNotice refusal, FrameFault fault)
    {
        _transport.Refuse(_remote, refusal);
        if (fault is FrameFault.Magic)
        {
            // Not our protocol: our refusal would mean nothing to it.
            return;
        }

        stream.Write(refusal.ToFrame());
        stream.Flush();
        _socket.Shutdown(SocketShutdown.Send);

        // Closing with unread input resets the connection, which may overtake the refusal; the handshake's deadline bounds this.
        var rest = new byte[1024];
        while (stream.Read(rest) > 0)
        {
        }
    }

    private void Pump(FrameReader reader)
    {
        while (true)
        {
            var payload = reader.Read(_transport.Options.MaxFrameBytes, out var kind, out var fault);
            if (payload is not null && (kind != FrameKind.Messages || !_transport.Sink.Receive(Peer, payload)))
            {
                fault = FrameFault.Malformed;
            }

            if (fault != FrameFault.None)
            {
                _transport.Metrics.CountFault(fault);
                _transport.Log.Faulty(Peer, fault);
                return;
            }

            if (payload is null)
            {
                _transport.Log.Ended(Peer, _reason);
                return;
            }
        }
    }
}
