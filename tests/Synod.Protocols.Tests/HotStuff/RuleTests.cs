using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>The pages of rules: what each rule set votes for, locks and commits (hotstuff.md §3 to §5).</summary>
public sealed class RuleTests
{
    private static readonly NodeSet Three = NodeSet.Of(N1, N2, N3);

    private readonly HotStuffGroup _group = Of(4, new ChainedRules());
    private readonly BlockTree _tree = new();

    [Fact]
    public void A_chain_of_three_commits_if_its_views_follow_each_other()
    {
        var rules = new ChainedRules();
        var b1 = Add(Genesis.Block, 1);
        var b2 = Add(b1, 2);
        Assert.Null(rules.Commit(Certify(b1), _tree));
        Assert.Equal(Genesis.Block, rules.Commit(Certify(b2), _tree));
        Assert.Equal(b1, rules.Commit(Certify(Add(b2, 3)), _tree));

        // The example of §4: 1, 2, 5. Another chain may have been certified in views 3 and 4.
        Assert.Null(rules.Commit(Certify(Add(b2, 5)), _tree));
        var late = Add(b1, 4);
        Assert.Null(rules.Commit(Certify(Add(late, 5)), _tree));
    }

    [Fact]
    public void In_a_chain_the_parent_of_a_certified_block_is_locked()
    {
        var b1 = Add(Genesis.Block, 1);
        var b2 = Add(b1, 2);
        Assert.Equal(Certify(b1), new ChainedRules().Lock(Certify(b2), _tree));
        Assert.Equal(Genesis.Certificate, new ChainedRules().Lock(Certify(b1), _tree));
    }

    [Theory]
    [InlineData("hotstuff-basic")]
    [InlineData("hotstuff-chained")]
    public void A_vote_needs_a_block_on_the_lock_or_a_certificate_above_it(string name)
    {
        var rules = Rules(name);
        var b1 = Add(Genesis.Block, 1);
        var b2 = Add(b1, 2);
        var fork = Add(Genesis.Block, 3);
        var other = Add(Genesis.Block, 2, "other");
        var locked = Certify(b2);
        Assert.True(rules.MayVote(Propose(Add(b2, 4)), locked, _tree));
        Assert.True(rules.MayVote(Propose(Add(fork, 4)), locked, _tree));
        Assert.False(rules.MayVote(Propose(Add(b1, 4)), locked, _tree));

        // A certificate of the lock's own view is not above it.
        Assert.False(rules.MayVote(Propose(Add(other, 4)), locked, _tree));
    }

    [Fact]
    public void Basic_HotStuff_locks_on_the_second_certificate_and_commits_on_the_third()
    {
        var rules = new BasicRules();
        var block = Add(Genesis.Block, 1);
        var (prepared, precommitted, committed) = (Certify(block), Certify(block, VotePhase.PreCommit), Certify(block, VotePhase.Commit));
        Assert.Null(rules.Lock(prepared, _tree));
        Assert.Equal(precommitted, rules.Lock(precommitted, _tree));
        Assert.Null(rules.Lock(committed, _tree));
        Assert.Null(rules.Commit(prepared, _tree));
        Assert.Null(rules.Commit(precommitted, _tree));
        Assert.Equal(block, rules.Commit(committed, _tree));
    }

    [Fact]
    public void HotStuff_2_locks_on_the_first_certificate_commits_on_the_second_and_votes_for_nothing_below_its_lock()
    {
        var rules = new HotStuff2Rules();
        var b1 = Add(Genesis.Block, 1);
        var b2 = Add(b1, 2);
        Assert.Equal(Certify(b2), rules.Lock(Certify(b2), _tree));
        Assert.Null(rules.Lock(Certify(b2, VotePhase.PreCommit), _tree));
        Assert.Null(rules.Commit(Certify(b2), _tree));
        Assert.Equal(b2, rules.Commit(Certify(b2, VotePhase.PreCommit), _tree));
        Assert.True(rules.MayVote(Propose(Add(b2, 4)), Certify(b2), _tree));
        Assert.False(rules.MayVote(Propose(Add(b1, 4)), Certify(b2), _tree));
    }

    [Fact]
    public void Jolteon_commits_a_chain_of_two_if_its_views_follow_each_other()
    {
        var b1 = Add(Genesis.Block, 1);
        Assert.Equal(b1, new JolteonRules().Commit(Certify(Add(b1, 2)), _tree));
        var late = Certify(Add(b1, 3));
        Assert.Null(new JolteonRules().Commit(late, _tree));

        // That is all that the vulnerable rules get wrong.
        Assert.Equal(b1, new VulnerableRules().Commit(late, _tree));
    }

    [Fact]
    public void Jolteon_votes_for_a_block_on_the_view_before_or_on_all_that_a_quorum_knew()
    {
        var rules = new JolteonRules();
        var b1 = Add(Genesis.Block, 1);
        Assert.True(rules.MayVote(Propose(Add(b1, 2)), Genesis.Certificate, _tree));
        var onFirst = Add(b1, 4);
        Assert.False(rules.MayVote(Propose(onFirst), Genesis.Certificate, _tree));
        Assert.True(rules.MayVote(Propose(onFirst, 3, 0, 1, 1), Genesis.Certificate, _tree));
        Assert.False(rules.MayVote(Propose(onFirst, 3, 0, 2, 1), Genesis.Certificate, _tree));
        Assert.False(rules.MayVote(Propose(onFirst, 2, 0, 1, 1), Genesis.Certificate, _tree));
    }

    private HotStuff.Message.Proposal Propose(Block block) => Staging.Propose(block);

    private HotStuff.Message.Proposal Propose(Block block, long givenUp, params long[] known) =>
        Staging.Propose(block, _group.GiveUp(givenUp, known.Select((view, index) => (new NodeId(index + 1), view))));

    private Block Add(Block parent, long view, string? command = null)
    {
        var block = Staging.Child(
            parent.View == 0 ? Genesis.Certificate : Certify(parent), view, command is null ? [] : [_group.Command(command)]);
        _tree.Add(block);
        return block;
    }

    private QuorumCertificate Certify(Block block, VotePhase phase = VotePhase.Prepare) => _group.Certify(block, Three, phase);
}
