using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Leaving a view, with proofs of what may have been committed in it (pbft.md §4; Castro and Liskov 2002, §2.3.5).</summary>
public sealed partial class Pbft
{
    // The view change of the highest view of each replica, this one's own included.
    private readonly SortedDictionary<NodeId, Message.ViewChange> _viewChanges = [];
    private bool _awaitsNewView;

    /// <summary>Stops taking part in the old view and says what may have been committed in it. There is no way back.</summary>
    private void ChangeView(long view)
    {
        Invariant.Check(view > _view, ViewsGrow, $"{_view} to {view}");
        _view = view;
        _isActive = false;
        _failedViews++;
        _awaitsNewView = false;
        _newView = null;
        CancelTimer(Timer.NewView);
        foreach (var entry in _entries.Values)
        {
            entry.LeaveView();
        }

        GuardOldest();
        var change = Describe(view);
        _viewChanges[_self] = change;
        _out.Persist(new Record.Changing(change));
        SendUnlessEarly(PbftMutation.ViewChangeBeforeDurable, change);
        ArmStatus();
        MeetViewChanges();
    }

    private Message.ViewChange Describe(long view)
    {
        var prepared = ImmutableArray.CreateBuilder<Prepared>();
        var prePrepared = ImmutableArray.CreateBuilder<PrePrepared>();
        foreach (var (slot, entry) in _entries)
        {
            if (entry.Proof is not null)
            {
                prepared.Add(entry.Proof);
            }

            if (_options.UsesCodes)
            {
                prePrepared.AddRange(entry.Accepted.Select(pair => new PrePrepared(pair.Value, slot, pair.Key)));
            }
        }

        var change = new Message.ViewChange(_self, view, _stable, prepared.ToImmutable(), prePrepared.ToImmutable(), default);
        return change with { Signature = _signer.Sign(_statements.ViewChange(change)) };
    }

    private void On(NodeId from, Message.ViewChange m)
    {
        if (m.View < _view || (m.View == _view && _isActive))
        {
            _out.Refuse(Refusal.StaleBallot);
        }
        else if (m.Sender != from)
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (_viewChanges.TryGetValue(from, out var known) && known.View >= m.View)
        {
            _out.Refuse(known.View == m.View && known.Signature != m.Signature ? Refusal.Equivocation : Refusal.Duplicate);
        }
        else if (!IsValid(m))
        {
            _out.Refuse(Refusal.Forged);
        }
        else
        {
            _viewChanges[from] = m;
            MeetViewChanges();
            ArmStatus();
        }
    }

    /// <summary>Whether a view change is signed and proves what it says.</summary>
    private bool IsValid(Message.ViewChange m)
    {
        if (!_group.Members.Contains(m.Sender) || m.View <= 0 || m.Prepared.Length > _options.Window
            || !_signer.Verify(m.Sender, _statements.ViewChange(m), m.Signature) || !IsProven(m.Stable))
        {
            return false;
        }

        var last = m.Stable.Slot;
        var limit = last.Value + _options.Window;
        foreach (var prepared in m.Prepared)
        {
            if (prepared.Slot <= last || prepared.Slot.Value > limit || prepared.View < 0 || prepared.View >= m.View || !IsProven(prepared))
            {
                return false;
            }

            last = prepared.Slot;
        }

        return IsPossible(m.PrePrepared)
            && m.PrePrepared.All(item =>
                item.Slot > m.Stable.Slot && item.Slot.Value <= limit && item.View >= 0 && item.View < m.View);
    }

    /// <summary>
    /// With codes a replica pre-prepares one digest in each view of a slot and tells the last few of them, each with its last view, and with
    /// signatures it need not tell. More would only fill new views, which carry every view change, until they are too long to be sent.
    /// </summary>
    private bool IsPossible(ImmutableArray<PrePrepared> told) => _options.UsesCodes
        ? told.Length <= _options.Window * _options.MaxPrePrepared
            && told.DistinctBy(item => (item.Slot, item.View)).Count() == told.Length
            && told.DistinctBy(item => (item.Slot, item.Digest)).Count() == told.Length
            && told.GroupBy(item => item.Slot).All(slot => slot.Count() <= _options.MaxPrePrepared)
        : told.IsEmpty;

    /// <summary>
    /// Joins a higher view that f+1 want, since one of them is correct; and with 2f+1 for this one, lets its primary begin it. Once
    /// 2f+1 want this view or a higher one, it gives up on that primary after a while: whoever went on will not come back for it.
    /// </summary>
    private void MeetViewChanges()
    {
        var higher = _viewChanges.Values.Where(change => change.View > _view).ToImmutableArray();
        if (higher.Length >= _group.Weak)
        {
            ChangeView(higher.Min(change => change.View));
            return;
        }

        if (_isActive)
        {
            return;
        }

        if (!_awaitsNewView && _viewChanges.Values.Count(change => change.View >= _view) >= _group.Quorum)
        {
            _awaitsNewView = true;
            SetTimer(Timer.NewView, Now + Patience);
        }

        if (Primary == _self && _viewChanges.Values.Count(change => change.View == _view) >= _group.Quorum)
        {
            TryBegin();
        }
    }

    private void OnNewViewTimer()
    {
        if (!_isActive && _awaitsNewView)
        {
            ChangeView(_view + 1);
        }
    }
}
