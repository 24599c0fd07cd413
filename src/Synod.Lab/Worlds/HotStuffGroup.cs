using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>What the members of one group share: keys, options, and clients that sign.</summary>
internal sealed class HotStuffGroup
{
    public static readonly NodeId N1 = new(1);
    public static readonly NodeId N2 = new(2);
    public static readonly NodeId N3 = new(3);
    public static readonly NodeId N4 = new(4);

    /// <summary>Clients are numbered from here on.</summary>
    public const int FirstClient = 1_001;

    private readonly Statements _statements;

    public HotStuffGroup(HotStuffOptions options, bool threshold = false)
    {
        (Options, IsThreshold) = (options, threshold);
        _statements = new Statements(options.Domain);
    }

    public HotStuffOptions Options { get; }

    public bool IsThreshold { get; }

    public IdealSignatures Keys { get; } = new();

    public static IEnumerable<object[]> EveryRuleSet => [[new BasicRules()], [new ChainedRules()], [new HotStuff2Rules()], [new JolteonRules()]];

    public static IHotStuffRules Rules(string name) =>
        EveryRuleSet.Select(item => (IHotStuffRules)item[0]).Single(rules => rules.Name == name);

    /// <summary>Nodes from 1 to <paramref name="count"/>, or from 0 if that many would not fit otherwise.</summary>
    public static NodeSet Members(int count) =>
        NodeSet.Of([.. Enumerable.Range(count == NodeSet.Capacity ? 0 : 1, count).Select(number => new NodeId(number))]);

    public static HotStuffGroup Of(int count, IHotStuffRules rules, int viewsEach = 1, bool threshold = false) => new(
        new HotStuffOptions { Members = Members(count), Rules = rules, Leaders = new Rotation(Members(count), viewsEach) }, threshold);

    public HotStuffGroup With(Func<HotStuffOptions, HotStuffOptions> change) => new(change(Options), IsThreshold);

    public HotStuff Make(NodeId self) => Make(self, new Counters());

    public HotStuff Make(NodeId self, Counters service) => new(self, Options, Keys.SignerOf(self), SchemeOf(self), service);

    public IQuorumCertificateScheme SchemeOf(NodeId self) => IsThreshold
        ? new IdealThreshold(Keys, self, Options.Members, Options.Quorum)
        : new SignatureVectors(Keys.SignerOf(self), Options.Members, Options.Quorum);

    public HotStuff.Command Command(string payload, long sequence = 1, int client = FirstClient)
    {
        var (id, bytes) = (new NodeId(client), Key.Of(payload).Memory);
        return new(id, sequence, bytes, Keys.SignerOf(id).Sign(_statements.Command(id, sequence, bytes)));
    }

    /// <summary>A vote as <paramref name="voter"/> would sign it.</summary>
    public HotStuff.Message.Vote Vote(NodeId voter, Block block, VotePhase phase = VotePhase.Prepare) =>
        Vote(voter, phase, block.View, block.Digest);

    public HotStuff.Message.Vote Vote(NodeId voter, VotePhase phase, long view, Digest block) =>
        new(phase, view, block, Keys.SignerOf(voter).Sign(_statements.Vote(phase, view, block)));

    /// <summary>A member's word for a checkpoint.</summary>
    public HotStuff.Message.Checkpoint Checkpoint(NodeId member, ChainCheckpoint checkpoint) =>
        new(checkpoint, Keys.SignerOf(member).Sign(_statements.Checkpoint(checkpoint)));

    /// <summary>A checkpoint proven by <paramref name="members"/>, as many as they are.</summary>
    public StableCheckpoint Prove(ChainCheckpoint checkpoint, NodeSet members)
    {
        List<Endorsement> votes = [.. members.Select(member => new Endorsement(member, Checkpoint(member, checkpoint).Signature))];
        return new(checkpoint, SchemeOf(members.First()).Aggregate(_statements.Checkpoint(checkpoint), votes));
    }

    /// <summary>A certificate that <paramref name="voters"/> made, as many as they are.</summary>
    public QuorumCertificate Certify(Block block, NodeSet voters, VotePhase phase = VotePhase.Prepare)
    {
        List<Endorsement> votes = [.. voters.Select(voter => new Endorsement(voter, Vote(voter, block, phase).Signature))];
        return new(phase, block.View, block.Digest, SchemeOf(voters.First()).Aggregate(_statements.Vote(phase, block.View, block.Digest), votes));
    }

    /// <summary>A member's word that it gave a view up, knowing a certificate of another.</summary>
    public TimeoutShare Share(NodeId member, long view, long highView) =>
        new(member, highView, Keys.SignerOf(member).Sign(_statements.Timeout(view, highView)));

    public TimeoutCertificate GiveUp(long view, params IEnumerable<(NodeId Member, long HighView)> members) =>
        new(view, [.. members.Select(item => Share(item.Member, view, item.HighView))]);

    public HotStuff.Message.Timeout Timeout(NodeId member, long view, Certificates shown) =>
        new(view, shown, Share(member, view, shown.High.View).Signature);

    /// <summary>Whether a client signed a command.</summary>
    public bool IsSigned(HotStuff.Command command) => Keys.Verify(
        command.Client, _statements.Command(command.Client, command.Sequence, command.Payload), command.Signature);

    /// <summary>The claim that a correct replica breaks by sending a message in its present state; null for none (hotstuff.md §8, §9).</summary>
    public string? FlawOf(HotStuff replica, HotStuff.Message message) => message switch
    {
        HotStuff.Message.Vote vote when vote.View <= replica.TimedOutView => "NoVoteAfterTimeout",
        HotStuff.Message.Vote vote when !replica.Tree.Contains(vote.Block) => "NoVoteWithoutAncestry",
        HotStuff.Message.Vote when !IsProven(replica) => HotStuff.EntersByCertificate,
        HotStuff.Message.Proposal proposal when !AreProven(proposal.Certificates) => "CertificatesHold",
        HotStuff.Message.Timeout timeout when !AreProven(timeout.Certificates) => "CertificatesHold",
        HotStuff.Message.NewView report when !AreProven(report.Certificates) => "CertificatesHold",
        HotStuff.Message.Certified certified when !IsProven(certified.Certificate) => "CertificatesHold",
        _ => null,
    };

    /// <summary>Whether a replica's certificates let it be where it is.</summary>
    private static bool IsProven(HotStuff replica) =>
        replica.View <= Math.Max(replica.High.View, Math.Max(replica.Decision.View, replica.LastTimeout.View)) + 1;

    private bool AreProven(Certificates shown) =>
        IsProven(shown.High) && IsProven(shown.Decision)
        && (shown.Timeout.View == 0
            || (shown.Timeout.Shares.Select(share => share.Signer).Distinct().Count() >= Sound
                && shown.Timeout.Shares.All(share => Keys.Verify(
                    share.Signer, _statements.Timeout(shown.Timeout.View, share.HighView), share.Signature))));

    private bool IsProven(QuorumCertificate certificate) =>
        certificate.View == 0
        || (SchemeOf(Options.Members.First()).Verify(
                _statements.Vote(certificate.Phase, certificate.View, certificate.Block), certificate.Proof)
            && SchemeOf(Options.Members.First()).Voters(certificate.Proof).Count >= Sound);

    /// <summary>The quorum as it should be.</summary>
    private int Sound => Options.Members.Count - Options.Faults;
}
