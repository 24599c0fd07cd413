using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Synod.Api;
using ReadResult = System.IO.Pipelines.ReadResult;

namespace Synod.Client.Transport;

/// <summary>
/// One connection to one node, from the first call until it breaks. It never comes back. Whoever has a request sends it, unless
/// somebody is at it already; what gathers meanwhile follows in one piece.
/// </summary>
internal sealed class NodeConnection : IAsyncDisposable
{
    private const int KeptBufferBytes = 1 << 20;
    private static readonly TimeSpan RefusalLimit = TimeSpan.FromSeconds(1);

    private readonly string _address;
    private readonly SynodClientOptions _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Call> _pending = [];
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource<Exception> _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action _onRead;
    private readonly Task _run;
    private ArrayBufferWriter<byte> _queue = new();
    private ArrayBufferWriter<byte> _writing = new();
    private Stream _stream = Stream.Null;
    private PipeReader _reader = PipeReader.Create(ReadOnlySequence<byte>.Empty);
    private ValueTaskAwaiter<ReadResult> _read;
    private ulong _lastId;
    private ulong _lastSent;
    private volatile bool _isConnected;
    private volatile bool _isAnswered;

    // Until the greeting is out, somebody is at it.
    private bool _isWriting = true;

    public NodeConnection(string address, SynodClientOptions options)
    {
        _address = address;
        _options = options;
        _onRead = OnRead;
        _run = RunAsync();
    }

    /// <summary>Sends a request, or queues it; false if the connection has broken.</summary>
    public bool TryStart(Request request, [NotNullWhen(true)] out Call? call)
    {
        lock (_gate)
        {
            if (_broken.Task.IsCompleted)
            {
                call = null;
                return false;
            }

            request.Id = ++_lastId;
            call = new Call(request.Id);
            _pending.Add(call.Id, call);
            DirectWire.Write(_queue, request);
            if (_isWriting)
            {
                return true;
            }

            _isWriting = true;
            TakeQueue();
        }

        _ = WriteAsync();
        return true;
    }

    /// <summary>Why <see cref="TryStart"/> said no.</summary>
    public Exception NotStarted() => Failure(_broken.Task.Result, isSent: false);

    public async ValueTask<Response> FinishAsync(Call call, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static (state, token) => ((Call)state!).CancelLater(token), call);
        try
        {
            return await call.Task;
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                _ = _pending.Remove(call.Id);
            }

            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _run;
    }

    private async Task RunAsync()
    {
        Exception cause;
        try
        {
            await using var stream = await Dialling.ConnectAsync(_address, _options, () => _isConnected = true, _end.Token);
            _stream = stream;
            await stream.WriteAsync(Greeting(), _end.Token);
            _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
            if (IsReadable())
            {
                OnRead();
            }

            if (HasMore())
            {
                _ = WriteAsync();
            }

            await using var registration = _end.Token.UnsafeRegister(
                static self => ((NodeConnection)self!).Break(new IOException("the client was closed")), this);
            cause = await _broken.Task;
        }
        catch (Exception failure)
        {
            // Whatever it was, it ended this connection, and every waiting call is told.
            cause = failure;
        }

        Break(cause);
    }

    private ReadOnlyMemory<byte> Greeting()
    {
        var greeting = new ArrayBufferWriter<byte>();
        greeting.Write(DirectWire.Preface);
        DirectWire.Write(greeting, _options.Token is { } token ? new Hello { Token = token } : new Hello());
        return greeting.WrittenMemory;
    }

    /// <summary>Writes what is to be written until nothing is left. The first piece leaves on the caller's thread.</summary>
    private async Task WriteAsync()
    {
        try
        {
            do
            {
                await _stream.WriteAsync(_writing.WrittenMemory);
            }
            while (HasMore());
        }
        catch (Exception failure)
        {
            // Why the node ends a connection is what it says last, and only the reading side is told.
            await Task.WhenAny(_broken.Task, Task.Delay(RefusalLimit, _options.TimeProvider));
            Break(failure);
        }
    }

    private bool HasMore()
    {
        lock (_gate)
        {
            _writing.ResetWrittenCount();
            if (_writing.Capacity > KeptBufferBytes)
            {
                _writing = new();
            }

            _isWriting = _queue.WrittenCount > 0;
            if (_isWriting)
            {
                TakeQueue();
            }

            return _isWriting;
        }
    }

    /// <summary>From here on the node may get what is in the queue.</summary>
    private void TakeQueue()
    {
        (_queue, _writing) = (_writing, _queue);
        _lastSent = _lastId;
    }

    /// <summary>Begins to read; false if the rest happens when something comes.</summary>
    private bool IsReadable()
    {
        _read = _reader.ReadAsync().GetAwaiter();
        if (_read.IsCompleted)
        {
            return true;
        }

        _read.UnsafeOnCompleted(_onRead);
        return false;
    }

    /// <summary>
    /// Takes what came. Whoever waited for the last of it goes on on this thread, once the connection is read on by others: one switch of
    /// threads less for a caller that is alone.
    /// </summary>
    private void OnRead()
    {
        Call? last = null;
        Response? answer = null;
        try
        {
            do
            {
                var read = _read.GetResult();
                var bytes = read.Buffer;
                while (DirectWire.TryRead(ref bytes, out var message))
                {
                    var response = Response.Parser.ParseFrom(message);
                    if (Take(response) is { } call)
                    {
                        last?.AnswerLater(answer!);
                        (last, answer) = (call, response);
                    }
                }

                _reader.AdvanceTo(bytes.Start, bytes.End);
                if (read.IsCompleted)
                {
                    throw new IOException("the node closed the connection");
                }
            }
            while (IsReadable());
        }
        catch (Exception cause)
        {
            Break(cause);
        }

        _ = last?.TrySetResult(answer!);
    }

    private Call? Take(Response response)
    {
        _isAnswered = true;
        if (response.Id == 0)
        {
            throw response.BodyCase == Response.BodyOneofCase.Refused
                ? new SynodRefusedException(response.Refused.Reason)
                : new IOException("the node answered what nobody asked");
        }

        lock (_gate)
        {
            return _pending.Remove(response.Id, out var call) ? call : null;
        }
    }

    private void Break(Exception cause)
    {
        Call[] calls;
        ulong lastSent;
        lock (_gate)
        {
            _ = _broken.TrySetResult(cause);
            calls = [.. _pending.Values];
            _pending.Clear();
            lastSent = _lastSent;
        }

        foreach (var call in calls)
        {
            call.FailLater(Failure(cause, call.Id <= lastSent));
        }
    }

    private Exception Failure(Exception cause, bool isSent) => cause switch
    {
        SynodRefusedException refused => new SynodRefusedException(refused.Message),

        // The handshake comes before every request: nothing was delivered.
        AuthenticationException distrust => new DeliveryFailedException(
            $"{_address} did not prove over TLS that it is of the cluster whose authority the client was given ({distrust.Message})",
            maybeDelivered: false,
            cause),
        _ => new DeliveryFailedException(HowItEnded, isSent, cause),
    };

    private string HowItEnded => (_isConnected, _isAnswered, _options.Tls) switch
    {
        (false, _, _) => $"{_address} cannot be reached",

        // What a node with TLS does to a client without it.
        (_, false, null) => $"{_address} hung up without an answer, as a node with TLS does when the client was not given its authority (ca.crt)",
        _ => $"the connection to {_address} broke",
    };

    /// <summary>A request on its way and the response that is waited for. Only the reader goes on with the waiting code itself.</summary>
    public sealed class Call(ulong id) : TaskCompletionSource<Response>
    {
        public ulong Id => id;

        public void AnswerLater(Response response) => Later(static (call, response) => call.TrySetResult(response), response);

        public void FailLater(Exception failure) => Later(static (call, failure) => call.TrySetException(failure), failure);

        public void CancelLater(CancellationToken token) => Later(static (call, token) => call.TrySetCanceled(token), token);

        private void Later<T>(Func<Call, T, bool> end, T argument) => ThreadPool.UnsafeQueueUserWorkItem(
            static work => work.End(work.Call, work.Argument), (End: end, Call: this, Argument: argument), preferLocal: true);
    }
}
