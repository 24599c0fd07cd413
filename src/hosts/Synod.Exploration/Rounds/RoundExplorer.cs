namespace Synod.Exploration;

/// <summary>Runs shipping protocols through schedules by rounds.</summary>
public static class RoundExplorer
{
    /// <summary>Every schedule. A state of the result is a world at the end of a round, a move a round that was run.</summary>
    public static ExplorationResult Explore<TMessage, TRecord, TCommand, TResult>(
        this RoundModel<TMessage, TRecord, TCommand, TResult> model) =>
        new RoundSearch<TMessage, TRecord, TCommand, TResult>(model).Exhaust();

    /// <summary>Schedules drawn at random; a seed draws the same again.</summary>
    public static ExplorationResult Wander<TMessage, TRecord, TCommand, TResult>(
        this RoundModel<TMessage, TRecord, TCommand, TResult> model, int seed, int schedules) =>
        new RoundSearch<TMessage, TRecord, TCommand, TResult>(model).Wander(seed, schedules);
}
