using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class HotStuff
{
    /// <summary>No two conflicting blocks are committed: what is committed extends what was.</summary>
    public const string Safety = nameof(Safety);

    /// <summary>Every block that is here descends from the root by blocks that are here, in growing views.</summary>
    public const string Ancestry = nameof(Ancestry);

    /// <summary>The view of the highest certificate is not below that of the lock.</summary>
    public const string HighAboveLock = nameof(HighAboveLock);

    /// <summary>No vote and no giving up in a view that was not entered.</summary>
    public const string SpeaksOfEnteredViews = nameof(SpeaksOfEnteredViews);

    /// <summary>The current view is the one that the certificates allow.</summary>
    public const string EntersByCertificate = nameof(EntersByCertificate);

    /// <summary>Neither the highest certificate nor the lock ever goes back in view.</summary>
    public const string CertificatesGrow = nameof(CertificatesGrow);

    /// <summary>What a quorum says of the chain at a height is what this replica found there.</summary>
    public const string CheckpointsAgree = nameof(CheckpointsAgree);

    /// <summary>A proven state is all there.</summary>
    public const string StateIsWhole = nameof(StateIsWhole);

    /// <summary>The chain is kept from the last stable checkpoint on, whose state is kept too.</summary>
    public const string KeepsFromStable = nameof(KeepsFromStable);

    /// <summary>Of two committed prefixes one is a prefix of the other. Over several replicas, so hosts check it.</summary>
    public const string Agreement = nameof(Agreement);

    /// <summary>What one replica committed is an ancestor of every block certified in a higher view. Over several replicas.</summary>
    public const string CommittedStays = nameof(CommittedStays);

    private long _highBefore;
    private long _lockedBefore;

    public override void CheckInvariants()
    {
        Invariant.Check(_high.View >= _highBefore && _locked.View >= _lockedBefore, CertificatesGrow, $"{_high}, locked {_locked}");
        (_highBefore, _lockedBefore) = (_high.View, _locked.View);
        Invariant.Check(
            (_tree.Root.Digest == _stable.Checkpoint.Block && (_stable.Height == 0 || _saved.ContainsKey(_stable.Height)))
                || _options.Has(HotStuffMutation.DroppedBeforeStable),
            KeepsFromStable,
            $"{_tree.Root}, {_stable}");
        Invariant.Check(_high.View >= _locked.View, HighAboveLock, $"{_high} is below {_locked}");
        Invariant.Check(_votedView <= _view && _timedOut <= _view, SpeaksOfEnteredViews, $"voted in {_votedView}, gave {_timedOut} up, in {_view}");
        Invariant.Check(
            _view == ViewAfter(new(_high, _decision, _timeout)) || _options.Has(HotStuffMutation.EnteredUnproven),
            EntersByCertificate,
            $"in {_view} by {Shown}");
    }

    /// <summary>Whether what this replica said once still binds it, also after restarts.</summary>
    public bool StandsBy(Message message) => message switch
    {
        Message.Vote vote => (_votedView, _votedPhase).CompareTo((vote.View, vote.Phase)) >= 0,
        Message.Proposal proposal => _proposed >= proposal.Block.View && _high.View >= proposal.Block.Justify.View,
        Message.Timeout timeout => _timedOut >= timeout.View && _high.View >= timeout.Certificates.High.View,
        Message.NewView report => _high.View >= report.Certificates.High.View,
        Message.Checkpoint told => _saved.Count > 0 && _saved.Keys.Last() >= told.Of.Height,
        _ => true,
    };

    /// <summary>Whether the committed chains of <paramref name="replicas"/> are the same wherever two of them still have a block.</summary>
    public static bool Agree(IEnumerable<HotStuff> replicas)
    {
        var agreed = new Dictionary<long, Digest>();
        foreach (var replica in replicas)
        {
            var height = replica._tree.Height;
            for (var at = replica._tree.Committed; at is not null; at = replica._tree.Parent(at))
            {
                if (!agreed.TryAdd(height, at.Digest) && agreed[height] != at.Digest)
                {
                    return false;
                }

                height--;
            }
        }

        return true;
    }

    /// <summary>The key lemma: whether each one's committed tip is below each one's highest certificate of a higher view, as far as chains are kept.</summary>
    public static bool AreCommitsKept(IReadOnlyCollection<HotStuff> replicas) => replicas.All(one => replicas.All(other =>
        other._high.View <= one._tree.Committed.View
        || other._tree.Root.View > one._tree.Committed.View
        || other._tree.Find(other._high.Block) is not { } tip
        || other._tree.Extends(tip, one._tree.Committed.View, one._tree.Committed.Digest)));
}
