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

    /// <summary>Of two committed prefixes one is a prefix of the other. Over several replicas, so hosts check it.</summary>
    public const string Agreement = nameof(Agreement);

    /// <summary>What one replica committed is an ancestor of every block certified in a higher view. Over several replicas.</summary>
    public const string CommittedStays = nameof(CommittedStays);

    public override void CheckInvariants()
    {
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
        _ => true,
    };

    /// <summary>Whether the committed chains of <paramref name="replicas"/> are prefixes of one another.</summary>
    public static bool Agree(IEnumerable<HotStuff> replicas)
    {
        var longest = new List<Block>();
        foreach (var replica in replicas)
        {
            var chain = replica.CommittedChain();
            var common = Math.Min(longest.Count, chain.Count);
            for (var index = 0; index < common; index++)
            {
                if (!longest[index].Equals(chain[index]))
                {
                    return false;
                }
            }

            longest = chain.Count > longest.Count ? chain : longest;
        }

        return true;
    }

    /// <summary>The key lemma: whether each one's committed tip is below each one's highest certificate of a higher view.</summary>
    public static bool AreCommitsKept(IReadOnlyCollection<HotStuff> replicas) => replicas.All(one => replicas.All(other =>
        other._high.View <= one._tree.Committed.View
        || other._tree.Find(other._high.Block) is not { } tip
        || other._tree.Extends(tip, one._tree.Committed.View, one._tree.Committed.Digest)));

    /// <summary>The committed blocks, oldest first.</summary>
    public List<Block> CommittedChain()
    {
        var chain = new List<Block>();
        for (var at = _tree.Committed; at is not null; at = _tree.Parent(at))
        {
            chain.Add(at);
        }

        chain.Reverse();
        return chain;
    }
}
