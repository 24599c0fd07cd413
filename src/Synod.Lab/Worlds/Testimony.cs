using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>
/// A node whose messages are watched as they are sent and as they arrive. What a correct node was heard to say, it must stand by in
/// each later life: that is durability, told from outside (pbft.md §6.6, hotstuff.md §8.3).
/// </summary>
internal sealed class Watched<TMessage, TRecord, TCommand, TResult>(
    NodeId self, Protocol<TMessage, TRecord, TCommand, TResult> inner, Action<NodeId, NodeId, TMessage> sent, Action<NodeId, TMessage> heard)
    : Disguise<TMessage, TRecord, TCommand, TResult>(inner)
{
    protected override void OnReceive(
        NodeId from, TMessage message, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        heard(from, message);
        base.OnReceive(from, message, context, outbox);
    }

    protected override void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send)
    {
        if (to != self)
        {
            sent(self, to, message);
        }

        send(to, message);
    }
}

/// <summary>The last things that each correct node was heard to say, held against what it knows in its present life.</summary>
internal sealed class Testimony<TMessage, TNode>(Func<TNode, TMessage, bool> standsBy, Action<NodeId, string> fail)
    where TNode : class
{
    private const int Remembered = 48;

    private readonly SortedDictionary<NodeId, Queue<TMessage>> _heard = [];
    private readonly SortedDictionary<NodeId, TNode> _lives = [];

    /// <summary>Somebody heard <paramref name="message"/> from a correct node, which lives as <paramref name="node"/> or is down.</summary>
    public void Hear(NodeId from, TMessage message, TNode? node)
    {
        if (!_heard.TryGetValue(from, out var said))
        {
            _heard.Add(from, said = new());
        }

        said.Enqueue(message);
        if (said.Count > Remembered)
        {
            said.Dequeue();
        }

        if (node is null)
        {
            return;
        }

        var isNew = !_lives.TryGetValue(from, out var life) || !ReferenceEquals(life, node);
        _lives[from] = node;
        foreach (var word in isNew ? [.. said] : new[] { message })
        {
            if (!standsBy(node, word))
            {
                fail(from, $"does not stand by {word}");
            }
        }
    }
}
