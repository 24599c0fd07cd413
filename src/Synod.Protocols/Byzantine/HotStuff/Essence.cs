using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>What decides on what happens next, for explorers.</summary>
public sealed partial class HotStuff
{
    /// <summary>As what a replica, or a message, names a block.</summary>
    internal enum Naming : byte
    {
        High,
        Locked,
        Decision,
        Committed,
        Missing,

        /// <summary>Fetched, the latest last; one number up for each.</summary>
        Fetched = 16,

        /// <summary>Waiting for its ancestors; one number up for each.</summary>
        Parked = 32,

        /// <summary>In a message.</summary>
        Proposed = 64,
        Voted,
        Fetching,
        Sent,
    }

    /// <summary>The blocks above the committed tip.</summary>
    internal IEnumerable<Block> OpenBlocks => _tree.Open;

    /// <summary>Every block that this replica has.</summary>
    internal IEnumerable<Block> EveryBlock =>
        _tree.AboveRoot().Append(_tree.Root).Concat(_fetched).Concat(_parked.Select(parked => parked.Block));

    /// <summary>What this replica counts of votes, by phases.</summary>
    internal IEnumerable<(NodeId Voter, Message.Vote Vote)> Votes =>
        _votes.SelectMany(votes => votes.Select(item => (item.Key, item.Value)));

    /// <summary>Whose word that they gave the view before up came late.</summary>
    internal NodeSet Late => _isAfterTimeout ? _late : NodeSet.Empty;

    /// <summary>The phase of the last vote in <see cref="VotedView"/>.</summary>
    internal VotePhase VotedPhase => _votedPhase;

    /// <summary>
    /// Writes what decides on what this replica does next, but for blocks, votes and who is late, which matter or not with what others are.
    /// Views are told by how far they are from an origin. Left out is for how long it waits, and whose signatures it shows.
    /// </summary>
    internal void WriteEssence(CodecWriter writer, long origin)
    {
        WriteView(writer, _view, origin);
        writer.Bool(_isAfterTimeout);
        writer.Bool(_timedOut >= _view);
        if (_timedOut < _view)
        {
            // Who gave its view up neither votes nor proposes in it.
            writer.Byte((byte)(_votedView < _view ? 0 : 1 + (int)_votedPhase));
            writer.Bool(_proposed >= _view);
            writer.Bool(_isDelayOver);
            writer.Nodes(_reports);
        }

        foreach (var certificate in new[] { _high, _locked, _decision })
        {
            WriteView(writer, certificate.View, origin);
            writer.Bool(_tree.Contains(certificate.Block));
        }

        WriteView(writer, _isAfterTimeout && _rules.JudgesTimeouts ? _timeout.HighView : 0, origin);
        writer.Nodes(NodeSet.Of([.. _shares.Keys]));
        WriteView(writer, _rules.JudgesTimeouts && _shares.Count > 0 ? _shares.Values.Max(share => share.HighView) : 0, origin);
        writer.Bool(_missing != Digest.None);
        if (_missing != Digest.None)
        {
            writer.Node(_source);
            WriteView(writer, _since, origin);
            writer.Int(_gained);
        }

        writer.Nodes(_slow);

        foreach (var parked in _parked)
        {
            WriteView(writer, parked.Block.View, origin);
            WriteView(writer, parked.Block.Justify.View, origin);
            WriteView(writer, _rules.JudgesTimeouts ? parked.Entry.View : 0, origin);
            WriteView(writer, _rules.JudgesTimeouts ? parked.Entry.HighView : 0, origin);
        }

        // How many proposals of a view are taken depends on how many there were.
        writer.Byte(0);
        foreach (var view in _tree.Open.Where(block => block.View >= _view).GroupBy(block => block.View).OrderBy(view => view.Key))
        {
            WriteView(writer, view.Key, origin);
            writer.Int(view.Count());
        }
    }

    /// <summary>Names the blocks that decide on what this replica does.</summary>
    internal void Name(Action<Naming, Digest> name)
    {
        name(Naming.High, _high.Block);
        name(Naming.Locked, _locked.Block);
        name(Naming.Decision, _decision.Block);
        name(Naming.Committed, _tree.Committed.Digest);
        name(Naming.Missing, _missing);
        for (var index = 0; index < _fetched.Count; index++)
        {
            name(Naming.Fetched + (byte)index, _fetched[index].Digest);
        }

        for (var index = 0; index < _parked.Count; index++)
        {
            name(Naming.Parked + (byte)index, _parked[index].Block.Digest);
        }
    }

    /// <summary>Writes all that decides on what this replica does next, blocks as they are.</summary>
    internal void WriteWithin(CodecWriter writer)
    {
        WriteEssence(writer, 0);
        Name((naming, digest) =>
        {
            writer.Byte((byte)naming);
            digest.Write(writer);
        });
        writer.Signed(_tree.Height);
        writer.Int(_tree.Open.Count);
        foreach (var block in _tree.Open)
        {
            block.Digest.Write(writer);
        }

        foreach (var votes in _votes)
        {
            writer.Int(votes.Count);
            foreach (var (voter, vote) in votes)
            {
                writer.Node(voter);
                writer.Signed(vote.View);
                vote.Block.Write(writer);
            }
        }

        writer.Nodes(Late);
        writer.Int(_attempts);
        _mempool.State(new StateWriter(writer));
    }

    /// <summary>Writes what claims about a group look at.</summary>
    internal void WriteWitness(CodecWriter writer)
    {
        _tree.Committed.Digest.Write(writer);
        writer.Signed(_tree.Height);
        _high.Block.Write(writer);
        writer.Signed(_high.View);
        writer.Bool(_tree.Contains(_high.Block));
        writer.Bool(_tree.Open.Select(block => block.View).Distinct().Count() < _tree.Open.Count);
    }

    /// <summary>Forgets what is never in the essence, as far as it can be forgotten.</summary>
    internal void Simplify()
    {
        (_failures, _owes) = (0, false);
        _attempts = 0;
        (_source, _since, _gained) = _missing == Digest.None ? (default, 0, 0) : (_source, _since, _gained);
        (_votedView, _votedPhase) = _votedView < _view || _timedOut >= _view ? (0, VotePhase.Prepare) : (_votedView, _votedPhase);
        _proposed = _proposed < _view ? 0 : _proposed;
        _timedOut = _timedOut < _view ? 0 : _timedOut;
        _late = Late;
        _timeout = _isAfterTimeout ? _timeout : TimeoutCertificate.None;
        if (_timedOut >= _view)
        {
            (_isDelayOver, _reports) = (false, NodeSet.Empty);
        }

        _waiting.Clear();
    }

    /// <summary>Forgets blocks, votes and late ones that decide on nothing any more.</summary>
    internal void Forget(Func<Digest, bool> isOver, Func<NodeId, Message.Vote, bool> isVain, NodeSet late)
    {
        _tree.Forget(isOver);
        _late = late;
        foreach (var votes in _votes)
        {
            foreach (var voter in votes.Where(item => isVain(item.Key, item.Value)).Select(item => item.Key).ToList())
            {
                votes.Remove(voter);
            }
        }
    }

    /// <summary>Writes what decides on how a message is acted on, but for blocks; these are named.</summary>
    internal static void WriteEssence(CodecWriter writer, Message message, long origin, bool judgesTimeouts, Action<Naming, Digest> name)
    {
        switch (message)
        {
            case Message.Proposal proposal:
                writer.Byte(1);
                name(Naming.Proposed, proposal.Block.Digest);
                Shown(proposal.Certificates);
                break;
            case Message.Vote vote:
                writer.Byte(2);
                writer.Byte((byte)vote.Phase);
                WriteView(writer, vote.View, origin);
                name(Naming.Voted, vote.Block);
                break;
            case Message.Certified certified:
                writer.Byte(3);
                writer.Byte((byte)certified.Certificate.Phase);
                Certificate(Naming.High, certified.Certificate);
                break;
            case Message.NewView report:
                writer.Byte(4);
                WriteView(writer, report.View, origin);
                Shown(report.Certificates);
                break;
            case Message.Timeout timeout:
                writer.Byte(5);
                WriteView(writer, timeout.View, origin);
                Shown(timeout.Certificates);
                break;
            case Message.Sync sync:
                writer.Byte(6);
                Shown(sync.Certificates);
                break;
            case Message.Fetch fetch:
                writer.Byte(7);
                WriteView(writer, fetch.Above, origin);
                name(Naming.Fetching, fetch.Block);
                break;
            case Message.Blocks blocks:
                writer.Byte(8);
                foreach (var block in blocks.Chain)
                {
                    name(Naming.Sent, block.Digest);
                }

                break;
            default:
                writer.Byte(9);
                Messages.Write(writer, message);
                break;
        }

        void Certificate(Naming naming, QuorumCertificate certificate)
        {
            WriteView(writer, certificate.View, origin);
            name(naming, certificate.Block);
        }

        void Shown(Certificates shown)
        {
            Certificate(Naming.High, shown.High);
            Certificate(Naming.Decision, shown.Decision);
            WriteView(writer, shown.Timeout.View, origin);
            WriteView(writer, judgesTimeouts ? shown.Timeout.HighView : 0, origin);
        }
    }

    /// <summary>Blocks that a message brings.</summary>
    internal static IEnumerable<Block> BlocksIn(Message message) => message switch
    {
        Message.Proposal proposal => [proposal.Block],
        Message.Blocks blocks => blocks.Chain,
        _ => [],
    };

    /// <summary>A view by its distance from an origin; 0, which stands for none, as it is.</summary>
    private static void WriteView(CodecWriter writer, long view, long origin)
    {
        writer.Bool(view > 0);
        writer.Signed(view > 0 ? view - origin : 0);
    }
}
