using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>Ways for one member to lie, each with its own key only (hotstuff.md §9 and §11).</summary>
internal static class HotStuffLiars
{
    public static IReadOnlyList<string> All { get; } =
    [
        "silent", "selective", "equivocating", "forking", "stale view", "two votes", "forged certificates", "understating", "withholding",
        "replaying", "forged parents", "damaged votes", "rewritten time-outs", "repeating", "inventing", "equivocating and repeating itself",
        "forged parts", "false checkpoints", "forged proofs", "moody",
    ];

    public static Adversary<HotStuff.Message> Make(string name, HotStuffGroup group, NodeId self) => name switch
    {
        "silent" => Adversary.Silent<HotStuff.Message>(),
        "selective" => Adversary.Selective<HotStuff.Message>(Half(group)),
        "equivocating" => Adversary.Equivocating<HotStuff.Message>(Half(group), OtherBlock),
        "forking" => Adversary.Lying<HotStuff.Message>((_, message) => [OlderParent(message)]),
        "stale view" => Adversary.Lying<HotStuff.Message>((_, message) => OtherView(group, self, message)),
        "two votes" => Adversary.Lying<HotStuff.Message>((_, message) => TwoVotes(group, self, message)),
        "forged certificates" => Adversary.Provoked<HotStuff.Message>((from, message) => Forgeries(group, self, from, message)),
        "understating" => Adversary.Lying<HotStuff.Message>((_, message) => [Understated(group, self, message)]),
        "withholding" => Adversary.Lying<HotStuff.Message>((_, message) => message is HotStuff.Message.Proposal ? [] : [message]),
        "forged parents" => Adversary.Lying<HotStuff.Message>((_, message) => [ForgedParent(group, self, message)]),
        "damaged votes" => Adversary.Lying<HotStuff.Message>((_, message) =>
            [message is HotStuff.Message.Vote vote ? vote with { Signature = default } : message]),
        "rewritten time-outs" => Adversary.Lying<HotStuff.Message>((_, message) => [Rewritten(message)]),
        "repeating" => Repeating(),
        "equivocating and repeating itself" => Adversary.Lying<HotStuff.Message>((_, message) => [message, OtherBlock(message)]),
        "inventing" => Adversary.Lying<HotStuff.Message>((_, message) => [Extended(
            message, [new(new NodeId(HotStuffGroup.FirstClient), 1_000, Key.Of("invented").Memory, default)])]),
        "forged parts" => Adversary.Lying<HotStuff.Message>((_, message) => [Damaged(message)]),
        "false checkpoints" => Adversary.Lying<HotStuff.Message>((_, message) => [message is HotStuff.Message.Checkpoint { Of: var told }
            ? group.Checkpoint(self, told with { State = Digest.Of("false"u8) })
            : message]),
        "forged proofs" => Adversary.Lying<HotStuff.Message>((_, message) => [ForgedProof(group, self, message)]),
        "replaying" => Adversary.Replaying(new HotStuff.MessageWire(), 20),
        _ => Adversary.Moody([.. All.Where(mood => mood is not ("silent" or "moody")).Select(mood => Make(mood, group, self))]),
    };

    private static NodeSet Half(HotStuffGroup group) =>
        NodeSet.Of([.. group.Options.Members.Where((_, index) => index % 2 == 0)]);

    /// <summary>A second block of the same view on the same parent.</summary>
    private static HotStuff.Message OtherBlock(HotStuff.Message message) => message is HotStuff.Message.Proposal proposal
        ? proposal with
        {
            Block = new Block(
                proposal.Block.View,
                proposal.Block.Justify,
                proposal.Block.Commands.Length > 1 ? [.. proposal.Block.Commands.Reverse()] : []),
        }
        : message;

    /// <summary>A block on the root, as if nothing had been certified since.</summary>
    private static HotStuff.Message OlderParent(HotStuff.Message message) => message is HotStuff.Message.Proposal proposal
        ? proposal with { Block = new Block(proposal.Block.View, Genesis.Certificate, proposal.Block.Commands) }
        : message;

    private static IEnumerable<HotStuff.Message> OtherView(HotStuffGroup group, NodeId self, HotStuff.Message message) => message switch
    {
        HotStuff.Message.Proposal { Block: var block } proposal =>
        [
            proposal with { Block = new Block(block.View + 1, block.Justify, block.Commands) },
            proposal with { Block = new Block(Math.Max(1, block.View - 1), block.Justify, block.Commands) },
        ],
        HotStuff.Message.Vote vote => [group.Vote(self, vote.Phase, vote.View - 1, vote.Block), group.Vote(self, vote.Phase, vote.View + 1, vote.Block)],
        HotStuff.Message.Timeout timeout =>
            [group.Timeout(self, timeout.View + 1, timeout.Certificates), group.Timeout(self, timeout.View - 1, timeout.Certificates)],
        _ => [message],
    };

    private static IEnumerable<HotStuff.Message> TwoVotes(HotStuffGroup group, NodeId self, HotStuff.Message message) => message is HotStuff.Message.Vote vote
        ? [vote, group.Vote(self, vote.Phase, vote.View, Genesis.Block.Digest), vote]
        : [message];

    /// <summary>Certificates that it signed alone, in its own name and in that of others, for what others propose.</summary>
    private static IEnumerable<(NodeId To, HotStuff.Message Message)> Forgeries(
        HotStuffGroup group, NodeId self, NodeId from, HotStuff.Message message)
    {
        if (message is not HotStuff.Message.Proposal { Block: var block } || from == self)
        {
            return [];
        }

        var phase = (VotePhase)(group.Options.Rules.Phases - 1);
        var own = group.Vote(self, phase, block.View, block.Digest).Signature;
        var members = group.Options.Members.ToList();
        return new List<Endorsement>[]
        {
            [new(self, own)],
            [new(self, own), new(self, own), new(self, own)],
            [.. members.Select(member => new Endorsement(member, own))],
        }
        .Select(votes => group.SchemeOf(self).Aggregate([], votes))
        .SelectMany(proof => members.Select(to => (to, (HotStuff.Message)new HotStuff.Message.Sync(
            group.Options.Rules.Phases == 1
                ? new Certificates(new QuorumCertificate(phase, block.View, block.Digest, proof), Genesis.Certificate, TimeoutCertificate.None)
                : new Certificates(
                    Genesis.Certificate, new QuorumCertificate(phase, block.View, block.Digest, proof), TimeoutCertificate.None)))));
    }

    /// <summary>It claims to know no certificate.</summary>
    private static HotStuff.Message Understated(HotStuffGroup group, NodeId self, HotStuff.Message message) => message switch
    {
        HotStuff.Message.Timeout timeout =>
            group.Timeout(self, timeout.View, timeout.Certificates with { High = Genesis.Certificate }),
        HotStuff.Message.NewView report =>
            report with { Certificates = report.Certificates with { High = Genesis.Certificate } },
        _ => message,
    };

    /// <summary>A block on one that nobody certified, so that its certificate would be the highest of all.</summary>
    private static HotStuff.Message ForgedParent(HotStuffGroup group, NodeId self, HotStuff.Message message)
    {
        if (message is not HotStuff.Message.Proposal { Block: var block } proposal || block.View < 2)
        {
            return message;
        }

        var never = new Block(block.View - 1, Genesis.Certificate, []);
        return proposal with { Block = new Block(block.View, group.Certify(never, NodeSet.Of(self)), block.Commands) };
    }

    /// <summary>A time-out certificate whose signers seem to have known nothing.</summary>
    private static HotStuff.Message Rewritten(HotStuff.Message message) => message switch
    {
        HotStuff.Message.Proposal proposal => proposal with { Entry = Rewritten(proposal.Entry) },
        HotStuff.Message.Sync sync => new HotStuff.Message.Sync(sync.Certificates with { Timeout = Rewritten(sync.Certificates.Timeout) }),
        _ => message,
    };

    private static TimeoutCertificate Rewritten(TimeoutCertificate timeout) =>
        timeout with { Shares = [.. timeout.Shares.Select(share => share with { HighView = 0 })] };

    /// <summary>A page of a state with other bytes in it. The digests above are left alone, so that it is asked for pages.</summary>
    private static HotStuff.Message Damaged(HotStuff.Message message) => message is HotStuff.Message.StatePart { Level: 0 } part
        ? part with { Content = part.Content.ToArray().Select(item => (byte)~item).ToArray() }
        : message;

    /// <summary>Who asks it for blocks hears that they are gone, in the name of all, and that the state is another one.</summary>
    private static HotStuff.Message ForgedProof(HotStuffGroup group, NodeId self, HotStuff.Message message)
    {
        if (message is not HotStuff.Message.Blocks { Chain: var chain })
        {
            return message;
        }

        var state = new StateTree("false"u8.ToArray(), group.Options.PageSize, group.Options.FanOut);
        var checkpoint = new ChainCheckpoint(group.Options.CheckpointPeriod * 1_000L, chain[0].View, Digest.Of("false"u8), new Slot(1), state.Root);
        var own = group.Checkpoint(self, checkpoint).Signature;
        var votes = group.Options.Members.Select(member => new Endorsement(member, own)).ToList();
        return new HotStuff.Message.Stable(new(checkpoint, group.SchemeOf(self).Aggregate([], votes)));
    }

    private static HotStuff.Message Extended(HotStuff.Message message, IEnumerable<HotStuff.Command> commands) =>
        message is HotStuff.Message.Proposal { Block: var block } proposal
            ? proposal with { Block = new Block(block.View, block.Justify, [.. commands.Concat(block.Commands).Take(1)]) }
            : message;

    /// <summary>Proposes commands again that it saw proposed before.</summary>
    private static Adversary<HotStuff.Message> Repeating()
    {
        var seen = new List<HotStuff.Command>();
        return Adversary.Lying<HotStuff.Message>((_, message) =>
        {
            if (message is not HotStuff.Message.Proposal { Block: var block } proposal)
            {
                return [message];
            }

            seen.AddRange(block.Commands.Where(command => !seen.Contains(command)));
            return [proposal with { Block = new Block(block.View, block.Justify, [.. seen.Take(1)]) }];
        });
    }
}
