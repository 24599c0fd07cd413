using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Writes what decides on what follows from a world at the end of a round. Worlds that are equal in it go on as one: the less it says, the
/// fewer they are, and it must say enough.
/// </summary>
public abstract class RoundEssence<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>
    /// Whether what is written of a part depends on the whole world, or on the round. How many submissions a node was given is then no part of
    /// it.
    /// </summary>
    public virtual bool IsRelative => false;

    /// <summary>
    /// Whether worlds of different rounds can be equal in it. One that equals one of an earlier round is followed no further: whatever can
    /// happen in the rounds that are left could happen there.
    /// </summary>
    public virtual bool ForgetsRounds => IsRelative;

    /// <summary>Looks at a world after so many rounds, before its parts are written one by one, and writes what is of no part.</summary>
    /// <param name="writer">Takes what is written.</param>
    /// <param name="round">How many rounds were run.</param>
    /// <param name="nodes">All of them.</param>
    /// <param name="messages">What is under way, and what may be said again.</param>
    public virtual void Begin(
        CodecWriter writer,
        int round,
        IEnumerable<Protocol<TMessage, TRecord, TCommand, TResult>> nodes,
        IEnumerable<TMessage> messages)
    {
    }

    /// <summary>
    /// Takes out of a node what does not decide on what follows, after the world that it is in was written. Fewer steps are then worked out
    /// twice.
    /// </summary>
    public virtual void Simplify(Protocol<TMessage, TRecord, TCommand, TResult> node)
    {
    }

    /// <summary>Writes what tells a node from one that will act otherwise.</summary>
    public abstract void Write(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node);

    /// <summary>Whether a message that is under way follows from what its sender is, so that it need not be written.</summary>
    public virtual bool FollowsFromSender(TMessage message) => false;

    /// <summary>Writes what tells a message from one that will be acted on otherwise.</summary>
    public abstract void Write(CodecWriter writer, TMessage message);
}

/// <summary>All of it.</summary>
internal sealed class WholeState<TMessage, TRecord, TCommand, TResult>(IWire<TMessage> messages)
    : RoundEssence<TMessage, TRecord, TCommand, TResult>
{
    public override void Write(CodecWriter writer, Protocol<TMessage, TRecord, TCommand, TResult> node) =>
        node.State(new StateWriter(writer));

    public override void Write(CodecWriter writer, TMessage message) => messages.Write(writer, message);
}
