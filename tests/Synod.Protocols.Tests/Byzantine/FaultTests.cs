using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Byzantine;
using Xunit;
using ByzantineTwins = Synod.Protocols.Byzantine.Twins;

namespace Synod.Protocols.Tests.Byzantine;

using Corrupt = Corrupted<string, string, string, string>;
using Play = Stage<string, string, string, string>;

/// <summary>What faults do to an outbox, and twins to a network (pbft.md §7).</summary>
public sealed class FaultTests
{
    private static readonly NodeId A = new(1);
    private static readonly NodeId B = new(2);
    private static readonly NodeId C = new(3);
    private static readonly NodeId SecondA = new(4);
    private static readonly NodeSet Members = NodeSet.Of(A, B, C);

    [Fact]
    public void A_disguise_that_changes_nothing_passes_everything_in_its_order()
    {
        var plain = new Play(node => new Echo(node, Members), _ => "timer", A, B, C).Begin();
        var disguised = Play(Adversary.Selective<string>(Members));
        foreach (var play in new[] { plain, disguised })
        {
            play.Submit(A, "x");
            Assert.Equal(["x"], play.Between(A, B));
            Assert.Empty(play.Answers(A));
            play.Sync(A);
            Assert.Equal(["x", "x!"], play.Between(A, B));
            Assert.Single(play.Answers(A));
            play.Submit(A, "y");
            play.Run();
            play.Fire(A, 1);
            play.Crash(A);
        }

        Assert.Equal(plain.Trace, disguised.Trace);
    }

    [Fact]
    public void A_silent_node_says_nothing_and_a_selective_one_leaves_some_in_the_dark()
    {
        var silent = Play(Adversary.Silent<string>());
        silent.Submit(A, "x");
        silent.Sync(A);
        Assert.Empty(silent.Network);
        var selective = Play(Adversary.Selective<string>(NodeSet.Of(C)));
        selective.Submit(A, "x");
        selective.Run();
        Assert.Empty(Inner(selective, B).Heard);
        Assert.Equal(["n1:x", "n1:x!"], Inner(selective, C).Heard);
    }

    [Fact]
    public void An_equivocating_node_tells_two_stories()
    {
        var play = Play(Adversary.Equivocating<string>(NodeSet.Of(B), text => "not " + text));
        play.Submit(A, "x");
        play.Run();
        Assert.Equal(["n1:not x", "n1:not x!"], Inner(play, B).Heard);
        Assert.Equal(["n1:x", "n1:x!"], Inner(play, C).Heard);
    }

    [Fact]
    public void A_lying_node_says_more_or_less_a_provoked_one_answers_back_and_a_replaying_one_repeats_itself()
    {
        var lying = Play(Adversary.Lying<string>((to, text) => to == B ? [text, text] : []));
        lying.Submit(A, "x");
        lying.Run();
        Assert.Equal(["n1:x", "n1:x", "n1:x!", "n1:x!"], Inner(lying, B).Heard);
        Assert.Empty(Inner(lying, C).Heard);
        var provoked = Play(Adversary.Provoked<string>((from, text) => [(from, "no " + text)]));
        provoked.Receive(B, A, "x");
        provoked.Run();
        Assert.Equal(["n1:no x"], Inner(provoked, B).Heard);
        Assert.Equal(["n2:x"], Inner(provoked, A).Heard);
        var replaying = Play(Adversary.Replaying(new Echo.Wire(), 2));
        replaying.Submit(A, "x");
        replaying.Run();
        Assert.Equal(["n1:x", "n1:x", "n1:x!", "n1:x"], Inner(replaying, B).Heard);
    }

    [Fact]
    public void A_moody_node_draws_its_behaviour()
    {
        var play = Play(Adversary.Moody(Adversary.Silent<string>(), Adversary.Selective<string>(Members)));
        play.Submit(A, "x");
        play.Run();
        Assert.Empty(Inner(play, B).Heard);
    }

    /// <summary>The network of the explorer decides which copy hears what, so every combination of one message each is a world.</summary>
    [Fact]
    public void Of_twins_each_hears_what_the_network_lets_it()
    {
        var twins = new ByzantineTwins().With(SecondA, A);
        Assert.Equal([A, SecondA], twins.AddressesOf(A));
        Assert.True(twins.IsDouble(A) && !twins.IsDouble(B));
        var model = new Model<string, string, string, string>
        {
            Nodes = [A, B, C, SecondA],
            Make = address => new Twinned<string, string, string, string>(
                address, twins, new Echo(twins.IdentityOf(address), Members)),
            Messages = new Echo.Wire(),
            Records = new Echo.Wire(),
            Submissions = [new(B, "x")],
        };
        var result = model
            .Always("names", world => world.Nodes.All(node => Inner(node.Protocol).Self == twins.IdentityOf(node.Id)))
            .Sometimes("the first only", world => Inner(world[A].Protocol).Heard.Count == 1 && Inner(world[SecondA].Protocol).Heard.Count == 0)
            .Sometimes("the second only", world => Inner(world[A].Protocol).Heard.Count == 0 && Inner(world[SecondA].Protocol).Heard.Count == 1)
            .Sometimes("both", world => Inner(world[A].Protocol).Heard.Count == 2 && Inner(world[SecondA].Protocol).Heard.Count == 2)
            .Explore();
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
    }

    [Fact]
    public void What_a_twin_says_comes_from_its_identity_and_it_hears_itself_alone()
    {
        var twins = new ByzantineTwins().With(SecondA, A);
        var play = new Play(
            address => new Twinned<string, string, string, string>(address, twins, new Echo(twins.IdentityOf(address), Members)),
            _ => "timer",
            A,
            B,
            C,
            SecondA).Begin();
        play.Submit(SecondA, "x");
        play.Run();
        Assert.Equal(["n1:x", "n1:x!"], Inner(play, B).Heard);
        Assert.Equal(["n1:x", "n1:x!"], Inner(play, SecondA).Heard);
        Assert.Empty(Inner(play, A).Heard);
    }

    private static Play Play(Adversary<string> adversary) => new Play(
        node => node == A ? new Corrupt(new Echo(node, Members), adversary) : new Echo(node, Members), _ => "timer", A, B, C).Begin();

    private static Echo Inner(Play play, NodeId node) => Inner(play[node]);

    private static Echo Inner(Protocol<string, string, string, string> protocol) =>
        protocol is Disguise<string, string, string, string> disguise ? (Echo)disguise.Inner : (Echo)protocol;
}
