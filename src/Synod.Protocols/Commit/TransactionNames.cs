using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// Names for the transactions that a node begins. Ids carry an epoch that no earlier life of the node used: its record comes before
/// the first message that holds such an id, so no message is under way with an id that a restart could claim again.
/// </summary>
internal sealed class TransactionNames(NodeId self)
{
    private long _epoch;
    private bool _isOwn;
    private long _counter;

    /// <summary>The epoch of this life, if claimed, or the highest of an earlier one.</summary>
    public long Epoch => _epoch;

    /// <summary>
    /// The next id. One that was vetoed here before it was given is passed over: the tombstone would be taken for the word of a coordinator.
    /// </summary>
    public TransactionId Next(Ledger ledger)
    {
        Invariant.Check(_isOwn, "EpochClaimed");
        TransactionId id;
        do
        {
            id = new(self, _epoch, ++_counter);
        }
        while (ledger.Knows(id));

        return id;
    }

    /// <summary>Whether this node may have named a transaction so, now or in an earlier life.</summary>
    public bool MayHaveGiven(TransactionId id) =>
        id.Coordinator == self && (id.Epoch < _epoch || (id.Epoch == _epoch && (!_isOwn || id.Counter <= _counter)));

    /// <summary>Claims an epoch at its first use; true if the caller has to persist it now.</summary>
    /// <param name="again">A known mistake: the first epoch, whatever was used before.</param>
    public bool Claim(bool again = false)
    {
        if (_isOwn)
        {
            return false;
        }

        _isOwn = true;
        _epoch = again ? 1 : _epoch + 1;
        return true;
    }

    /// <summary>An epoch of an earlier life, from the log.</summary>
    public void Redo(long epoch) => _epoch = Math.Max(_epoch, epoch);

    public void State(StateVisitor visitor)
    {
        visitor.Visit("epoch", ref _epoch);
        visitor.Visit("own", ref _isOwn);
        visitor.Visit("counter", ref _counter);
    }
}
