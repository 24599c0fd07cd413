using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Grpc.Core;
using Grpc.Net.Client;
using Synod.Api;

namespace Synod.Client.Transport;

/// <summary>One connection to one node with one stream, from the first call until it breaks. It never comes back.</summary>
internal sealed class NodeStream : IAsyncDisposable
{
    private const int MaxMessageBytes = 80 * 1024 * 1024;
    private static readonly TimeSpan StatusLimit = TimeSpan.FromSeconds(1);
    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    private readonly string _address;
    private readonly SynodClientOptions _options;
    private readonly Channel<Call> _outgoing = Channel.CreateUnbounded<Call>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<ulong, Call> _pending = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _run;
    private long _lastId;
    private volatile bool _connected;
    private volatile bool _answered;
    private volatile Exception? _broken;

    public NodeStream(string address, SynodClientOptions options)
    {
        _address = address;
        _options = options;
        _run = RunAsync();
    }

    /// <summary>Queues a request; false if the stream has broken.</summary>
    public bool TryStart(Request request, [NotNullWhen(true)] out Call? call)
    {
        request.Id = (ulong)Interlocked.Increment(ref _lastId);
        call = new Call(request);
        _pending[request.Id] = call;
        if (_broken is null && _outgoing.Writer.TryWrite(call))
        {
            return true;
        }

        _pending.TryRemove(request.Id, out _);
        return false;
    }

    /// <summary>Why <see cref="TryStart"/> said no.</summary>
    public Exception NotStarted() => Failure(_broken!, isWritten: false);

    public async ValueTask<Response> FinishAsync(Call call, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((Call)state!).Answer.TrySetCanceled(token), call);
        try
        {
            return await call.Answer.Task;
        }
        finally
        {
            _pending.TryRemove(call.Request.Id, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _run;
    }

    private async Task RunAsync()
    {
        Exception cause = new IOException("the node closed the stream");
        try
        {
            using var handler = Handler();
            using var channel = GrpcChannel.ForAddress(
                $"{(_options.Tls is null ? "http" : "https")}://{_address}",
                new GrpcChannelOptions
                {
                    HttpHandler = handler,
                    MaxReceiveMessageSize = MaxMessageBytes,
                    MaxSendMessageSize = MaxMessageBytes,
                });
            using var stream = new Api.Synod.SynodClient(channel).Connect(Headers(), cancellationToken: _end.Token);
            var writing = WriteAsync(stream.RequestStream);
            var reading = ReadAsync(stream.ResponseStream);
            if (await Task.WhenAny(reading, writing) == writing)
            {
                // A write fails because the call is over, and why it is over only the reading side is told.
                await Task.WhenAny(reading, Task.Delay(StatusLimit, _options.TimeProvider));
            }

            await _end.CancelAsync();
            await (reading.IsCompleted ? reading : writing);
        }
        catch (Exception failure)
        {
            // Whatever it was, it ended this stream, and every waiting call is told.
            cause = failure;
        }

        Break(cause);
    }

    private void Break(Exception cause)
    {
        _broken = cause;
        _outgoing.Writer.TryComplete();
        foreach (var call in _pending.Values)
        {
            call.Answer.TrySetException(Failure(cause, call.Written));
        }
    }

    private Exception Failure(Exception cause, bool isWritten) => cause switch
    {
        RpcException { StatusCode: StatusCode.Unauthenticated } rpc => new SynodRefusedException(rpc.Status.Detail),

        // The handshake comes before every request: nothing was delivered.
        _ when Distrust(cause) is { } distrust => new DeliveryFailedException(
            $"{_address} did not prove over TLS that it is of the cluster whose authority the client was given ({distrust.Message})",
            maybeDelivered: false,
            cause),
        _ => new DeliveryFailedException(HowItEnded, _connected && isWritten, cause),
    };

    private string HowItEnded => (_connected, _answered, _options.Tls) switch
    {
        (false, _, _) => $"{_address} cannot be reached",

        // What a node with TLS does to a client without it.
        (_, false, null) => $"{_address} hung up without an answer, as a node with TLS does when the client was not given its authority (ca.crt)",
        _ => $"the connection to {_address} broke",
    };

    private static AuthenticationException? Distrust(Exception cause)
    {
        var inner = cause;
        while (inner is not null and not AuthenticationException)
        {
            inner = inner.InnerException;
        }

        return inner as AuthenticationException;
    }

    private async Task WriteAsync(IClientStreamWriter<Request> requests)
    {
        var queue = _outgoing.Reader;
        while (await queue.WaitToReadAsync(_end.Token))
        {
            while (queue.TryRead(out var call))
            {
                // Whatever follows at once shares a packet.
                requests.WriteOptions = queue.TryPeek(out _) ? Buffered : WriteOptions.Default;
                call.Written = true;
                await requests.WriteAsync(call.Request, _end.Token);
            }
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<Response> responses)
    {
        while (await responses.MoveNext(_end.Token))
        {
            var response = responses.Current;
            _answered = true;
            if (_pending.TryRemove(response.Id, out var call))
            {
                call.Answer.TrySetResult(response);
            }
        }
    }

    private Metadata Headers() => _options.Token is { } token ? new Metadata { { "authorization", $"Bearer {token}" } } : [];

    private SocketsHttpHandler Handler()
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            InitialHttp2StreamWindowSize = 4 * 1024 * 1024,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }

                // Before this nothing can have reached the node: its calls have certainly not been delivered.
                _connected = true;
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        if (_options.Tls is { } tls)
        {
            handler.SslOptions = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls13 };
            if (tls.Authorities is { } authorities)
            {
                handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                };
                handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
            }
        }

        return handler;
    }

    /// <summary>A request on its way and the response that is waited for.</summary>
    public sealed class Call(Request request)
    {
        public Request Request => request;

        public TaskCompletionSource<Response> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Whether it may have left this process.</summary>
        public volatile bool Written;
    }
}
