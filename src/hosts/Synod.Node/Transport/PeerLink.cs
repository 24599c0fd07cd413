using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Our one outgoing connection to a peer: dials with capped, jittered backoff, shakes hands, and dials again when it ends. Frames
/// for a peer that is not connected are dropped: protocols send again.
/// </summary>
internal sealed class PeerLink : IAsyncDisposable
{
    private readonly NodeId _peer;
    private readonly EndPoint _endPoint;
    private readonly Transport _transport;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _dialling;
    private volatile OutgoingConnection? _connection;

    public PeerLink(NodeId peer, EndPoint endPoint, Transport transport)
    {
        _peer = peer;
        _endPoint = endPoint;
        _transport = transport;
        _dialling = Task.Run(DialAsync);
    }

    public EndPoint EndPoint => _endPoint;

    public bool IsConnected => _connection is not null;

    private TransportOptions Options => _transport.Options;

    /// <summary>Never blocks. Null if the frame was sent or queued.</summary>
    public DropReason? Send(ReadOnlySpan<byte> frame) =>
        _connection is { } connection ? connection.Send(frame) : DropReason.Disconnected;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _dialling;
        _stop.Dispose();
    }

    private async Task DialAsync()
    {
        var backoff = Options.MinBackoff;
        while (!_stop.IsCancellationRequested)
        {
            var connected = await ConnectAsync();
            backoff = connected ? Options.MinBackoff : Shorter(backoff * 2, Options.MaxBackoff);
            var pause = backoff * (0.5 + Random.Shared.NextDouble() / 2);
            await Task.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One attempt, and the life of the connection if it succeeds; whether it did.</summary>
    private async Task<bool> ConnectAsync()
    {
        OutgoingConnection? connection = null;
        try
        {
            connection = await ShakeHandsAsync();
            if (connection is null)
            {
                return false;
            }

            _connection = connection;
            _transport.Log.Connected(_peer, _endPoint);
            _transport.Sink.PeerChanged(_peer, true);
            await connection.WatchAsync(_stop.Token);
            _transport.Log.Disconnected(_peer, _endPoint, "the peer closed it");
        }
        catch (AuthenticationException cause)
        {
            Refuse(new RefusalNotice(ConnectionRefusal.Certificate, $"What answers there shows no certificate of node {_peer.Value}: {cause.Message}"));
        }
        catch (Exception cause) when (IsExpected(cause))
        {
            if (connection is null)
            {
                _transport.Log.Unreachable(_peer, _endPoint, cause.Message);
            }
            else
            {
                _transport.Log.Disconnected(_peer, _endPoint, _stop.IsCancellationRequested ? "we closed it" : cause.Message);
            }
        }
        finally
        {
            if (connection is not null)
            {
                _connection = null;
                connection.Dispose();
                _transport.Sink.PeerChanged(_peer, false);
            }
        }

        return connection is not null;
    }

    private async Task<OutgoingConnection?> ShakeHandsAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        deadline.CancelAfter(Options.HandshakeTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Stream? stream = null;
        var done = false;
        try
        {
            SocketOptions.Apply(socket);
            await socket.ConnectAsync(_endPoint, deadline.Token);
            stream = new NetworkStream(socket, ownsSocket: false);
            if (_transport.Tls is { } tls)
            {
                stream = await tls.DialAsync(stream, _peer, deadline.Token);
            }

            await stream.WriteAsync(_transport.HelloTo(_peer).ToFrame(FrameKind.Hello), deadline.Token);
            var (kind, payload) = await FrameReader.ReadAsync(stream, Transport.MaxHandshakeBytes, deadline.Token);
            done = Judge(kind, payload);
            return done ? new OutgoingConnection(socket, stream, _transport.Tls is null, Options.MaxQueuedBytes) : null;
        }
        finally
        {
            if (!done)
            {
                stream?.Dispose();
                socket.Dispose();
            }
        }
    }

    private bool Judge(FrameKind kind, byte[]? payload)
    {
        if (kind == FrameKind.Refused && payload is not null && RefusalNotice.Read(payload) is { } notice)
        {
            _transport.Log.RefusedByPeer(_peer, _endPoint, notice.Reason, notice.Text);
            return false;
        }

        var hello = kind == FrameKind.Welcome && payload is not null ? Hello.Read(payload) : null;
        var refusal = hello is null
            ? new RefusalNotice(ConnectionRefusal.Malformed, "The answer to our hello cannot be read.")
            : hello.Node != _peer
                ? new RefusalNotice(ConnectionRefusal.WrongNode, $"Node {hello.Node.Value} answers there.")
                : _transport.Judge(hello);
        if (refusal is null)
        {
            return true;
        }

        Refuse(refusal);
        return false;
    }

    private void Refuse(RefusalNotice refusal)
    {
        _transport.Metrics.CountRefused(refusal.Reason);
        _transport.Log.RefusedPeer(_peer, _endPoint, refusal.Reason, refusal.Text);
    }

    private static bool IsExpected(Exception cause) =>
        cause is IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    private static TimeSpan Shorter(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
