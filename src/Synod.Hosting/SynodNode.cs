using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Client;
using Synod.Core;
using Synod.Database;
using Synod.Hosting.Http;
using Synod.Node;

namespace Synod.Hosting;

/// <summary>One node: the database on its host, with a door and an HTTP page if asked for.</summary>
public sealed class SynodNode : ISynodNode, IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(10);

    private readonly NodeSettings _settings;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HostedNode<NodeMessage, NodeRecord, Request, Response>? _node;
    private readonly CancellationTokenSource _stop = new();
    private NodeRequestHandler? _handler;
    private Task _joining = Task.CompletedTask;
    private SynodClient? _client;
    private WebServer? _door;
    private WebServer? _http;

    /// <exception cref="SynodConfigurationException">The options cannot be used.</exception>
    public SynodNode(SynodOptions options, ILoggerFactory loggers)
    {
        _settings = NodeSettings.Of(options);
        _loggers = loggers;
        _log = loggers.CreateLogger("Synod.Node");
    }

    /// <inheritdoc/>
    public SynodClient Client => _client ?? throw NotRunning();

    /// <inheritdoc/>
    public Task Completion => _completion.Task;

    /// <inheritdoc/>
    public IPEndPoint? ClientEndPoint => _door?.EndPoint;

    /// <inheritdoc/>
    public IPEndPoint? HttpEndPoint => _http?.EndPoint;

    /// <inheritdoc/>
    public async Task<NodeStatus> StatusAsync(CancellationToken cancellationToken = default)
    {
        var handler = _handler ?? throw NotRunning();
        var response = await handler.HandleAsync(new Request { Status = new StatusQuery() }, cancellationToken);
        return response.Status ?? throw NotRunning();
    }

    /// <summary>Opens the data folder, recovers, and then opens the ports.</summary>
    /// <exception cref="ConfigurationRefused">The options do not fit together.</exception>
    /// <exception cref="Synod.Storage.StorageRefusal">The folder holds another node's data, an unknown format or damage.</exception>
    /// <exception cref="Synod.Storage.StorageFailure">The disk failed, or another process uses the folder.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var database = new DatabaseOptions
        {
            Self = _settings.Self,
            Nodes = _settings.Nodes,
            InitialReplicas = _settings.InitialReplicas,
            AwaitsContact = _settings.Join.Count > 0,
            Quorums = _settings.Quorums,
            ClockSource = _settings.Clock.Source,
        };
        var options = new NodeOptions
        {
            Cluster = _settings.Cluster,
            Id = _settings.Self,
            DataFolder = _settings.DataFolder,
            Rejoin = _settings.Rejoin,
            Listen = _settings.Listen,
            Peers = _settings.Peers,
            Keys = _settings.Keys,
            Tls = _settings.Tls,
            AllowPlaintext = _settings.AllowPlaintext,
            Clock = _settings.Clock,
            MaxClockBound = _settings.MaxClockBound,
        };
        _node = new(
            options,
            (identity, store) => new(
                new DatabaseNode(database with { Incarnation = identity.Incarnation }, store), new NodeMessageWire(), new NodeRecordWire())
            {
                Executed = (_, met) => _node!.Meet(new NodeId(met.Meet.Node), met.Meet.Address),
            },
            _log);
        await _node.StartAsync();
        if (_settings.WaitsForOthers)
        {
            _log.FirstRange(_settings.InitialReplicas);
        }

        _ = FollowAsync(_node);
        _handler = new NodeRequestHandler(_node.Host);
        _joining = JoinAsync(_node, _handler);
        var clientOptions = new SynodClientOptions
        {
            Endpoints = [_settings.OwnAddress],
            Token = _settings.Token,
            Tls = _settings.Tls is { } tls ? ClientTls.FromFile(tls.Authority) : null,
            AllowPlaintext = _settings.AllowPlaintext,
        };
        _client = new SynodClient(
            clientOptions, new InProcessTransport(_settings.OwnAddress, _handler, new DirectClientTransport(clientOptions)));
        _door = _settings.ClientListen is { } clients
            ? await WebServer.StartDoorAsync(clients, _settings, _handler, _loggers, cancellationToken)
            : null;
        _http = _settings.HttpListen is { } http
            ? await WebServer.StartPagesAsync(http, this, _loggers, cancellationToken)
            : null;
    }

    /// <summary>Hands its leaderships over, lets requests under way finish, makes everything durable and closes.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_node is null)
        {
            return;
        }

        await _stop.CancelAsync();
        await _joining;
        await DrainAsync(cancellationToken);
        foreach (var server in new[] { _door, _http })
        {
            await (server?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        await _node.StopAsync();
        await (_client?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    /// <summary>Another node leads at once instead of after a timeout. Best effort: a node alone has nobody to hand over to.</summary>
    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        if (_handler is null || _node is null || _node.Completion.IsCompleted)
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LongestDrain);
        try
        {
            await _handler.HandleAsync(new Request { Drain = new Drain() }, limit.Token);
        }
        catch (OperationCanceledException)
        {
            _log.DrainCutShort();
        }
    }

    /// <summary>Finds a node of the cluster beside everything else, and asks it for the others.</summary>
    private async Task JoinAsync(HostedNode<NodeMessage, NodeRecord, Request, Response> node, NodeRequestHandler handler)
    {
        if (_settings.Join.Count == 0)
        {
            return;
        }

        try
        {
            var contact = await node.FindAsync(_settings.Join, _stop.Token);
            _ = await handler.HandleAsync(new Request { Meet = new Meet { Node = contact.Value } }, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The node stops before it found anybody.
        }
    }

    private async Task FollowAsync(HostedNode<NodeMessage, NodeRecord, Request, Response> node)
    {
        try
        {
            await node.Completion;
            _completion.TrySetResult();
        }
        catch (Exception cause)
        {
            _completion.TrySetException(cause);
        }
    }

    private static InvalidOperationException NotRunning() => new("The node is not running. Start the host first.");
}

internal static partial class HostingLog
{
    [LoggerMessage(100, LogLevel.Warning, "Stopping before every leadership was handed over; the ranges it led pause until an election")]
    public static partial void DrainCutShort(this ILogger log);

    [LoggerMessage(101, LogLevel.Information, "Nodes find each other: {Replicas} hold a new cluster's first range, which serves once enough of them are here; --replicas says how many")]
    public static partial void FirstRange(this ILogger log, Synod.Core.NodeSet replicas);
}
