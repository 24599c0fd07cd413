using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Grpc.Net.Client;
using Synod.Api;

namespace Synod.App.Protocols.Load;

/// <summary>
/// The stream to one node, shared by all clients, and dialled again when it breaks. Operations that are sent together share a message.
/// What a broken stream did not answer is told to be lost.
/// </summary>
internal sealed class NodeConnection : IAsyncDisposable
{
    private const int MostInOneMessage = 256;
    private static readonly TimeSpan RedialPause = TimeSpan.FromMilliseconds(50);

    private readonly GrpcChannel _channel;
    private readonly ProtocolNode.ProtocolNodeClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<ulong, Action<OperationOutcome?>> _pending = [];
    private readonly Task _running;
    private Channel<Operation> _outgoing = NewChannel();
    private readonly TaskScheduler _clients;
    private ulong _lastId;

    /// <param name="node">Where to.</param>
    /// <param name="clients">Runs whoever sends; what they send is written when they have all had their turn.</param>
    public NodeConnection(ProtocolAddress node, TaskScheduler clients)
    {
        (Node, _clients) = (node.Id, clients);
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{node.ClientPort}");
        _client = new(_channel);
        _running = RunAsync();
    }

    public int Node { get; }

    /// <summary>
    /// Sends an operation; <paramref name="outcome"/> is called at most once, on any thread: with null if the stream broke before there
    /// was an answer.
    /// </summary>
    public void Send(Operation operation, Action<OperationOutcome?> outcome)
    {
        operation.Id = Interlocked.Increment(ref _lastId);
        _pending[operation.Id] = outcome;
        if (!Volatile.Read(ref _outgoing).Writer.TryWrite(operation))
        {
            Finish(operation.Id, null);
        }
    }

    /// <exception cref="RpcException">The node does not answer.</exception>
    public async Task<ProtocolCounts> CountAsync(CancellationToken cancellationToken) =>
        await _client.CountAsync(new CountQuery(), cancellationToken: cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _channel.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var outgoing = NewChannel();
            Volatile.Write(ref _outgoing, outgoing);
            try
            {
                using var call = _client.Run(cancellationToken: _stop.Token);
                using var broken = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                var writing = Task.Factory.StartNew(
                    () => WriteAsync(outgoing.Reader, call.RequestStream, broken.Token), broken.Token, TaskCreationOptions.None, _clients).Unwrap();
                try
                {
                    await foreach (var outcomes in call.ResponseStream.ReadAllAsync(_stop.Token))
                    {
                        foreach (var outcome in outcomes.Outcomes_)
                        {
                            Finish(outcome.Id, outcome);
                        }
                    }
                }
                finally
                {
                    await broken.CancelAsync();
                    await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
            catch (Exception gone) when (gone is RpcException or IOException or OperationCanceledException or InvalidOperationException)
            {
                // The node is down or away: what waits is lost, and it is dialled again.
            }

            outgoing.Writer.TryComplete();
            foreach (var id in _pending.Keys)
            {
                Finish(id, null);
            }

            await Task.Delay(RedialPause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task WriteAsync(
        ChannelReader<Operation> outgoing, IClientStreamWriter<Operations> stream, CancellationToken cancellationToken)
    {
        while (await outgoing.WaitToReadAsync(cancellationToken))
        {
            var message = new Operations();
            while (message.Operations_.Count < MostInOneMessage && outgoing.TryRead(out var operation))
            {
                message.Operations_.Add(operation);
            }

            await stream.WriteAsync(message, cancellationToken);
        }
    }

    private void Finish(ulong id, OperationOutcome? outcome)
    {
        if (_pending.TryRemove(id, out var waiting))
        {
            waiting(outcome);
        }
    }

    private static Channel<Operation> NewChannel() => Channel.CreateUnbounded<Operation>(new UnboundedChannelOptions { SingleReader = true });
}
