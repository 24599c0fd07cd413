using Synod.Core;

namespace Synod.Lab.Histories;

/// <summary>How something is called in a history, and whether it is the decision that the protocol is about.</summary>
public sealed record Word(string Text, bool IsDecision = false)
{
    public static implicit operator Word?(string? text) => text is null ? null : new(text);
}

/// <summary>
/// How a protocol's messages, records and so on are called in histories. What is called nothing is left out of them, such as
/// heartbeats in a story about something else.
/// </summary>
public abstract class Vocabulary<TMessage, TRecord, TCommand, TResult>
    where TMessage : class
    where TRecord : class
{
    public virtual Word? Message(TMessage message) => message.GetType().Name;

    public virtual Word? Record(TRecord record) => record.GetType().Name;

    public abstract Word? Timer(TimerId timer);

    public abstract Word? Command(TCommand command);

    public abstract Word? Result(TResult result);

    public virtual Word? Execution(Slot position, TCommand command) => null;
}
