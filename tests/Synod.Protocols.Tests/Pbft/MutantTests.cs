using Synod.Lab.Hunts;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;

/// <summary>Mistakes that chance seldom finds, each beside what is right in a schedule that shows it. All are hunted in the lab.</summary>
public sealed class MutantTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_certificates_for_a_slot_the_one_of_the_highest_view_counts(bool isMistaken)
    {
        var group = Group(isMistaken, PbftMutation.LowestPreparedView);
        var (old, last) = (group.Batch("x+"), group.Batch("x=5"));
        var play = group.Stage();
        play.Receive(A, D, group.ViewChange(A, 3, [group.Prepared(0, 1, old.Digest, A, B, C)]));
        play.Receive(B, D, group.ViewChange(B, 3, [group.Prepared(1, 1, last.Digest, B, C, D)]));
        play.Receive(C, D, group.ViewChange(C, 3));
        var begun = play.Log(D).OfType<PbftReplica.Record.Entered>().Single().NewView;
        Assert.Equal(isMistaken ? old.Digest : last.Digest, begun.Proposals.Single().Digest);
    }

    /// <summary>A primary that serves others for ever would starve this client.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public void Patience_with_the_oldest_request_does_not_begin_anew_when_another_is_executed(bool isMistaken, int settings)
    {
        var group = Group(isMistaken, PbftMutation.AnyProgressCalms);
        var play = group.Stage(X, Y);
        var other = new PbftReplica.Batch([group.Request(Y, 1, "y+")]);
        play.Receive(X, B, new Message.Request(group.Request(X, 1, "x+")));
        play.Receive(A, B, group.PrePrepare(A, 0, 1, other));
        foreach (var node in new[] { C, D })
        {
            play.Receive(node, B, group.Prepare(node, 0, 1, other.Digest));
            play.Receive(node, B, group.Commit(node, 0, 1, other.Digest));
        }

        Assert.Single(play.Executions(B));
        Assert.Equal(settings, play.Trace.Split('\n').Count(line => line == "  set Request"));
    }

    [Fact]
    public void Every_mutation_is_hunted() => Mutants.AllHunted<PbftMutation>(PbftBugs.All);

    private static Quartet Group(bool isMistaken, PbftMutation mutation) =>
        new(Small with { Mutation = isMistaken ? mutation : PbftMutation.None });
}
