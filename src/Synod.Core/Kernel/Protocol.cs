namespace Synod.Core;

/// <summary>
/// A deterministic state machine that steps into an outbox: everything between the socket and the disk is one of these. It owns
/// no thread, clock, task, file, socket or random source. A simulator, an explorer and a node run the same object.
/// </summary>
/// <remarks>
/// The public inputs are one funnel: dispatch to the protocol, then check its invariants. Hosts trace, record and replay there.
/// </remarks>
/// <typeparam name="TMessage">What peers say to each other.</typeparam>
/// <typeparam name="TRecord">What is made durable.</typeparam>
/// <typeparam name="TCommand">What is submitted and executed.</typeparam>
/// <typeparam name="TResult">What a submitted command is answered with.</typeparam>
public abstract class Protocol<TMessage, TRecord, TCommand, TResult>
{
    /// <summary>
    /// Start is recovery from nothing. <paramref name="records"/> are the durable ones in the order they were persisted, oldest
    /// first; the instance is new.
    /// </summary>
    public void Recover(
        IEnumerable<TRecord> records, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        OnRecover(records, context, outbox);
        CheckInvariants();
    }

    /// <summary>A message arrived. The host has authenticated <paramref name="from"/>.</summary>
    public void Receive(
        NodeId from, TMessage message, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        OnReceive(from, message, context, outbox);
        CheckInvariants();
    }

    /// <summary>A timer that was set and not cancelled is due. It is disarmed until set again.</summary>
    public void Fire(TimerId timer, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        OnFire(timer, context, outbox);
        CheckInvariants();
    }

    /// <summary>A local command. It is answered at most once under <paramref name="request"/>.</summary>
    public void Submit(
        RequestId request, TCommand command, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox)
    {
        OnSubmit(request, command, context, outbox);
        CheckInvariants();
    }

    /// <summary>
    /// Notes how far the state machine's store has come. The host flushes the store after this step, and then calls
    /// <see cref="Checkpoint"/>.
    /// </summary>
    public virtual void BeginCheckpoint()
    {
    }

    /// <summary>
    /// Persists anew what older records are still needed for, so that a host may drop every record before this step once those
    /// of this step are durable. Recovery merges: it may also see a prefix of these after the older ones.
    /// </summary>
    public virtual void Checkpoint(StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox) =>
        throw new NotSupportedException($"{GetType().Name} keeps its whole log.");

    /// <summary>Visits every field that outlives a step: clone, fingerprint, equality, snapshot and trace line in one method.</summary>
    public abstract void State(StateVisitor visitor);

    /// <summary>Checks what must hold after every step, with <see cref="Invariant.Check(bool, string)"/>.</summary>
    public abstract void CheckInvariants();

    protected abstract void OnRecover(
        IEnumerable<TRecord> records, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox);

    protected abstract void OnReceive(
        NodeId from, TMessage message, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox);

    protected abstract void OnFire(
        TimerId timer, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox);

    protected abstract void OnSubmit(
        RequestId request, TCommand command, StepContext context, Outbox<TMessage, TRecord, TCommand, TResult> outbox);
}
