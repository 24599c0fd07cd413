using System.Runtime.ExceptionServices;

namespace Synod.Exploration;

/// <summary>
/// Takes worlds through the last round and holds what comes out against the properties, and no more. Nothing follows from it, so several
/// workers share it out, each with a model of its own: instances and draws belong to one thread.
/// </summary>
internal sealed class LastRound<TMessage, TRecord, TCommand, TResult>(
    Func<RoundModel<TMessage, TRecord, TCommand, TResult>> make,
    int jobs,
    RoundFaces<TMessage, TRecord, TCommand, TResult> faces,
    Judge<TMessage, TRecord, TCommand, TResult> judge,
    Action<RoundProgress>? progress)
{
    /// <summary>Worlds that a worker takes at a time: neighbours have sides in common, which are worked out once.</summary>
    private const int AtOnce = 256;

    private readonly Lock _gate = new();
    private IReadOnlyList<RoundWorld> _worlds = [];
    private RoundNodes<TMessage, TRecord, TCommand, TResult> _before = null!;
    private int _round;
    private int _taken;
    private int _done;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Rounds that were run.</summary>
    public long Rounds { get; private set; }

    /// <summary>Steps that were worked out.</summary>
    public long Steps { get; private set; }

    /// <summary>The first world from which a property can be broken, and how.</summary>
    public Fall? First { get; private set; }

    /// <param name="worlds">How worlds are before the round.</param>
    /// <param name="before">What nodes are numbered in.</param>
    /// <param name="round">Which round it is.</param>
    public void Run(IReadOnlyList<RoundWorld> worlds, RoundNodes<TMessage, TRecord, TCommand, TResult> before, int round)
    {
        (_worlds, _before, _round) = (worlds, before, round);
        var others = Enumerable.Range(1, jobs - 1).Select(_ => Task.Run(Work)).ToArray();
        Work();
        Task.WaitAll(others);
        _failure?.Throw();
    }

    private void Work()
    {
        try
        {
            var model = make();
            var essence = model.EssenceOrAll;
            var steps = new RoundSteps<TMessage, TRecord, TCommand, TResult>(
                model, essence, faces, Renaming.All(model.Model.Nodes, model.Alike, model.Copies), jobs);
            steps.Begin(_before, null, _round);
            var asked = new HashSet<UInt128>();
            while (Next() is var (from, to) && from < to)
            {
                var rounds = 0L;
                for (var at = from; at < to; at++)
                {
                    rounds += Follow(steps, asked, at);
                }

                Note(rounds, to - from);
            }

            lock (_gate)
            {
                Steps += steps.Steps;
            }
        }
        catch (Exception failure)
        {
            lock (_gate)
            {
                _failure ??= ExceptionDispatchInfo.Capture(failure);
            }
        }
    }

    /// <summary>The worlds to take next; none after a failure, or if the first fault that counts is found already.</summary>
    private (int From, int To) Next()
    {
        lock (_gate)
        {
            var end = _failure is not null ? 0 : Math.Min(_worlds.Count, First?.At ?? int.MaxValue);
            var from = Math.Min(_taken, end);
            _taken = Math.Min(from + Math.Clamp(_worlds.Count / jobs / 4, 1, AtOnce), end);
            return (from, _taken);
        }
    }

    private long Follow(RoundSteps<TMessage, TRecord, TCommand, TResult> steps, HashSet<UInt128> asked, int at)
    {
        var rounds = 0L;
        foreach (var (partition, lie, reached) in steps.TakeEvery(_worlds[at]))
        {
            rounds++;
            var broken = reached.Broken;
            if (broken is null && asked.Add(Layout.Fingerprint(reached.Faces)))
            {
                lock (_gate)
                {
                    broken = judge.Fault(reached.Faces, _round);
                }
            }

            if (broken is not null)
            {
                Note(new Fall(at, partition, reached.HasLied ? lie : -1, reached.World.Drawn, broken));
                break;
            }
        }

        return rounds;
    }

    private void Note(Fall fall)
    {
        lock (_gate)
        {
            First = First is { } known && known.At < fall.At ? known : fall;
        }
    }

    private void Note(long rounds, int worlds)
    {
        lock (_gate)
        {
            Rounds += rounds;
            _done += worlds;
            progress?.Invoke(new(_round, _done, _worlds.Count, 0));
        }
    }

    /// <param name="At">The position of the world before the round.</param>
    /// <param name="Partition">The split.</param>
    /// <param name="Lie">The lie that was told; negative for none.</param>
    /// <param name="Drawn">The leaders that were known then.</param>
    /// <param name="Broken">The claim that broke.</param>
    public readonly record struct Fall(int At, int Partition, int Lie, Drawn Drawn, string Broken);
}
