using System.Threading.Channels;
using Grpc.Core;
using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>The responses of one stream on their way out: any thread puts them in, one loop writes them.</summary>
internal sealed class ResponseQueue : IResponseSink
{
    /// <summary>Requests of one stream that are worked on at a time; the stream is not read further until one is done.</summary>
    private const int MaxInFlight = 4_096;

    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    private readonly Channel<Response> _responses = Channel.CreateUnbounded<Response>(new() { SingleReader = true });
    private readonly SemaphoreSlim _slots = new(MaxInFlight);

    /// <summary>Waits until another request may be begun.</summary>
    public Task BeginAsync(CancellationToken cancellationToken) => _slots.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public void Respond(Response response)
    {
        // After the end nobody reads any more, and the response is dropped: its client takes the request for undelivered.
        _responses.Writer.TryWrite(response);
        _slots.Release();
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // The loop that writes sees every response at once, and gathers those that are there together.
    }

    /// <summary>Waits until every request that was begun has its response.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        for (var slot = 0; slot < MaxInFlight; slot++)
        {
            await _slots.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes no more responses.</summary>
    public void Complete() => _responses.Writer.TryComplete();

    public async Task WriteAsync(IServerStreamWriter<Response> stream, CancellationToken cancellationToken)
    {
        try
        {
            while (await _responses.Reader.WaitToReadAsync(cancellationToken))
            {
                while (_responses.Reader.TryRead(out var response))
                {
                    // Whatever follows at once shares a packet.
                    stream.WriteOptions = _responses.Reader.TryPeek(out _) ? Buffered : WriteOptions.Default;
                    await stream.WriteAsync(response, cancellationToken);
                }
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or InvalidOperationException or RpcException)
        {
            // The stream has ended under the writer: its client has gone and takes unanswered requests for undelivered.
        }
    }
}
