using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Quorums;

/// <summary>How operators write quorum systems: one notation, which is also how they are shown.</summary>
public sealed class QuorumTextTests
{
    [Theory]
    [InlineData(5, "majority", "3/3")]
    [InlineData(4, "majority", "3/3")]
    [InlineData(5, "4/2", "4/2")]
    [InlineData(6, "grid 2x3", "grid 2x3")]
    [InlineData(4, "weights 3,1,1,1 4/3", "weights 3,1,1,1 4/3")]
    [InlineData(3, "weights 0,1,1 1/2", "weights 0,1,1 1/2")]
    [InlineData(9, "zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone", "zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone")]
    [InlineData(5, "zones 5,1|3,2,4 survive 0 nodes 1 zone", "zones 1,5|2,3,4 survive 0 nodes 1 zone")]
    [InlineData(6, "zones 1,2,3|4,5,6 survive 2 node 0 zone", "zones 1,2,3|4,5,6 survive 2 nodes 0 zones")]
    [InlineData(2, "zones 1|2 survive 0 nodes 1 zones", "zones 1|2 survive 0 nodes 1 zone")]
    [InlineData(6, "  grid   2x3 ", "grid 2x3")]
    public void What_is_understood_is_shown_as_it_is_written(int members, string text, string shown)
    {
        var system = QuorumText.Parse(text)(Members(members)).Validated();
        Assert.Equal(shown, system.ToString());
        Assert.Equal(system, QuorumText.Parse(shown)(Members(members)));
    }

    [Theory]
    [InlineData("", "no quorums are written so")]
    [InlineData("most", "no quorums are written so")]
    [InlineData("Majority", "no quorums are written so")]
    [InlineData("majority 3", "no quorums are written so")]
    [InlineData("4", "no quorums are written so")]
    [InlineData("4/", "'' is no number")]
    [InlineData("4/2/1", "'4/2/1' is not two numbers with '/' between them")]
    [InlineData("-4/2", "'-4' is no number")]
    [InlineData("4.5/2", "'4.5' is no number")]
    [InlineData("1000000/2", "'1000000' is no number of 1 to 6 digits")]
    [InlineData("grid", "rows and columns")]
    [InlineData("grid 2 x 3", "rows and columns")]
    [InlineData("grid 6", "'6' is not two numbers with 'x' between them")]
    [InlineData("grid 2x3x4", "'2x3x4' is not two numbers")]
    [InlineData("weights 4/3", "the two sums")]
    [InlineData("weights 3,1,1", "the two sums")]
    [InlineData("weights 3,,1 4/3", "'' is no number")]
    [InlineData("weights 3,-1 4/3", "'-1' is no number")]
    [InlineData("zones", "zones are lists of nodes")]
    [InlineData("zones 1,2|3,4", "how many whole zones may be lost")]
    [InlineData("zones 1,2|3,4 1/1", "how many whole zones may be lost")]
    [InlineData("zones 1,2|3,4 survive 1 zone 1 node", "how many whole zones may be lost")]
    [InlineData("zones 1, 2|3,4 survive 1 node 1 zone", "zones are lists of nodes")]
    [InlineData("zones 1,2| survive 1 node 1 zone", "'' is no number")]
    [InlineData("zones 1,2|a survive 1 node 1 zone", "'a' is no number")]
    [InlineData("zones 1,2,1|3 survive 0 nodes 1 zone", "node 1 is written twice in a zone")]
    [InlineData("zones 0,1|2 survive 0 nodes 1 zone", "there is no node 0")]
    [InlineData("zones 1|128 survive 0 nodes 1 zone", "there is no node 128, as nodes are numbered from 1 to 127")]
    [InlineData("zones 1|2 survive x nodes 1 zone", "'x' is no number")]
    public void What_means_nothing_is_refused_with_why_and_what_can_be_written(string text, string why)
    {
        var refused = Assert.Throws<ArgumentException>(() => QuorumText.Parse(text));
        Assert.StartsWith($"The quorums '{text}' are not understood: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.EndsWith($". Write {QuorumText.Forms}.", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, "2/2", "2 + 2 is not more than 4", "3/2 always meet")]
    [InlineData(5, "6/1", "all members together are not a quorum", "ask for less")]
    [InlineData(5, "5/0", "at least one member")]
    [InlineData(4, "grid 2x3", "2 rows of 3 columns need 6 members")]
    [InlineData(4, "grid 0x0", "0 rows of 0 columns need 0 members")]
    [InlineData(4, "weights 3,1,1,1 3/3", "3 + 3 is not more than the total weight 6", "4/3 always meet")]
    [InlineData(4, "weights 3,1,1 4/3", "4 members have 3")]
    [InlineData(4, "weights 3,1,1,1 7/1", "all members together are not a quorum")]
    [InlineData(4, "zones 1,2|2,3,4 survive 0 nodes 1 zone", "{n2} would be in two zones")]
    [InlineData(4, "zones 1,2|3 survive 0 nodes 1 zone", "without a zone are {n4}")]
    [InlineData(4, "zones 1,2|3,4,5 survive 0 nodes 1 zone", "no members {n5}")]
    [InlineData(4, "zones 1,2|3,4 survive 0 nodes 2 zones", "of 2 zones no more than 1 can be lost, not 2")]
    [InlineData(4, "zones 1|2,3,4 survive 1 node 1 zone", "of 1 node of zone {n1} no more than 0 can be lost, not 1")]
    public void What_is_not_safe_for_the_members_or_never_to_be_had_is_refused_with_the_reason(int members, string text, params string[] says)
    {
        var refused = QuorumText.Parse(text)(Members(members)).Refused;
        Assert.All(says, reason => Assert.Contains(reason, refused, StringComparison.Ordinal));
    }

    [Fact]
    public void Help_gives_an_example_of_every_form_that_is_understood()
    {
        var examples = QuorumText.Forms.Split('\'').Where((_, index) => index % 2 == 1).ToArray();
        Assert.Equal(["majority", "4/2", "grid 2x3", "weights 3,1,1,1 4/3", "zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone"], examples);
        int[] members = [5, 5, 6, 4, 9];
        Assert.All(examples.Zip(members), example => QuorumText.Parse(example.First)(Members(example.Second)).Validated());
    }

    [Fact]
    public void What_is_shown_is_understood() => QuorumTests.Systems.Where(system => system.Refused is null).Sample(system =>
        Assert.Equal(system, QuorumText.Parse(system.ToString())(system.Members)));

    private static NodeSet Members(int count) => QuorumTests.Members(count);
}
