using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Block synchronisation (hotstuff.md §7): who misses an ancestor fetches it by digest before it votes. The first block asked for is
/// certified, so f + 1 correct members have it, and each digest proves the next block down to one that is here. If it leads to what others
/// have dropped, a state is fetched.
/// </summary>
public sealed partial class HotStuff
{
    /// <summary>Keeps the proposal until its ancestors have arrived; of an equivocating leader both.</summary>
    private void Park(NodeId from, Message.Proposal proposal, Outbox<Message, Record, Command, Result> outbox)
    {
        _parked.RemoveAll(parked => parked.Block.View < _view);
        if (_parked.Count > 1 || _parked.Contains(proposal))
        {
            outbox.Refuse(Refusal.Duplicate);
            return;
        }

        if (_options.Has(HotStuffMutation.VoteWithoutAncestry) && proposal.Block.View == _view)
        {
            Vote(proposal, outbox);
        }

        _parked.Add(proposal);
        FetchMissing(from, outbox);
    }

    // Who is asked now, who was left for being too slow, and since the view in which it was looked at last, how much came.
    private NodeId _source;
    private NodeSet _slow;
    private long _since;
    private int _gained;

    /// <summary>Begins to fetch what certificates or a waiting proposal name and the tree lacks, unless a download is under way.</summary>
    private void FetchMissing(NodeId from, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_missing != Digest.None || Missing is not { } certificate)
        {
            return;
        }

        _missing = certificate.Block;
        (_since, _gained) = (_view, 0);
        Ask(from == _self || _slow.Contains(from) ? Next(certificate.Proof) : from, outbox);
    }

    /// <summary>A certificate whose block is missing, above the committed tip.</summary>
    private QuorumCertificate? Missing => new[] { _high, _decision }
        .Concat(_parked.Select(parked => parked.Block.Justify))
        .FirstOrDefault(certificate => certificate.View > _tree.Committed.View && !_tree.Contains(certificate.Block));

    private void Ask(NodeId from, Outbox<Message, Record, Command, Result> outbox)
    {
        _source = from;
        outbox.Send(from, new Message.Fetch(_missing, _tree.Committed.View));
    }

    /// <summary>The next after the last one who was asked, of those who signed and were not too slow; when all were, all may be asked again.</summary>
    private NodeId Next(Proof proof)
    {
        var signers = _scheme.Voters(proof).Without(_self);
        if (signers.IsSubsetOf(_slow))
        {
            _slow = _slow.Except(signers.Without(_source));
        }

        var able = signers.IsSubsetOf(_slow) ? signers : signers.Except(_slow);
        return able.Any(node => node > _source) ? able.First(node => node > _source) : able.First();
    }

    /// <summary>
    /// Looks at how fast a download is, when a wait is over or as many views have passed as an answer brings blocks at most: while views pass no wait
    /// may ever be over. It has to bring a full answer at least, and twice what the chain grew. Whoever is slower is left for another, for f of
    /// those who can be asked may be silent, or send a block now and then. Nothing but speed depends on it: what comes late is taken as well.
    /// </summary>
    private void KeepPace(Outbox<Message, Record, Command, Result> outbox)
    {
        if (_missing == Digest.None && _download is null)
        {
            return;
        }

        var (gained, grown) = (_gained, _view - _since);
        (_gained, _since) = (0, _view);
        if (gained >= Math.Max(_options.MaxFetched, 2 * grown))
        {
            return;
        }

        _slow = _slow.With(_source);
        if (_download is not null)
        {
            AskAnother(outbox);
        }
        else if (gained > 0 && Missing is { } certificate)
        {
            Ask(Next(certificate.Proof), outbox);
        }
        else
        {
            // Nobody may have it any more: begins with what is missing now.
            _missing = Digest.None;
            _fetched.Clear();
            FetchMissing(_self, outbox);
        }
    }

    private void On(NodeId from, Message.Fetch fetch, Outbox<Message, Record, Command, Result> outbox)
    {
        var (chain, bytes) = (new List<Block>(), 0);
        for (var at = _tree.Find(fetch.Block);
            at is not null && at.View > fetch.Above && chain.Count < _options.MaxFetched && bytes < _options.MaxFetchedBytes;
            at = _tree.Parent(at))
        {
            chain.Add(at);
            bytes += at.Length;
        }

        if (chain.Count == 0 && fetch.Above < _stable.Checkpoint.View)
        {
            outbox.Send(from, new Message.Stable(_stable));
            return;
        }

        if (chain.Count == 0)
        {
            outbox.Refuse(Refusal.Unknown);
            return;
        }

        // Whether this replica forgets a block again changes nothing about what the block is.
        outbox.SendEarly(from, new Message.Blocks([.. chain]));
    }

    private void On(NodeId from, Message.Blocks blocks, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        // Of two who answered, the second may bring what the first has brought, and more.
        var known = blocks.Chain.IsDefaultOrEmpty ? 0 : blocks.Chain.TakeWhile(block => block.Digest != _missing).Count();
        if (_missing == Digest.None || blocks.Chain.IsDefaultOrEmpty || known == blocks.Chain.Length)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        foreach (var block in blocks.Chain.Skip(known))
        {
            if (_tree.Contains(_missing))
            {
                break;
            }

            if (block.Digest != _missing)
            {
                outbox.Refuse(Refusal.Forged);
                break;
            }

            _fetched.Add(block);
            _missing = block.Justify.Block;
            _gained++;
        }

        if (_tree.Contains(_missing))
        {
            Connect(from, context, outbox);
        }
        else
        {
            Ask(from, outbox);
        }
    }

    /// <summary>Takes what was fetched into the tree, oldest first as far as it connects, and then what waited for it.</summary>
    private void Connect(NodeId from, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _missing = Digest.None;
        for (var index = _fetched.Count - 1; index >= 0; index--)
        {
            if (_tree.Contains(_fetched[index].Justify.Block))
            {
                Adopt(_fetched[index], outbox);
            }
        }

        _fetched.Clear();
        Advance(context, outbox);
        foreach (var parked in _parked.Where(parked => _tree.Contains(parked.Block.Justify.Block)).ToList())
        {
            _parked.Remove(parked);
            Consider(_options.Leaders.LeaderOf(parked.Block.View), parked, context, outbox);
        }

        FetchMissing(from, outbox);
        TryPropose(outbox);
    }
}
