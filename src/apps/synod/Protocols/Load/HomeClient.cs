using Google.Protobuf;
using Synod.Api;

namespace Synod.App.Protocols.Load;

/// <summary>
/// A client whose operations may not be repeated: it asks one node, and if that does not answer, the outcome is unknown and the next
/// operation goes to the next node.
/// </summary>
internal sealed class HomeClient(int number, IReadOnlyList<NodeConnection> nodes) : IProtocolClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private int _at = number % nodes.Count;

    public int Number => number;

    public async Task<OperationEnd> RunAsync(long sequence, byte[] payload, CancellationToken cancellationToken)
    {
        var told = new TaskCompletionSource<OperationOutcome?>(TaskCreationOptions.RunContinuationsAsynchronously);
        nodes[_at].Send(
            new Operation { Client = number, Sequence = sequence, Payload = UnsafeByteOperations.UnsafeWrap(payload) },
            outcome => told.TrySetResult(outcome));
        try
        {
            if (await told.Task.WaitAsync(Patience, cancellationToken) is { } outcome)
            {
                return outcome.Kind == OperationOutcome.Types.Kind.Done ? OperationEnd.Done : OperationEnd.Aborted;
            }
        }
        catch (TimeoutException)
        {
            // Nobody can tell what became of it.
        }

        _at = (_at + 1) % nodes.Count;
        await Task.Delay(Pause, cancellationToken);
        return OperationEnd.Unknown;
    }
}
