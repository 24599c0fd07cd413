using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Frames between the nodes of one cluster over TCP: one outgoing connection per peer, incoming ones from known peers only.
/// Lossy by contract: whatever cannot be delivered is dropped and counted, nothing ever blocks the sender.
/// </summary>
public sealed class Transport : IAsyncDisposable
{
    /// <summary>No one may make us allocate more than this before we know who it is.</summary>
    internal const int MaxHandshakeBytes = 4096;

    private const int MaxStrangers = 64;
    private const int NewPortTries = 16;

    private readonly Lock _lock = new();
    private readonly IPeerStores _stores;
    private readonly Dictionary<NodeId, IncomingConnection> _admitted = [];
    private readonly HashSet<IncomingConnection> _incoming = [];
    private readonly List<Task> _leaving = [];
    private readonly CancellationTokenSource _stop = new();
    private volatile PeerLink?[] _links = new PeerLink?[NodeSet.Capacity];
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;
    private Task? _disposing;

    /// <exception cref="ConfigurationRefused">TLS is missing or does not fit the node.</exception>
    public Transport(TransportOptions options, IFrameSink sink, IPeerStores stores, NodeMetrics metrics, ILogger log)
    {
        Options = options;
        Sink = sink;
        Metrics = metrics;
        Log = log;
        _stores = stores;
        if (options.Cluster.Length is 0 or > Hello.MaxClusterLength)
        {
            throw new ConfigurationRefused($"A cluster id has 1 to {Hello.MaxClusterLength} characters.");
        }

        Packets = options.Keys is null ? null
            : options.Listen is null ? throw new ConfigurationRefused("A node that has a cluster key needs an address to listen at.")
            : new PacketTransport(options, sink, metrics, log);
        Tls = options.Tls is null ? null : new NodeTls(options.Tls);
        if (Tls?.IsFor(options.Self) == false)
        {
            throw new ConfigurationRefused(
                $"The certificate {options.Tls!.Certificate} is not for node {options.Self.Value}: it must name {NodeTls.NameOf(options.Self)}.");
        }
    }

    /// <summary>Where the node really listens; null if it does not.</summary>
    public IPEndPoint? EndPoint => _listener?.LocalEndPoint as IPEndPoint;

    public TransportOptions Options { get; }

    /// <summary>Datagrams and streams under the cluster's key; null without one.</summary>
    public PacketTransport? Packets { get; }

    internal IFrameSink Sink { get; }

    internal NodeMetrics Metrics { get; }

    internal ILogger Log { get; }

    internal NodeTls? Tls { get; }

    /// <summary>Binds the port and begins to accept.</summary>
    /// <exception cref="ConfigurationRefused">The address would need TLS, or is taken.</exception>
    public void Start()
    {
        if (Options.Listen is not { } endPoint)
        {
            return;
        }

        RequireSafe(endPoint);
        var listener = Listen(endPoint);
        _listener = listener;
        Log.Listening(listener.LocalEndPoint!, Tls is null ? "in the clear" : "TLS 1.3");
        _accepting = Task.Run(() => AcceptAsync(listener));
    }

    /// <summary>Replaces the address book. Peers that are gone or moved are disconnected, new ones are dialled.</summary>
    /// <exception cref="ConfigurationRefused">An address would need TLS, or an id is out of range; nothing was changed.</exception>
    public void SetPeers(IReadOnlyDictionary<NodeId, EndPoint> peers)
    {
        foreach (var (peer, endPoint) in peers)
        {
            if (peer.Value is < 1 or >= NodeSet.Capacity)
            {
                throw new ConfigurationRefused($"Node ids are from 1 to {NodeSet.Capacity - 1}; {peer.Value} is not.");
            }

            RequireSafe(endPoint);
        }

        lock (_lock)
        {
            var links = (PeerLink?[])_links.Clone();
            for (var id = 0; id < links.Length; id++)
            {
                var peer = new NodeId(id);
                var endPoint = peer == Options.Self ? null : peers.GetValueOrDefault(peer);
                if (links[id] is { } old && !old.EndPoint.Equals(endPoint))
                {
                    _leaving.Add(old.DisposeAsync().AsTask());
                    links[id] = null;
                    if (endPoint is null && _admitted.Remove(peer, out var connection))
                    {
                        connection.Close("the peer left the address book");
                    }
                }

                if (endPoint is not null)
                {
                    links[id] ??= new PeerLink(peer, endPoint, this);
                }
            }

            _links = links;
        }
    }

    public bool IsConnected(NodeId peer) => (uint)peer.Value < NodeSet.Capacity && _links[peer.Value]?.IsConnected == true;

    /// <summary>Sends a sealed frame, or drops and counts it. Never blocks; the memory is the caller's again on return.</summary>
    internal bool Send(NodeId to, ReadOnlySpan<byte> frame)
    {
        var link = (uint)to.Value < NodeSet.Capacity ? _links[to.Value] : null;
        var drop = link is null ? DropReason.UnknownPeer : link.Send(frame);
        if (drop is { } reason)
        {
            Metrics.CountDropped(reason);
        }

        return drop is null;
    }

    internal Hello HelloTo(NodeId peer) => new(
        Options.ProtocolVersion, Options.Cluster, Options.Self, peer, Options.Store, Options.Boot, Options.LeapSeconds);

    /// <summary>The rules that hold for both ends. Null admits.</summary>
    internal RefusalNotice? Judge(Hello hello)
    {
        if (hello.Protocol != Options.ProtocolVersion)
        {
            return new(ConnectionRefusal.Version, $"Node {Options.Self.Value} speaks version {Options.ProtocolVersion}, not {hello.Protocol}.");
        }

        if (!string.Equals(hello.Cluster, Options.Cluster, StringComparison.Ordinal))
        {
            return new(ConnectionRefusal.ForeignCluster, $"Node {Options.Self.Value} belongs to another cluster.");
        }

        if (hello.Node == Options.Self)
        {
            return new(ConnectionRefusal.SelfConnection, $"Node {hello.Node.Value} reached itself: check the peers' addresses.");
        }

        if ((uint)hello.Node.Value >= NodeSet.Capacity || _links[hello.Node.Value] is null)
        {
            return new(ConnectionRefusal.UnknownPeer, $"Node {hello.Node.Value} is not in the address book of node {Options.Self.Value}.");
        }

        if (hello.LeapSeconds != Options.LeapSeconds)
        {
            return new(ConnectionRefusal.LeapSeconds, $"The leap second policy is {Options.LeapSeconds} here and {hello.LeapSeconds} there.");
        }

        return _stores.Accept(hello.Node, hello.Store)
            ? null
            : new(ConnectionRefusal.ForeignStore,
                $"Node {hello.Node.Value} was known with another data folder: it may have forgotten its votes. If the folder is lost, start it with an empty one and --rejoin.");
    }

    /// <summary>Makes <paramref name="connection"/> the one from its peer; a newer one replaces an older.</summary>
    internal RefusalNotice? Admit(IncomingConnection connection)
    {
        lock (_lock)
        {
            if (_admitted.TryGetValue(connection.Peer, out var older))
            {
                // A node that lost its disk counts its starts anew: those from another folder say nothing of these.
                if (older.Store == connection.Store && older.Boot > connection.Boot)
                {
                    return new(ConnectionRefusal.StaleBoot, $"Node {connection.Peer.Value} has connected from a later start.");
                }

                older.Close("a newer connection replaced it");
            }

            _admitted[connection.Peer] = connection;
            return null;
        }
    }

    internal void Refuse(EndPoint? remote, RefusalNotice refusal)
    {
        Metrics.CountRefused(refusal.Reason);
        Log.Refused(remote, refusal.Reason, refusal.Text);
    }

    internal void Forget(IncomingConnection connection)
    {
        lock (_lock)
        {
            _ = _incoming.Remove(connection);
            if (_admitted.TryGetValue(connection.Peer, out var current) && current == connection)
            {
                _ = _admitted.Remove(connection.Peer);
            }
        }
    }

    /// <summary>Wakes a thread that blocks on <paramref name="socket"/>.</summary>
    internal static void Unblock(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception cause) when (cause is SocketException or ObjectDisposedException)
        {
            // It is closed already, which is what we want.
        }
    }

    /// <summary>Hears no peer from now on; what was sent to us and not yet read is lost, as on any network.</summary>
    public void CloseIncoming()
    {
        _stop.Cancel();
        _listener?.Dispose();
        lock (_lock)
        {
            foreach (var connection in _incoming)
            {
                connection.Close("this node stops");
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _disposing ??= Task.Run(DisposeOnceAsync);
            return new ValueTask(_disposing);
        }
    }

    private async Task DisposeOnceAsync()
    {
        CloseIncoming();
        await _accepting;
        SetPeers(new Dictionary<NodeId, EndPoint>());
        IncomingConnection[] incoming;
        Task[] leaving;
        lock (_lock)
        {
            incoming = [.. _incoming];
            leaving = [.. _leaving];
        }

        await Task.WhenAll(leaving);
        await (Packets?.StopAsync() ?? Task.CompletedTask);
        foreach (var connection in incoming)
        {
            connection.Close("this node stops");
            connection.Join();
        }

        Tls?.Dispose();
    }

    private Socket Listen(IPEndPoint endPoint)
    {
        for (var tries = 1; ; tries++)
        {
            var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                listener.Bind(endPoint);
                listener.Listen(128);
                Packets?.Start((IPEndPoint)listener.LocalEndPoint!);
                return listener;
            }
            catch (SocketException) when (endPoint.Port == 0 && tries < NewPortTries)
            {
                // The port that was free for streams is taken for datagrams; there are others.
                listener.Dispose();
            }
            catch (SocketException cause)
            {
                listener.Dispose();
                throw new ConfigurationRefused($"Cannot listen on {endPoint}: {cause.Message}.");
            }
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Accept(await listener.AcceptAsync(_stop.Token));
            }
            catch (SocketException cause) when (!_stop.IsCancellationRequested)
            {
                // Out of descriptors, most likely: wait for some to come free rather than spin.
                Log.AcceptFailed(cause);
                await Task.Delay(TimeSpan.FromMilliseconds(100), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception cause) when (cause is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private void Accept(Socket socket)
    {
        var connection = new IncomingConnection(socket, this);
        lock (_lock)
        {
            if (_incoming.Count - _admitted.Count < MaxStrangers)
            {
                _ = _incoming.Add(connection);
                connection.Start();
                return;
            }
        }

        Refuse(socket.RemoteEndPoint, new(ConnectionRefusal.Busy, "Too many connections are shaking hands."));
        socket.Dispose();
    }

    private void RequireSafe(EndPoint endPoint)
    {
        var isLoopback = endPoint switch
        {
            IPEndPoint ip => IPAddress.IsLoopback(ip.Address),
            DnsEndPoint dns => string.Equals(dns.Host, "localhost", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
        if (Tls is null && !Options.AllowPlaintext && !isLoopback)
        {
            throw new ConfigurationRefused(
                $"{endPoint} is not a loopback address: give the node TLS certificates (synod cert create) or permit plaintext explicitly.");
        }
    }
}
