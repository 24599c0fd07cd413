using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Synod.Core;
using Synod.Node.Storage;
using Synod.Storage;

namespace Synod.Node;

/// <summary>
/// A node as a whole: data folder, log, store, clock, transport and loop around one protocol. Knows nothing of what the protocol
/// does.
/// </summary>
public sealed class HostedNode<TMessage, TRecord, TCommand, TResult> : IAsyncDisposable
{
    private readonly NodeOptions _options;
    private readonly ILogger _logger;
    private readonly List<IDisposable> _owned = [];
    private readonly RocksStore _store;
    private readonly Transport _transport;
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, EndPoint> _peers;
    private Task? _failureWatch;
    private Task? _stopping;

    /// <summary>
    /// Opens everything, and changes nothing of what it refuses. <paramref name="make"/> builds the protocol over the node's
    /// store, of which it must not write to before it is recovered.
    /// </summary>
    /// <exception cref="ConfigurationRefused">The options do not fit together.</exception>
    /// <exception cref="StorageRefusal">The folder holds another node's data, an unknown format or damage.</exception>
    /// <exception cref="StorageFailure">The disk failed, or another process uses the folder.</exception>
    public HostedNode(
        NodeOptions options, Func<LogIdentity, IStore, HostedProtocol<TMessage, TRecord, TCommand, TResult>> make, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _peers = options.Peers.ToDictionary();
        if (options.Id.Value is < 1 or >= NodeSet.Capacity)
        {
            throw new ConfigurationRefused($"Node ids are from 1 to {NodeSet.Capacity - 1}; {options.Id.Value} is not.");
        }

        try
        {
            Metrics = Own(new NodeMetrics(options.Id));
            var disk = Own(new FileDisk(Path.Combine(options.DataFolder, "log")));
            var drawn = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
            var known = DurableLog.ReadIdentity(disk);
            if (options.Rejoin && known is { IsComeback: false })
            {
                throw new ConfigurationRefused(
                    $"The data folder {options.DataFolder} is not empty, so there is nothing to rejoin after: start without rejoining.");
            }

            Identity = LogIdentity.ForStart(known, options.Cluster, options.Id, drawn, options.Rejoin);
            _store = Own(new RocksStore(Path.Combine(options.DataFolder, "store")));
            if (known is null && StoreFormat.IsClaimed(_store))
            {
                throw new StoreRefused(
                    $"The data folder {options.DataFolder} has applied state but no log.",
                    "The log was lost, and with it what this node promised to its peers; nothing was changed.",
                    "Empty the folder and start the node with --rejoin: its peers take it in as a new replica.");
            }

            var log = Own(DurableLog.Open(disk, Identity, options.Log));
            _ = StoreFormat.Claim(_store, Identity);
            Ledger = Own(new NodeLedger(Own(new FileDisk(Path.Combine(options.DataFolder, "node")))));
            Host = new(HostOptions(), make(Identity, _store), log, _store, new LimitedClock(options.Clock, options.MaxClockBound), Metrics, logger);
            _transport = new Transport(TransportOptions(), Host, new GuardedStores(Ledger, Host.Fail), Metrics, logger);
        }
        catch
        {
            Close();
            throw;
        }
    }

    public NodeHost<TMessage, TRecord, TCommand, TResult> Host { get; }

    public LogIdentity Identity { get; }

    public NodeLedger Ledger { get; }

    public NodeMetrics Metrics { get; }

    /// <summary>Where the node really listens; null if it does not.</summary>
    public IPEndPoint? EndPoint => _transport.EndPoint;

    /// <summary>Ends when the node has stopped; faults with the cause if it had to stop by itself.</summary>
    public Task Completion => Host.Completion;

    /// <summary>Whether our connection to <paramref name="peer"/> is up.</summary>
    public bool IsConnected(NodeId peer) => _transport.IsConnected(peer);

    /// <summary>Adds a peer to the address book, or another address of one. What cannot be used is left out, and logged.</summary>
    public void Meet(NodeId peer, string address)
    {
        try
        {
            var endPoint = NodeOptions.ParseEndPoint(address);
            lock (_lock)
            {
                _transport.SetPeers(new Dictionary<NodeId, EndPoint>(_peers) { [peer] = endPoint });
                _peers[peer] = endPoint;
            }

            _transport.Packets?.SetAddress(peer, endPoint);
            _logger.Met(peer, endPoint);
        }
        catch (ConfigurationRefused refused)
        {
            _logger.NotMet(peer, address, refused.Message);
        }
    }

    /// <summary>Asks at these addresses until a node of the cluster answers; which one it is.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    /// <exception cref="InvalidOperationException">The node has no cluster key.</exception>
    public Task<NodeId> FindAsync(IReadOnlyList<EndPoint> endPoints, CancellationToken cancellation) =>
        _transport.Packets?.FindAsync(endPoints, cancellation)
            ?? throw new InvalidOperationException("Without a cluster key nobody can be asked.");

    /// <summary>Recovers, then listens and dials.</summary>
    /// <exception cref="ConfigurationRefused">An address cannot be used.</exception>
    public async Task StartAsync()
    {
        await Host.StartAsync(_transport);
        _transport.Start();
        lock (_lock)
        {
            _transport.SetPeers(_peers);
            foreach (var (peer, endPoint) in _peers)
            {
                _transport.Packets?.SetAddress(peer, endPoint);
            }
        }

        _failureWatch = CloseOnFailureAsync();
        _logger.Started(_options.Id, Identity.Cluster, Identity.Store, Ledger.Boot, Host.Clock.Source);
    }

    /// <summary>
    /// Stops in good order: hears no peer any more, steps what is in, makes every record durable, lets out what waited for that,
    /// flushes the store and closes everything. May be called more than once.
    /// </summary>
    public Task StopAsync() => _stopping ??= StopOnceAsync();

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task StopOnceAsync()
    {
        _transport.CloseIncoming();
        await Host.StopAsync();
        await _transport.DisposeAsync();
        if (_failureWatch is not null)
        {
            await _failureWatch;
        }

        if (Host.Completion.IsCompletedSuccessfully)
        {
            _store.Flush();
        }

        Close();
        _logger.Stopped(_options.Id);
    }

    // A node that failed must not look alive to its peers until someone gets round to disposing of it.
    private async Task CloseOnFailureAsync()
    {
        await Host.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Host.Completion.IsFaulted)
        {
            await _transport.DisposeAsync();
        }
    }

    private NodeHostOptions HostOptions()
    {
        var host = new NodeHostOptions { Self = _options.Id, CheckpointBytes = _options.CheckpointBytes };
        return _options.Seed is { } seed ? host with { Seed = seed } : host;
    }

    private TransportOptions TransportOptions() => new()
    {
        Cluster = _options.Cluster,
        Self = _options.Id,
        Store = Identity.Store,
        Boot = Ledger.Boot,
        LeapSeconds = _options.LeapSeconds,
        Listen = _options.Listen,
        Keys = _options.Keys,
        Tls = _options.Tls,
        AllowPlaintext = _options.AllowPlaintext,
        MaxQueuedBytes = _options.MaxQueuedBytes,
    };

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    private void Close()
    {
        for (var index = _owned.Count - 1; index >= 0; index--)
        {
            _owned[index].Dispose();
        }

        _owned.Clear();
    }

    /// <summary>Turns a disk that fails under the ledger into a stop of the node.</summary>
    private sealed class GuardedStores(IPeerStores stores, Action<Exception> fail) : IPeerStores
    {
        public bool Accept(NodeId peer, ulong store)
        {
            try
            {
                return stores.Accept(peer, store);
            }
            catch (StorageFailure cause)
            {
                fail(cause);
                return false;
            }
        }
    }
}
