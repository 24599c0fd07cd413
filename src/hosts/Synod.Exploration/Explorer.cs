namespace Synod.Exploration;

/// <summary>
/// Runs shipping protocols through every order of deliveries, losses, copies, fsyncs, crashes and timers that a
/// <see cref="Model{TMessage,TRecord,TCommand,TResult}"/> allows.
/// </summary>
public static class Explorer
{
    /// <summary>Every world within the budgets, breadth first: the counterexample, if any, has the fewest steps.</summary>
    public static ExplorationResult Explore<TMessage, TRecord, TCommand, TResult>(
        this Model<TMessage, TRecord, TCommand, TResult> model) =>
        new Search<TMessage, TRecord, TCommand, TResult>(model).Exhaust();

    /// <summary>Random walks of at most <paramref name="length"/> moves; a seed gives the same walks again.</summary>
    public static ExplorationResult Wander<TMessage, TRecord, TCommand, TResult>(
        this Model<TMessage, TRecord, TCommand, TResult> model, int seed, int walks, int length) =>
        new Search<TMessage, TRecord, TCommand, TResult>(model).Wander(seed, walks, length);
}
