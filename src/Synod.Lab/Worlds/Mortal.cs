using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Worlds;

/// <summary>A message, or, with no body, the toll of a bell: its sender has died, and sent this many messages to you before.</summary>
internal sealed record Envelope<TMessage>(TMessage? Body, int Count)
    where TMessage : class
{
    public override string ToString() => Body?.ToString() ?? $"dead after {Count}";
}

internal sealed class EnvelopeWire<TMessage>(IWire<TMessage> inner) : IWire<Envelope<TMessage>>
    where TMessage : class
{
    public void Write(CodecWriter writer, Envelope<TMessage> value)
    {
        writer.Bool(value.Body is not null);
        writer.Int(value.Count);
        if (value.Body is not null)
        {
            inner.Write(writer, value.Body);
        }
    }

    public Envelope<TMessage> Read(ref CodecReader reader)
    {
        var hasBody = reader.Bool();
        var count = reader.Int();
        return new Envelope<TMessage>(hasBody ? inner.Read(ref reader) : null, count);
    }
}

/// <summary>
/// A process that may die in any of its steps for good, with any part of what the step sends already sent: crash-stop, for the
/// explorer, whose own crashes are restarts. If the death is <paramref name="heard"/>, everyone hears of it, as the last of what the
/// dead process sent to each: a failure detector that is never wrong, over links that deliver in bounded time.
/// </summary>
internal sealed class Mortal<TMessage, TRecord>(
    NodeId self, Protocol<TMessage, TRecord, CommitCommand, CommitResult> inner, NodeSet all, bool mayDie, bool heard)
    : Protocol<Envelope<TMessage>, TRecord, CommitCommand, CommitResult>, ICommitProtocol
    where TMessage : class
{
    private readonly SortedDictionary<NodeId, int> _sent = [];
    private readonly SortedDictionary<NodeId, int> _received = [];
    private readonly SortedDictionary<NodeId, int> _tolls = [];
    private bool _isDead;

    public Ledger Ledger => ((ICommitProtocol)inner).Ledger;

    public IReadOnlyCollection<TransactionId> Open => ((ICommitProtocol)inner).Open;

    public IReadOnlyCollection<TransactionId> Enlisted => ((ICommitProtocol)inner).Enlisted;

    public bool IsDead => _isDead;

    /// <summary>The protocol inside.</summary>
    public Protocol<TMessage, TRecord, CommitCommand, CommitResult> Inner => inner;

    public override void State(StateVisitor visitor)
    {
        visitor.Visit("dead", ref _isDead);
        visitor.Visit("sent", _sent, VisitNode, VisitCount);
        visitor.Visit("received", _received, VisitNode, VisitCount);
        visitor.Visit("tolls", _tolls, VisitNode, VisitCount);
        inner.State(visitor);
    }

    public override void CheckInvariants()
    {
    }

    protected override void OnRecover(
        IEnumerable<TRecord> records, StepContext context, Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox) =>
        Pass(context, outbox, within => inner.Recover(records, context, within));

    protected override void OnReceive(
        NodeId from, Envelope<TMessage> message, StepContext context, Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (_isDead)
        {
            return;
        }

        if (message.Body is null)
        {
            _tolls[from] = message.Count;
        }
        else
        {
            if (heard && from != self)
            {
                _received[from] = _received.GetValueOrDefault(from) + 1;
            }

            Pass(context, outbox, within => inner.Receive(from, message.Body, context, within));
        }

        if (_tolls.TryGetValue(from, out var toll))
        {
            SuspectIfAllIsReceived(from, toll, context, outbox);
        }
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox)
    {
        Pass(context, outbox, within => inner.Fire(timer, context, within));

        // A detector says it again as long as it holds: a transaction may have come after the first time.
        foreach (var (node, toll) in _tolls)
        {
            SuspectIfAllIsReceived(node, toll, context, outbox);
        }
    }

    protected override void OnSubmit(
        RequestId request,
        CommitCommand command,
        StepContext context,
        Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox) =>
        Pass(context, outbox, within => inner.Submit(request, command, context, within));

    private void SuspectIfAllIsReceived(
        NodeId node, int toll, StepContext context, Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (toll == _received.GetValueOrDefault(node))
        {
            Pass(context, outbox, within => inner.Submit(new RequestId(0), new CommitCommand.Suspect(node), context, within));
        }
    }

    private static void VisitNode(StateVisitor visitor, ref NodeId node) => visitor.Visit("", ref node);

    private static void VisitCount(StateVisitor visitor, ref int count) => visitor.Visit("", ref count);

    private void Pass(
        StepContext context,
        Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox,
        Action<Outbox<TMessage, TRecord, CommitCommand, CommitResult>> step)
    {
        if (_isDead)
        {
            return;
        }

        var within = new Outbox<TMessage, TRecord, CommitCommand, CommitResult>(outbox.RecordCount);
        step(within);
        within.PassOn(outbox);

        // Nought is to live on; each other choice is a death after some of the messages, in no order, since links are many.
        var messages = within.Messages;
        var fate = mayDie ? context.Choose((1 << messages.Length) + 1) : 0;
        for (var index = 0; index < messages.Length; index++)
        {
            if (fate == 0 || ((fate - 1) >> index & 1) == 1)
            {
                Send(messages[index].To, messages[index].Message, outbox);
            }
        }

        foreach (var answered in within.Answers)
        {
            outbox.Answer(answered.Request, answered.Result);
        }

        if (fate > 0)
        {
            Die(outbox);
        }
    }

    private void Send(NodeId to, TMessage message, Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox)
    {
        if (heard && to != self)
        {
            _sent[to] = _sent.GetValueOrDefault(to) + 1;
        }

        outbox.Send(to, new Envelope<TMessage>(message, 0));
    }

    private void Die(Outbox<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> outbox)
    {
        _isDead = true;
        if (heard)
        {
            foreach (var node in all.Without(self))
            {
                outbox.Send(node, new Envelope<TMessage>(null, _sent.GetValueOrDefault(node)));
            }
        }
    }
}
