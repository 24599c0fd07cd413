using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Synod.Core;

namespace Synod.Node;

/// <summary>The streams that are open now; for each peer we send on the latest, whoever dialled it.</summary>
internal sealed class SealedStreams(
    TransportOptions options, Func<ulong> session, PacketOpener opener, Action<NodeId, ReadOnlyMemory<byte>> received,
    NodeMetrics metrics, ILogger log)
{
    private const int MostGreeting = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, SealedStream> _open = [];
    private readonly HashSet<Task> _running = [];
    private readonly CancellationTokenSource _stop = new();
    private int _greeting;

    /// <summary>Never blocks: what cannot be sent is dropped and counted.</summary>
    public void Send(NodeId to, EndPoint? endPoint, ReadOnlySpan<byte> message)
    {
        if (message.Length > SealedStream.MaxMessageLength)
        {
            metrics.CountDropped(DropReason.Oversize);
            log.MessageOversize(to, message.Length);
            return;
        }

        lock (_lock)
        {
            if (_open.TryGetValue(to, out var open) && open.TrySend(message.ToArray()))
            {
                return;
            }

            if (endPoint is null || open is not null || _stop.IsCancellationRequested)
            {
                metrics.CountDropped(open is not null ? DropReason.QueueFull : endPoint is null ? DropReason.UnknownPeer : DropReason.Disconnected);
                return;
            }

            var stream = new SealedStream(options, received, metrics.CountStreamSent);
            _ = stream.TrySend(message.ToArray());
            _open.Add(to, stream);
            Track(() => DialAsync(to, endPoint, stream));
        }
    }

    /// <summary>Asks who is at <paramref name="endPoint"/>; null, and a line in the log, if nobody of the cluster is.</summary>
    public async Task<NodeId?> GreetAsync(EndPoint endPoint, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stop.Token);
        limit.CancelAfter(options.HandshakeTimeout);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endPoint, limit.Token);
            await using var stream = new NetworkStream(socket);
            return (await SealedStream.GreetAsync(stream, options, session(), limit.Token)).Peer;
        }
        catch (Exception cause) when (IsExpected(cause))
        {
            Tell(endPoint, cause);
            return null;
        }
    }

    /// <summary>Serves a connection that somebody opened to us.</summary>
    public void Serve(Socket socket)
    {
        lock (_lock)
        {
            if (_greeting < MostGreeting && !_stop.IsCancellationRequested)
            {
                _greeting++;
                Track(() => ServeAsync(socket));
                return;
            }
        }

        _ = metrics.CountPacketFault(PacketFault.Overload);
        socket.Dispose();
    }

    public async Task StopAsync()
    {
        Task[] running;
        lock (_lock)
        {
            _stop.Cancel();
            running = [.. _running];
        }

        await Task.WhenAll(running);
        _stop.Dispose();
    }

    private async Task DialAsync(NodeId to, EndPoint endPoint, SealedStream sealedStream)
    {
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            SocketOptions.Apply(socket);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(options.HandshakeTimeout);
            await socket.ConnectAsync(endPoint, limit.Token);
            await using var stream = new NetworkStream(socket);
            metrics.CountStreamSent(Greeting.Length);
            var (peer, peerSession, key, salt) = await SealedStream.GreetAsync(stream, options, session(), limit.Token);
            if (peer != to)
            {
                throw new StreamRefused(PacketFault.Malformed, $"node {peer.Value} answers there, and not node {to.Value}");
            }

            await sealedStream.RunAsync(
                stream, peer, key, salt, isDialler: true, () => opener.Prove(peer, peerSession, key), _stop.Token);
        }
        catch (Exception cause) when (IsExpected(cause))
        {
            Tell(endPoint, cause);
        }
        finally
        {
            Forget(to, sealedStream);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var remote = socket.RemoteEndPoint;
        var peer = NodeId.None;
        var sealedStream = new SealedStream(options, received, metrics.CountStreamSent);
        try
        {
            SocketOptions.Apply(socket);
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            (peer, var key, var salt, var prove) = await AnswerAsync(stream);
            await sealedStream.RunAsync(
                stream, peer, key, salt, isDialler: false, () => Admit(peer, sealedStream, prove), _stop.Token);
        }
        catch (Exception cause) when (IsExpected(cause))
        {
            Tell(remote, cause);
        }
        finally
        {
            Forget(peer, sealedStream);
        }
    }

    private async Task<(NodeId Peer, int Key, byte[] Salt, Action Prove)> AnswerAsync(NetworkStream stream)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(options.HandshakeTimeout);
            var (peer, peerSession, key, salt) = await SealedStream.AnswerAsync(stream, options, session(), limit.Token);
            metrics.CountStreamSent(Greeting.Length);
            return (peer, key, salt, () => opener.Prove(peer, peerSession, key));
        }
        finally
        {
            lock (_lock)
            {
                _greeting--;
            }
        }
    }

    private void Admit(NodeId peer, SealedStream stream, Action prove)
    {
        prove();
        lock (_lock)
        {
            // The latest: an answer goes back to where its question came from.
            _open[peer] = stream;
        }
    }

    private void Forget(NodeId peer, SealedStream stream)
    {
        stream.Close();
        lock (_lock)
        {
            if (_open.TryGetValue(peer, out var open) && open == stream)
            {
                _ = _open.Remove(peer);
            }
        }
    }

    private void Tell(EndPoint? remote, Exception cause)
    {
        if (cause is StreamRefused refused)
        {
            _ = metrics.CountPacketFault(refused.Fault);
            log.StreamRefused(remote, refused.Message);
        }
        else if (cause is SocketException)
        {
            log.StreamFailed(remote, cause.Message);
        }
    }

    // Under the lock, so that no task is left out when this stops.
    private void Track(Func<Task> work)
    {
        var task = Task.Run(work);
        _ = _running.Add(task);
        _ = task.ContinueWith(
            done =>
            {
                lock (_lock)
                {
                    _ = _running.Remove(done);
                }
            },
            TaskScheduler.Default);
    }

    private static bool IsExpected(Exception cause) =>
        cause is StreamRefused or IOException or SocketException or OperationCanceledException or ObjectDisposedException;
}
