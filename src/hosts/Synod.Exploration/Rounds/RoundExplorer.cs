namespace Synod.Exploration;

/// <summary>Runs shipping protocols through schedules by rounds.</summary>
public static class RoundExplorer
{
    /// <summary>Every schedule. A state of the result is a world at the end of a round, a move a round that was run.</summary>
    /// <param name="model">What is explored.</param>
    /// <param name="seen">Told now and then how far the search is.</param>
    public static ExplorationResult Explore<TMessage, TRecord, TCommand, TResult>(
        this RoundModel<TMessage, TRecord, TCommand, TResult> model, Action<RoundProgress>? seen = null) =>
        Explore(() => model, jobs: 1, seen);

    /// <summary>Every schedule. A last round that is only judged, which takes most of the time, is shared out among several threads.</summary>
    /// <param name="make">Makes the model anew each time, with instances, draws and keys that no other has.</param>
    /// <param name="jobs">How many threads; each may take a gigabyte.</param>
    /// <param name="seen">Told now and then how far the search is, by one thread at a time.</param>
    public static ExplorationResult Explore<TMessage, TRecord, TCommand, TResult>(
        Func<RoundModel<TMessage, TRecord, TCommand, TResult>> make, int jobs, Action<RoundProgress>? seen = null) =>
        new RoundSearch<TMessage, TRecord, TCommand, TResult>(make, jobs, seen).Exhaust();

    /// <summary>Schedules drawn at random; a seed draws the same again.</summary>
    public static ExplorationResult Wander<TMessage, TRecord, TCommand, TResult>(
        this RoundModel<TMessage, TRecord, TCommand, TResult> model, int seed, int schedules) =>
        new RoundSearch<TMessage, TRecord, TCommand, TResult>(() => model, merges: false).Wander(seed, schedules);

    /// <summary>
    /// The prints of the worlds that are new at the end of each round. They are the same whether worlds with one print go on as one or each is
    /// followed as it is, if the essence says enough: this is how to see it.
    /// </summary>
    /// <param name="model">What is explored.</param>
    /// <param name="merges">Whether worlds with one print go on as one.</param>
    public static IReadOnlyList<IReadOnlySet<UInt128>> Prints<TMessage, TRecord, TCommand, TResult>(
        this RoundModel<TMessage, TRecord, TCommand, TResult> model, bool merges)
    {
        var search = new RoundSearch<TMessage, TRecord, TCommand, TResult>(() => model with { OnlyJudgesLast = false }, merges: merges);
        search.Exhaust();
        return search.Ends;
    }
}

/// <summary>How far a search through schedules is.</summary>
/// <param name="Round">The round that is run.</param>
/// <param name="Followed">How many of the worlds before this round were followed through it.</param>
/// <param name="Worlds">How many there are.</param>
/// <param name="Reached">How many new worlds were reached in this round until now.</param>
public readonly record struct RoundProgress(int Round, int Followed, int Worlds, int Reached);
