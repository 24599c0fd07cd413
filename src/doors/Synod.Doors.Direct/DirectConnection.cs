using System.IO.Pipelines;
using Google.Protobuf;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Synod.Api;

namespace Synod.Doors.Direct;

/// <summary>
/// One connection of the direct wire, after its greeting. Requests that came together are handed over together; whichever thread gives
/// the responses also sends them.
/// </summary>
internal sealed partial class DirectConnection(ConnectionContext connection, IRequestHandler handler, ILogger log) : IResponseSink
{
    /// <summary>Requests that are worked on at a time; the connection is not read further until one is done.</summary>
    private const int MaxInFlight = 4_096;

    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly PipeWriter _output = connection.Transport.Output;
    private readonly List<Response> _queue = [];
    private readonly List<Request> _taken = [];
    private int _inFlight;
    private int _awaitedInFlight;
    private TaskCompletionSource? _awaited;
    private bool _hasUnflushed;
    private bool _isFlushing;
    private bool _isClosed;

    /// <summary>Serves requests until the client or the node closes, and then until every request has its response.</summary>
    public async Task ServeAsync()
    {
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        string? refusal = null;
        try
        {
            await using var registration = closing.UnsafeRegister(
                static input => ((PipeReader)input!).CancelPendingRead(), connection.Transport.Input);
            await ReadAsync(closing);
        }
        catch (Exception malformed) when (IsMalformed(malformed))
        {
            refusal = $"The connection was given up: {malformed.Message}";
        }
        catch (IOException)
        {
            // The client went away. What it asked for is answered below if somebody still listens.
        }

        try
        {
            await InFlightAsync(0).WaitAsync(connection.ConnectionClosed);
        }
        catch (OperationCanceledException)
        {
            // Nobody listens any more.
        }

        if (refusal is not null)
        {
            await RefuseAsync(refusal);
        }

        lock (_gate)
        {
            _isClosed = true;
        }
    }

    /// <summary>Tells the client why it is not served any further.</summary>
    public async Task RefuseAsync(string reason)
    {
        lock (_gate)
        {
            Put(new Response { Refused = new Refused { Reason = reason } });
        }

        Flush();

        // Closing with unread input would reset the connection, which may overtake the refusal.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        limit.CancelAfter(FarewellLimit);
        try
        {
            var input = connection.Transport.Input;
            while (await input.ReadAsync(limit.Token) is { IsCompleted: false } read)
            {
                input.AdvanceTo(read.Buffer.End);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // It has closed, or had its time.
        }
    }

    /// <inheritdoc/>
    public void Respond(Response response)
    {
        TaskCompletionSource? awaited = null;
        lock (_gate)
        {
            if (--_inFlight <= _awaitedInFlight)
            {
                (awaited, _awaited) = (_awaited, null);
            }

            Put(response);
        }

        awaited?.SetResult();
    }

    /// <inheritdoc/>
    public void Flush()
    {
        lock (_gate)
        {
            if (!_hasUnflushed || _isFlushing || _isClosed)
            {
                return;
            }

            _isFlushing = true;
            _hasUnflushed = false;
        }

        _ = FlushAsync();
    }

    /// <summary>Whether it says that what came in is not the direct wire.</summary>
    public static bool IsMalformed(Exception failure) => failure is InvalidDataException or InvalidProtocolBufferException;

    /// <summary>To be called under the gate.</summary>
    private void Put(Response response)
    {
        if (_isClosed)
        {
            return;
        }

        _hasUnflushed = true;
        if (_isFlushing)
        {
            _queue.Add(response);
        }
        else
        {
            DirectWire.Write(_output, response);
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            do
            {
                if (await _output.FlushAsync() is { IsCompleted: true })
                {
                    Close();
                    return;
                }
            }
            while (WriteQueue());
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The connection has ended under the writer: its client takes unanswered requests for undelivered.
            Close();
        }
    }

    /// <summary>False if nothing has gathered during the flush.</summary>
    private bool WriteQueue()
    {
        lock (_gate)
        {
            foreach (var response in _queue)
            {
                DirectWire.Write(_output, response);
            }

            _queue.Clear();
            _isFlushing = _hasUnflushed;
            _hasUnflushed = false;
            return _isFlushing;
        }
    }

    private void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            _queue.Clear();
        }
    }

    private async Task ReadAsync(CancellationToken closing)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var read = await input.ReadAsync(CancellationToken.None);
            if (closing.IsCancellationRequested)
            {
                return;
            }

            var bytes = read.Buffer;
            try
            {
                while (DirectWire.TryRead(ref bytes, out var message))
                {
                    _taken.Add(Request.Parser.ParseFrom(message));
                }
            }
            finally
            {
                // What came before something malformed is served like any other.
                input.AdvanceTo(bytes.Start, bytes.End);
                HandleTaken();
            }

            if (read.IsCompleted)
            {
                return;
            }

            await InFlightAsync(MaxInFlight);
        }
    }

    private void HandleTaken()
    {
        if (_taken.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            _inFlight += _taken.Count;
        }

        foreach (var request in _taken.Where(request => request.BodyCase == Request.BodyOneofCase.None))
        {
            Respond(DoorAnswers.Bodiless(request));
        }

        if (_taken.RemoveAll(request => request.BodyCase == Request.BodyOneofCase.None) > 0)
        {
            Flush();
        }

        try
        {
            handler.Handle(_taken, this);
        }
        catch (Exception failure)
        {
            LogFailure(failure);
            foreach (var request in _taken)
            {
                Respond(DoorAnswers.Failed(request));
            }

            Flush();
        }

        _taken.Clear();
    }

    /// <summary>Waits until at most so many requests are worked on.</summary>
    private Task InFlightAsync(int atMost)
    {
        lock (_gate)
        {
            if (_inFlight <= atMost)
            {
                return Task.CompletedTask;
            }

            _awaitedInFlight = atMost;
            _awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _awaited.Task;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Requests failed inside the node.")]
    private partial void LogFailure(Exception failure);
}
