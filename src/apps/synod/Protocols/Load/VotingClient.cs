using Google.Protobuf;
using Synod.Api;
using Synod.App.Protocols.Nodes;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Load;

/// <summary>A client of a HotStuff group: it signs, asks every replica, and believes a position that f + 1 of them name.</summary>
internal sealed class VotingClient : IProtocolClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly HotStuffOptions _options;
    private readonly IReadOnlyList<NodeConnection> _nodes;
    private readonly ISigner _signer;
    private readonly Statements _statements;

    public VotingClient(ProtocolSettings settings, int number, string folder, IReadOnlyList<NodeConnection> nodes)
    {
        _options = HotStuffNode.OptionsOf(settings);
        (Number, _nodes) = (number, nodes);
        _signer = settings.ClientSigner(folder, new NodeId(number));
        _statements = new Statements(_options.Domain);
    }

    public int Number { get; }

    public async Task<OperationEnd> RunAsync(long sequence, byte[] payload, CancellationToken cancellationToken)
    {
        var signature = _signer.Sign(_statements.Command(new NodeId(Number), sequence, payload));
        var operation = new Operation
        {
            Client = Number,
            Sequence = sequence,
            Payload = UnsafeByteOperations.UnsafeWrap(payload),
            Signature = ByteString.CopyFrom(signature.Span),
        };
        var votes = new Votes(_options.Faults + 1);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var node in _nodes)
            {
                node.Send(operation.Clone(), outcome => votes.Take(node.Node, outcome));
            }

            try
            {
                await votes.Enough.WaitAsync(Patience, cancellationToken);
                return OperationEnd.Done;
            }
            catch (TimeoutException)
            {
                // Some replica was down or slow: all are asked again.
            }
        }
    }

    /// <summary>The last word of each replica; enough when so many are the same.</summary>
    private sealed class Votes(int needed)
    {
        private readonly Dictionary<int, long> _positions = [];
        private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Enough => _enough.Task;

        public void Take(int node, OperationOutcome? outcome)
        {
            if (outcome is not { Kind: OperationOutcome.Types.Kind.Done })
            {
                return;
            }

            lock (_positions)
            {
                _positions[node] = outcome.Position;
                if (_positions.Values.Count(position => position == outcome.Position) >= needed)
                {
                    _enough.TrySetResult();
                }
            }
        }
    }
}
