using System.Threading.Channels;
using Grpc.Core;
using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>The gRPC door of a protocol's node: parses, calls, answers. What is answered at the same time shares a message.</summary>
public sealed class ProtocolService(IProtocolHandler handler) : ProtocolNode.ProtocolNodeBase
{
    /// <inheritdoc/>
    public override async Task Run(
        IAsyncStreamReader<Operations> requestStream, IServerStreamWriter<Outcomes> responseStream, ServerCallContext context)
    {
        var queue = new OutcomeQueue();
        var writing = queue.WriteAsync(responseStream, context.CancellationToken);
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                handler.Run(requestStream.Current.Operations_, queue);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client went away: nobody hears what is still under way.
        }

        queue.Complete();
        await writing;
    }

    /// <inheritdoc/>
    public override Task<ProtocolCounts> Count(CountQuery request, ServerCallContext context) => handler.CountAsync();

    private sealed class OutcomeQueue : IOutcomeSink
    {
        private const int MostInOneMessage = 256;

        private readonly Channel<OperationOutcome> _outcomes =
            Channel.CreateUnbounded<OperationOutcome>(new UnboundedChannelOptions { SingleReader = true });

        public void Take(OperationOutcome outcome) => _outcomes.Writer.TryWrite(outcome);

        public void Complete() => _outcomes.Writer.TryComplete();

        public async Task WriteAsync(IServerStreamWriter<Outcomes> stream, CancellationToken cancellationToken)
        {
            try
            {
                while (await _outcomes.Reader.WaitToReadAsync(cancellationToken))
                {
                    var message = new Outcomes();
                    while (message.Outcomes_.Count < MostInOneMessage && _outcomes.Reader.TryRead(out var outcome))
                    {
                        message.Outcomes_.Add(outcome);
                    }

                    await stream.WriteAsync(message, cancellationToken);
                }
            }
            catch (Exception gone) when (gone is OperationCanceledException or IOException or InvalidOperationException or RpcException)
            {
                // The stream has ended under the writer: its client has gone.
            }
        }
    }
}
