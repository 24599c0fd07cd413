using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>What decides on what happens next, for explorers.</summary>
public sealed partial class HotStuff
{
    /// <summary>
    /// Writes what decides on what this replica does next: replicas that are equal in it act alike but for how long they wait, whom they
    /// help, whose signatures they show, which commands they propose, and which blocks they hold of whose certificates they do not know
    /// and would fetch with these.
    /// </summary>
    internal void WriteEssence(CodecWriter writer, Essence scope)
    {
        scope.View(writer, _view);
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

        scope.Write(writer, _high);
        scope.Write(writer, _locked);
        scope.Write(writer, _decision);
        scope.View(writer, _isAfterTimeout && _rules.JudgesTimeouts ? _timeout.HighView : 0);
        scope.Name(writer, _tree.Committed.Digest);
        writer.Bool(_tree.Contains(_high.Block));
        writer.Bool(_tree.Contains(_locked.Block));
        writer.Bool(_tree.Contains(_decision.Block));
        scope.Names(writer, _tree.Open.Select(block => block.Digest).Where(scope.MayBeCertified));
        scope.Name(writer, _missing);
        scope.Names(writer, _parked.Select(parked => parked.Block).Concat(_fetched).Select(block => block.Digest));
        WriteCollected(writer, scope);
    }

    /// <summary>Forgets what is not in the essence, as far as it can be forgotten.</summary>
    internal void Simplify(Essence scope)
    {
        _tree.Forget(block => scope.NameOf(block) == 0);
        (_failures, _attempts, _late, _hasProgress) = (0, 0, NodeSet.Empty, false);
        _parked.RemoveAll(parked => parked.Block.View < _view);
        foreach (var votes in _votes)
        {
            foreach (var voter in votes.Where(item => !scope.MayBeCertified(item.Value.Block)).Select(item => item.Key).ToList())
            {
                votes.Remove(voter);
            }
        }
    }

    /// <summary>Writes what decides on how a message is acted on.</summary>
    internal static void WriteEssence(CodecWriter writer, Message message, Essence scope)
    {
        switch (message)
        {
            case Message.Proposal proposal:
                writer.Byte(1);
                scope.Name(writer, proposal.Block.Digest);
                scope.Write(writer, proposal.Certificates);
                break;
            case Message.Vote vote:
                writer.Byte(2);
                writer.Byte((byte)vote.Phase);
                scope.View(writer, vote.View);
                scope.Name(writer, vote.Block);
                break;
            case Message.Certified certified:
                writer.Byte(3);
                scope.Write(writer, certified.Certificate);
                break;
            case Message.NewView report:
                writer.Byte(4);
                scope.View(writer, report.View);
                scope.Write(writer, report.Certificates);
                break;
            case Message.Timeout timeout:
                writer.Byte(5);
                scope.View(writer, timeout.View);
                scope.Write(writer, timeout.Certificates);
                break;
            case Message.Sync sync:
                writer.Byte(6);
                scope.Write(writer, sync.Certificates);
                break;
            case Message.Fetch fetch:
                writer.Byte(7);
                scope.Name(writer, fetch.Block);
                scope.View(writer, fetch.Above);
                break;
            case Message.Blocks blocks:
                writer.Byte(8);
                scope.Names(writer, blocks.Chain.Select(block => block.Digest));
                break;
        }
    }

    private void WriteCollected(CodecWriter writer, Essence scope)
    {
        var voters = new SortedDictionary<int, NodeSet>();
        foreach (var votes in _votes)
        {
            voters.Clear();
            foreach (var (voter, vote) in votes.Where(item => scope.MayBeCertified(item.Value.Block)))
            {
                var name = scope.NameOf(vote.Block);
                voters[name] = voters.GetValueOrDefault(name).With(voter);
            }

            foreach (var (name, who) in voters)
            {
                writer.Int(name);
                writer.Nodes(who);
            }

            writer.Byte(0);
        }

        writer.Nodes(NodeSet.Of([.. _shares.Keys]));
        foreach (var share in _shares.Values.Where(_ => _rules.JudgesTimeouts).OrderBy(share => share.HighView))
        {
            scope.View(writer, share.HighView);
        }
    }

    /// <summary>The blocks that this replica names by a certificate, committed last, or waits for.</summary>
    private IEnumerable<Digest> Mentioned() =>
    [
        _high.Block, _locked.Block, _decision.Block, _tree.Committed.Digest, _missing, .. _fetched.Select(block => block.Digest),
    ];

    /// <summary>Whether this replica may yet vote in a view.</summary>
    private bool MayVoteIn(long view) => _view <= view && _timedOut < view;

    /// <summary>Whether the votes that this replica holds and those that may yet come could certify a block.</summary>
    private bool MayCertify(Block block, NodeSet voters) => _votes.Any(votes =>
        voters.Union(NodeSet.Of([.. votes.Where(item => item.Value.Block == block.Digest).Select(item => item.Key)])).Count >= _options.Quorum);

    private static IEnumerable<Digest> Mentioned(Message message) => message switch
    {
        Message.Proposal proposal => [proposal.Block.Digest, .. Mentioned(proposal.Certificates)],
        Message.Vote vote => [vote.Block],
        Message.Certified certified => [certified.Certificate.Block],
        Message.NewView report => Mentioned(report.Certificates),
        Message.Timeout timeout => Mentioned(timeout.Certificates),
        Message.Sync sync => Mentioned(sync.Certificates),
        Message.Fetch fetch => [fetch.Block],
        Message.Blocks blocks => blocks.Chain.Select(block => block.Digest),
        _ => [],
    };

    private static Digest[] Mentioned(Certificates shown) => [shown.High.Block, shown.Decision.Block];

    /// <summary>
    /// Names for the blocks that still matter to a group, by their views and their place in the tree: those that certificates name, with
    /// those before them by which chains are judged, and those that may yet be certified. What blocks hold does not matter, nor what lies further
    /// back between them. Views are told by how far they are from an origin.
    /// </summary>
    internal sealed class Essence
    {
        private readonly Dictionary<Digest, int> _names = [];
        private readonly SortedSet<Digest> _open = [];
        private readonly SortedDictionary<Digest, Block?> _blocks = [];
        private readonly Dictionary<Digest, Block?> _found = [];
        private readonly IReadOnlyCollection<HotStuff> _group;
        private readonly IReadOnlyCollection<Message> _messages;
        private readonly IHotStuffRules _rules;
        private readonly List<int> _sorted = [];
        private readonly long _origin;

        public Essence(CodecWriter writer, long origin, IReadOnlyCollection<HotStuff> group, IReadOnlyCollection<Message> messages)
        {
            (_origin, _group, _messages, _rules) = (origin, group, messages, group.First()._rules);
            FindOpen();
            var named = group.SelectMany(replica => replica.Mentioned()).Concat(messages.SelectMany(message => Mentioned(message))).Concat(_open);
            foreach (var digest in named.Where(digest => digest != Digest.None).Distinct().ToList())
            {
                Include(digest, _rules.Chain - 1);
            }

            foreach (var view in _blocks.GroupBy(pair => pair.Value?.View ?? -1).OrderBy(view => view.Key))
            {
                // Ancestors have their names by now: their views are lower.
                foreach (var (ancestor, digest, block) in view.Select(pair => (AncestorOf(pair.Value), pair.Key, pair.Value)).OrderBy(item => item.Item1).ToList())
                {
                    View(writer, block?.View ?? 0);
                    writer.Int(ancestor);
                    writer.Bool(block is not null && _names.ContainsKey(block.Justify.Block));
                    _names.Add(digest, _names.Count + 1);
                }
            }
        }

        /// <summary>A view by its distance from the origin; 0, which stands for none, as it is.</summary>
        public void View(CodecWriter writer, long view)
        {
            writer.Bool(view > 0);
            writer.Signed(view > 0 ? view - _origin : 0);
        }

        /// <summary>Whether votes for a block may still make a certificate.</summary>
        public bool MayBeCertified(Digest block) => _open.Contains(block);

        /// <summary>0 for a block that does not matter.</summary>
        public int NameOf(Digest block) => _names.GetValueOrDefault(block);

        public void Name(CodecWriter writer, Digest block) => writer.Int(NameOf(block));

        /// <summary>Those that matter, in the order of their names.</summary>
        public void Names(CodecWriter writer, IEnumerable<Digest> blocks)
        {
            _sorted.Clear();
            foreach (var block in blocks)
            {
                if (NameOf(block) is var name and > 0)
                {
                    _sorted.Add(name);
                }
            }

            _sorted.Sort();
            foreach (var name in _sorted)
            {
                writer.Int(name);
            }

            writer.Int(0);
        }

        public void Write(CodecWriter writer, QuorumCertificate certificate)
        {
            View(writer, certificate.View);
            Name(writer, certificate.Block);
        }

        public void Write(CodecWriter writer, Certificates shown)
        {
            Write(writer, shown.High);
            Write(writer, shown.Decision);
            View(writer, shown.Timeout.View);
            View(writer, _rules.JudgesTimeouts ? shown.Timeout.HighView : 0);
        }

        private void FindOpen()
        {
            var looked = new HashSet<Digest>();
            foreach (var block in _group.SelectMany(replica => replica._tree.Open.Concat(replica._parked.Select(parked => parked.Block))))
            {
                if (!looked.Add(block.Digest))
                {
                    continue;
                }

                var voters = NodeSet.Of([.. _group.Where(replica => replica.MayVoteIn(block.View)).Select(replica => replica._self)]);
                if (_group.Any(replica => replica.MayCertify(block, voters)))
                {
                    _open.Add(block.Digest);
                }
            }

            foreach (var vote in _messages.OfType<Message.Vote>())
            {
                _open.Add(vote.Block);
            }
        }

        private void Include(Digest digest, int relatives)
        {
            var block = Find(digest);
            _blocks[digest] = block;
            if (block is not null && relatives > 0 && block.View > 0)
            {
                Include(block.Justify.Block, relatives - 1);
            }
        }

        /// <summary>The nearest ancestor that has a name, whatever lies between.</summary>
        private int AncestorOf(Block? block)
        {
            for (var at = block; at is { View: > 0 }; at = Find(at.Justify.Block))
            {
                if (_names.TryGetValue(at.Justify.Block, out var name))
                {
                    return name;
                }
            }

            return 0;
        }

        private Block? Find(Digest digest)
        {
            if (!_found.TryGetValue(digest, out var block))
            {
                block = Search(digest);
                _found.Add(digest, block);
            }

            return block;
        }

        private Block? Search(Digest digest) =>
            _group.Select(replica => replica._tree.Find(digest)
                ?? replica._parked.Select(parked => parked.Block).Concat(replica._fetched).FirstOrDefault(block => block.Digest == digest))
                .FirstOrDefault(block => block is not null)
            ?? _messages.Select(message => message switch
            {
                Message.Proposal proposal when proposal.Block.Digest == digest => proposal.Block,
                Message.Blocks blocks => blocks.Chain.FirstOrDefault(block => block.Digest == digest),
                _ => null,
            }).FirstOrDefault(block => block is not null);
    }
}
