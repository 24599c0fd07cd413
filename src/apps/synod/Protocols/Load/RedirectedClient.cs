using Google.Protobuf;
using Synod.Api;

namespace Synod.App.Protocols.Load;

/// <summary>
/// A client that asks one node until that node says no, is silent or away, and then the one it was told of or the next. A repetition
/// of an operation has no second effect, so it asks until it hears that it is done.
/// </summary>
/// <param name="number">The client's number.</param>
/// <param name="nodes">Whom it may ask.</param>
/// <param name="home">Where it begins.</param>
internal sealed class RedirectedClient(int number, IReadOnlyList<NodeConnection> nodes, int home) : IProtocolClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private int _at = home;

    public int Number => number;

    public async Task<OperationEnd> RunAsync(long sequence, byte[] payload, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (await AskAsync(sequence, payload))
            {
                case { Kind: OperationOutcome.Types.Kind.Done }:
                    return OperationEnd.Done;
                case { Kind: OperationOutcome.Types.Kind.Redirected, Node: > 0 and var leader }:
                    _at = leader - 1;
                    break;
                case { Kind: OperationOutcome.Types.Kind.Refused }:
                    await Task.Delay(Pause, cancellationToken);
                    break;
                default:
                    _at = (_at + 1) % nodes.Count;
                    await Task.Delay(Pause, cancellationToken);
                    break;
            }
        }
    }

    private async Task<OperationOutcome?> AskAsync(long sequence, byte[] payload)
    {
        var outcome = new TaskCompletionSource<OperationOutcome?>(TaskCreationOptions.RunContinuationsAsynchronously);
        nodes[_at].Send(
            new Operation { Client = number, Sequence = sequence, Payload = UnsafeByteOperations.UnsafeWrap(payload) },
            told => outcome.TrySetResult(told));
        try
        {
            return await outcome.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }
}
