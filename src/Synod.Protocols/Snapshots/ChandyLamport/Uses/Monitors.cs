namespace Synod.Protocols.Snapshots;

/// <summary>What single cuts tell (snapshots.md §6).</summary>
public static class CutPredicates
{
    /// <summary>
    /// The sum of a quantity over processes and channels. If the application keeps it constant, it is the same in every cut: the
    /// "total over accounts and channels".
    /// </summary>
    public static long Total(this Cut cut, Func<ReadOnlyMemory<byte>, long> ofState, Func<ReadOnlyMemory<byte>, long> ofMessage) =>
        checked(cut.Pieces.Sum(piece => ofState(piece.State)) + cut.InChannels.Sum(item => ofMessage(item.Message.Body)));

    /// <summary>
    /// Whether the computation has ended: every process passive, every channel empty. It is stable, as only a message makes a process
    /// active, so it holds from the cut on.
    /// </summary>
    public static bool IsTerminated(this Cut cut, Func<ReadOnlyMemory<byte>, bool> isPassive) =>
        cut.Pieces.All(piece => isPassive(piece.State)) && !cut.InChannels.Any();
}

/// <summary>What a cut says of a predicate that stays true once it is.</summary>
public enum Stability : byte
{
    /// <summary>It did not hold when the snapshot began. It may hold by now.</summary>
    DidNotHoldAtStart,

    /// <summary>It holds now, and from now on.</summary>
    Holds,

    /// <summary>It held in an earlier cut and does not in this one: it is no stable predicate.</summary>
    NotStable,
}

/// <summary>Watches a stable predicate, such as a deadlock, in one cut after another.</summary>
public sealed class StableMonitor(Func<Cut, bool> predicate)
{
    private bool _held;

    /// <summary>Looks at a cut. Cuts come in the order in which their snapshots were begun, each after the end of the one before.</summary>
    public Stability Observe(Cut cut)
    {
        var holds = predicate(cut);
        var verdict = holds ? Stability.Holds : _held ? Stability.NotStable : Stability.DidNotHoldAtStart;
        _held |= holds;
        return verdict;
    }
}

/// <summary>Watches what must hold in every cut, and keeps those in which it did not.</summary>
public sealed class InvariantMonitor(string name, Func<Cut, bool> holds)
{
    private readonly List<SnapshotId> _broken = [];

    public string Name { get; } = name;

    /// <summary>How many cuts were looked at.</summary>
    public int Observed { get; private set; }

    public IReadOnlyList<SnapshotId> Broken => _broken;

    /// <summary>Whether it holds in <paramref name="cut"/>.</summary>
    public bool Observe(Cut cut)
    {
        Observed++;
        var isWell = holds(cut);
        if (!isWell)
        {
            _broken.Add(cut.Id);
        }

        return isWell;
    }
}
