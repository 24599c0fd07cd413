using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// What a Byzantine node does with the messages of the correct protocol inside it: it may hold them back, alter them, tell each
/// peer another story, and say things of its own. It has the node's own key and nobody else's.
/// </summary>
public abstract class Adversary<TMessage>
{
    /// <summary>The correct protocol wants to send; what goes out is what <paramref name="send"/> is called with.</summary>
    public virtual void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send) => send(to, message);

    /// <summary>A message arrived; the correct protocol sees it afterwards if this is true.</summary>
    public virtual bool OnReceive(NodeId from, TMessage message, StepContext context, Action<NodeId, TMessage> send) => true;

    /// <summary>Visits what the adversary remembers.</summary>
    public virtual void State(StateVisitor visitor)
    {
    }
}

/// <summary>The behaviours that need to know nothing of a protocol, and those that are told what to say (pbft.md §7).</summary>
public static class Adversary
{
    /// <summary>Hears everything and says nothing.</summary>
    public static Adversary<TMessage> Silent<TMessage>() => new SelectiveAdversary<TMessage>(NodeSet.Empty);

    /// <summary>Sends to some and leaves the others in the dark.</summary>
    public static Adversary<TMessage> Selective<TMessage>(NodeSet hearing) => new SelectiveAdversary<TMessage>(hearing);

    /// <summary>Sends what <paramref name="lie"/> makes of a message for a receiver: the same, others, or nothing.</summary>
    public static Adversary<TMessage> Lying<TMessage>(Func<NodeId, TMessage, IEnumerable<TMessage>> lie) =>
        new LyingAdversary<TMessage>(lie);

    /// <summary>Tells <paramref name="deceived"/> another story than everybody else.</summary>
    public static Adversary<TMessage> Equivocating<TMessage>(NodeSet deceived, Func<TMessage, TMessage> otherStory) =>
        new LyingAdversary<TMessage>((to, message) => [deceived.Contains(to) ? otherStory(message) : message]);

    /// <summary>Answers each message that arrives with others of its own making, beside what is right.</summary>
    public static Adversary<TMessage> Provoked<TMessage>(Func<NodeId, TMessage, IEnumerable<(NodeId To, TMessage Message)>> say) =>
        new ProvokedAdversary<TMessage>(say);

    /// <summary>After each message sends one of its last <paramref name="memory"/> again, to anyone.</summary>
    public static Adversary<TMessage> Replaying<TMessage>(IWire<TMessage> wire, int memory) =>
        new ReplayingAdversary<TMessage>(wire, memory);

    /// <summary>For each message draws one of several behaviours.</summary>
    public static Adversary<TMessage> Moody<TMessage>(params IReadOnlyList<Adversary<TMessage>> moods) =>
        new MoodyAdversary<TMessage>(moods);

    private sealed class SelectiveAdversary<TMessage>(NodeSet hearing) : Adversary<TMessage>
    {
        public override void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send)
        {
            if (hearing.Contains(to))
            {
                send(to, message);
            }
        }
    }

    private sealed class LyingAdversary<TMessage>(Func<NodeId, TMessage, IEnumerable<TMessage>> lie) : Adversary<TMessage>
    {
        public override void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send)
        {
            foreach (var said in lie(to, message))
            {
                send(to, said);
            }
        }
    }

    private sealed class ProvokedAdversary<TMessage>(Func<NodeId, TMessage, IEnumerable<(NodeId To, TMessage Message)>> say)
        : Adversary<TMessage>
    {
        public override bool OnReceive(NodeId from, TMessage message, StepContext context, Action<NodeId, TMessage> send)
        {
            foreach (var (to, said) in say(from, message))
            {
                send(to, said);
            }

            return true;
        }
    }

    private sealed class ReplayingAdversary<TMessage>(IWire<TMessage> wire, int memory) : Adversary<TMessage>
    {
        private readonly List<TMessage> _said = [];

        public override void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send)
        {
            send(to, message);
            if (_said.Count > 0)
            {
                send(to, _said[context.Choose(_said.Count)]);
            }

            _said.Add(message);
            if (_said.Count > memory)
            {
                _said.RemoveAt(0);
            }
        }

        public override void State(StateVisitor visitor) => visitor.Visit("said", _said, (v, ref message) => v.Visit("", ref message, wire));
    }

    private sealed class MoodyAdversary<TMessage>(IReadOnlyList<Adversary<TMessage>> moods) : Adversary<TMessage>
    {
        public override void OnSend(NodeId to, TMessage message, StepContext context, Action<NodeId, TMessage> send) =>
            moods[context.Choose(moods.Count)].OnSend(to, message, context, send);

        public override bool OnReceive(NodeId from, TMessage message, StepContext context, Action<NodeId, TMessage> send) =>
            moods[context.Choose(moods.Count)].OnReceive(from, message, context, send);

        public override void State(StateVisitor visitor)
        {
            foreach (var mood in moods)
            {
                mood.State(visitor);
            }
        }
    }
}
