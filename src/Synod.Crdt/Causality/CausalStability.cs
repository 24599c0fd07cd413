namespace Synod.Crdt;

/// <summary>What becomes of a message of a replica.</summary>
public enum Admission
{
    /// <summary>A member that knows the same epoch.</summary>
    Accepted,

    /// <summary>
    /// No member any more. It is told so, and resets: it gives up its state and its identity, draws a new one, and begins with a full
    /// state of a member. What it has not handed on by then is lost.
    /// </summary>
    Removed,

    /// <summary>A member that has not heard of this epoch. It is told the members, and asks again.</summary>
    Stale,

    /// <summary>It knows of a later epoch: ask it for the members.</summary>
    Ahead,
}

/// <summary>
/// What every replica has seen, so that what is kept only for those who have not can go (Baquero, Almeida, Shoker 2014). A dead replica
/// would hold that up for ever: it is removed, by an agreement that is not made here, in a new epoch. Nothing counts in an epoch but
/// what was told in it, for whoever has told something in it accepts nothing from the removed one any more; and nothing that the
/// removed one still holds can come back.
/// </summary>
/// <param name="epoch">Counts the agreements on who is a member.</param>
public sealed class CausalStability(ReplicaId self, long epoch, params IEnumerable<ReplicaId> members)
{
    private readonly SortedDictionary<ReplicaId, CausalContext> _told = Untold(members);

    public long Epoch { get; private set; } = epoch;

    public IReadOnlyCollection<ReplicaId> Members => _told.Keys;

    /// <summary>Whether a message that was sent in an epoch may be taken in.</summary>
    public Admission Admit(ReplicaId from, long epoch) =>
        epoch > Epoch ? Admission.Ahead
        : !_told.ContainsKey(from) ? Admission.Removed
        : epoch < Epoch ? Admission.Stale
        : Admission.Accepted;

    /// <summary>
    /// Notes what a member says it has seen. It counts only once we have seen all of it ourselves: then nothing that the member did
    /// before can still surprise us. False if that is not so; it will say it again.
    /// </summary>
    public bool Observe(ReplicaId from, CausalContext seen, CausalContext mine)
    {
        if (!_told.TryGetValue(from, out var told) || !seen.LessOrEqual(mine))
        {
            return false;
        }

        told.Join(seen);
        return true;
    }

    /// <summary>The dots that every member has seen, ourselves included.</summary>
    public CausalContext Stable(CausalContext mine)
    {
        var stable = mine.Copy();
        foreach (var (member, told) in _told)
        {
            stable = member == self ? stable : stable.Intersect(told);
        }

        return stable;
    }

    /// <summary>Goes over to a later epoch. False, and nothing changes, if it is not later.</summary>
    public bool Advance(long epoch, params IEnumerable<ReplicaId> members)
    {
        if (epoch <= Epoch)
        {
            return false;
        }

        Epoch = epoch;
        _told.Clear();
        foreach (var (member, untold) in Untold(members))
        {
            _told.Add(member, untold);
        }

        return true;
    }

    private static SortedDictionary<ReplicaId, CausalContext> Untold(IEnumerable<ReplicaId> members)
    {
        var untold = new SortedDictionary<ReplicaId, CausalContext>();
        foreach (var member in members)
        {
            untold[member] = new CausalContext();
        }

        return untold;
    }
}
