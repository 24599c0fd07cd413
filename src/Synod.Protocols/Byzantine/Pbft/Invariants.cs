using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class Pbft
{
    /// <summary>No two correct replicas execute different batches in a slot. Over several replicas, so hosts check it.</summary>
    public const string Agreement = nameof(Agreement);

    /// <summary>What is decided in a slot is never decided otherwise, nor proposed otherwise or forgotten by a later view.</summary>
    public const string CommittedStays = nameof(CommittedStays);

    /// <summary>A certified state is the state here after the same slot.</summary>
    public const string CheckpointsAgree = nameof(CheckpointsAgree);

    /// <summary>The state that was saved can be loaded.</summary>
    public const string StateRoundTrips = nameof(StateRoundTrips);

    /// <summary>The view never goes back.</summary>
    public const string ViewsGrow = nameof(ViewsGrow);

    /// <summary>Execution and the low water mark never go back.</summary>
    public const string ProgressStays = nameof(ProgressStays);

    /// <summary>Nothing is kept of slots outside the window, and the water mark is a checkpoint.</summary>
    public const string WindowHolds = nameof(WindowHolds);

    /// <summary>A slot is prepared only with a proposal and a proof of the current view that name the same digest.</summary>
    public const string PreparedIsProven = nameof(PreparedIsProven);

    /// <summary>Nobody is accused of what its signatures do not show. Over several replicas, so hosts check it.</summary>
    public const string CorrectIsNotAccused = nameof(CorrectIsNotAccused);

    private long _viewBefore;
    private Slot _executedBefore;
    private Slot _stableBefore;

    /// <summary>Whether what this replica said once still binds it, also after restarts.</summary>
    public bool StandsBy(Message message) => message switch
    {
        Message.PrePrepare m => Accepts(m.View, m.Slot, m.Digest),
        Message.Prepare m => Accepts(m.View, m.Slot, m.Digest),
        Message.Commit m => m.Slot <= Stable || (_entries.TryGetValue(m.Slot, out var entry) && entry.Proof?.View >= m.View),
        Message.Checkpoint m => m.Slot <= Stable || _saved.ContainsKey(m.Slot),
        Message.ViewChange m => _view >= m.View,
        _ => true,
    };

    public override void CheckInvariants()
    {
        Invariant.Check(_view >= _viewBefore, ViewsGrow);
        Invariant.Check(_executed >= _executedBefore && Stable >= _stableBefore, ProgressStays);
        var isMoved = _view > _viewBefore || Stable > _stableBefore;
        (_viewBefore, _executedBefore, _stableBefore) = (_view, _executed, Stable);
        Invariant.Check(Stable.Value % _options.CheckpointPeriod == 0, WindowHolds);

        // A step of the normal case touches one slot of hundreds.
        foreach (var (slot, entry) in isMoved ? _entries : Touched())
        {
            Invariant.Check(IsInWindow(slot), WindowHolds, $"{slot} outside ({Stable}, {Limit}]");
            Invariant.Check(
                !entry.IsPrepared || (entry.Proof is { } proof && proof.View == _view && proof.Digest == entry.Proposal?.Digest),
                PreparedIsProven,
                $"{slot}");
        }
    }

    private IEnumerable<KeyValuePair<Slot, SlotEntry>> Touched() =>
        _entries.TryGetValue(_touched, out var entry) ? [new(_touched, entry)] : [];

    private bool Accepts(long view, Slot slot, Digest digest) =>
        slot <= Stable
        || (_entries.TryGetValue(slot, out var entry) && entry.Stands(digest, view, _options.MaxPrePrepared));
}
