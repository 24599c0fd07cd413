using System.Collections.Concurrent;
using System.Net;
using Synod.Api;
using Synod.Client.Transport;

namespace Synod.Client;

/// <summary>
/// Speaks the direct wire (<see cref="DirectWire"/>): one connection per node, over which all requests are multiplexed. A broken one is
/// replaced by the next call.
/// </summary>
public sealed class DirectClientTransport : IClientTransport
{
    private readonly SynodClientOptions _options;
    private readonly ConcurrentDictionary<string, NodeConnection> _connections = new(StringComparer.Ordinal);
    private readonly Lock _opening = new();
    private volatile bool _disposed;

    /// <param name="options">TLS, token and whether plain connections are permitted.</param>
    /// <exception cref="ArgumentException">An endpoint is no address.</exception>
    public DirectClientTransport(SynodClientOptions options)
    {
        if (options.Endpoints.FirstOrDefault(endpoint => !IsAddress(endpoint)) is { } wrong)
        {
            throw new ArgumentException($"'{wrong}' is no address of a node. Write host:port, for instance 127.0.0.1:7201.");
        }

        _options = options;
    }

    /// <inheritdoc/>
    public async ValueTask<Response> CallAsync(string address, Request request, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_connections.TryGetValue(address, out var open))
        {
            if (open.TryStart(request, out var call))
            {
                return await open.FinishAsync(call, cancellationToken);
            }

            // It broke since it was put there.
            _connections.TryRemove(new(address, open));
        }

        var connection = Open(address);
        return connection.TryStart(request, out var started)
            ? await connection.FinishAsync(started, cancellationToken)
            : throw connection.NotStarted();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        foreach (var connection in _connections.Values)
        {
            await connection.DisposeAsync();
        }
    }

    private NodeConnection Open(string address)
    {
        if (_options is { Tls: null, AllowPlaintext: false } && !IsLoopback(address))
        {
            throw new SynodRefusedException(
                $"{address} is another machine, and the client has no TLS: everyone on the way could read the data and the token. "
                + "Give the client the cluster's authority (ca.crt), or allow plain connections explicitly.");
        }

        lock (_opening)
        {
            return _connections.GetOrAdd(address, static (address, options) => new NodeConnection(address, options), _options);
        }
    }

    private static bool IsAddress(string text) =>
        Uri.TryCreate($"tcp://{text}", UriKind.Absolute, out var uri) && uri is { Port: >= 0, Host.Length: > 0, PathAndQuery: "" or "/" };

    private static bool IsLoopback(string address)
    {
        var host = new Uri($"http://{address}").Host.Trim('[', ']');
        return host == "localhost" || (IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip));
    }
}
