using System.Threading.Channels;
using Google.Protobuf;
using Synod.Api;
using Synod.App.Protocols.Nodes;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Load;

using Outbox = Outbox<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;

/// <summary>
/// A client of a PBFT group: the protocol's own client machine, stepped by one task. It lives as long as the run and its number is never
/// used again, so its records need no disk.
/// </summary>
internal sealed class PbftLoadClient : IProtocolClient
{
    private static readonly Pbft.MessageWire s_messages = new();

    private readonly IReadOnlyList<NodeConnection> _nodes;
    private readonly NodeSet _members;
    private readonly PbftClient _machine;
    private readonly Channel<Input> _inputs = Channel.CreateUnbounded<Input>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Outbox _outbox = new();
    private readonly Context _context = new();
    private readonly Timer _timer;
    private Instant? _due;
    private TaskCompletionSource? _done;

    public PbftLoadClient(ProtocolSettings settings, int number, string folder, IReadOnlyList<NodeConnection> nodes)
    {
        (Number, _nodes, _members) = (number, nodes, settings.Members);
        _machine = new PbftClient(new NodeId(number), PbftNode.GroupOf(settings), PbftNode.OptionsOf(settings), settings.ClientSigner(folder, new NodeId(number)));
        _timer = new Timer(_ => _inputs.Writer.TryWrite(default));
        _ = StepAsync();
    }

    public int Number { get; }

    public async Task<OperationEnd> RunAsync(long sequence, byte[] payload, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _inputs.Writer.TryWrite(new Input(Command: payload, Done: done, Sequence: sequence));
        await done.Task.WaitAsync(cancellationToken);
        return OperationEnd.Done;
    }

    private async Task StepAsync()
    {
        _context.Refresh();
        _machine.Recover([], _context, _outbox);
        _outbox.Clear();
        await foreach (var input in _inputs.Reader.ReadAllAsync())
        {
            _context.Refresh();
            if (input.Done is { } done)
            {
                _done = done;
                _machine.Submit(new RequestId(input.Sequence), new Pbft.Command.Invoke(input.Command!), _context, _outbox);
            }
            else if (input.Reply is { } reply)
            {
                _machine.Receive(new NodeId(input.From), reply, _context, _outbox);
            }
            else if (_due <= _context.Now)
            {
                _due = null;
                _machine.Fire(new TimerId((int)Pbft.Timer.Retry), _context, _outbox);
            }
            else if (_due is { } due)
            {
                // The timer's clock is a little ahead of ours, or this is of an earlier setting.
                SetTimer(due);
            }

            HandOver();
        }
    }

    private void HandOver()
    {
        var asked = NodeSet.Empty;
        foreach (var sent in _outbox.Messages)
        {
            Ask(sent.To, ((Pbft.Message.Request)sent.Message).Signed, listens: false);
            asked = asked.With(sent.To);
        }

        if (!asked.IsEmpty)
        {
            // The replicas that were not asked reply too, if they know where to, and check the request meanwhile.
            foreach (var node in _members.Except(asked))
            {
                Ask(node, ((Pbft.Message.Request)_outbox.Messages[0].Message).Signed, listens: true);
            }
        }

        foreach (var change in _outbox.Timers)
        {
            _due = null;
            if (change.Set)
            {
                SetTimer(change.Due);
            }
        }

        if (!_outbox.Answers.IsEmpty)
        {
            _done?.TrySetResult();
        }

        _outbox.Clear();
    }

    /// <summary>What fires before its time, or after it was cancelled, is passed over.</summary>
    private void SetTimer(Instant due)
    {
        _due = due;
        _ = _timer.Change(Math.Max(0, (due - _context.Now).Nanoseconds / 1_000_000) + 1, Timeout.Infinite);
    }

    private void Ask(NodeId node, Pbft.SignedRequest request, bool listens) => _nodes[node.Value - 1].Send(
        new Operation
        {
            Client = request.Client.Value,
            Sequence = request.Timestamp,
            Payload = UnsafeByteOperations.UnsafeWrap(request.Operation),
            Signature = ByteString.CopyFrom(request.Signature.Span),
            Listens = listens,
        },
        outcome => Hear(node.Value, outcome));

    private void Hear(int from, OperationOutcome? outcome)
    {
        if (outcome is { Kind: OperationOutcome.Types.Kind.Done })
        {
            var reader = new CodecReader(outcome.Reply.Memory);
            if (s_messages.Read(ref reader) is { } reply && reader.IsComplete)
            {
                _inputs.Writer.TryWrite(new Input(Reply: reply, From: from));
            }
        }
    }

    private readonly record struct Input(
        byte[]? Command = null, TaskCompletionSource? Done = null, long Sequence = 0, Pbft.Message? Reply = null, int From = 0);

    private sealed class Context : StepContext
    {
        public void Refresh() => Now = SystemTime.Now;

        public override int Choose(int count) => Random.Shared.Next(count);
    }
}
