using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.Rumors;

/// <summary>gossip.md §9: the figures rest on draws that are uniform, and on graphs of them that stay connected.</summary>
public sealed class PeerViewTests
{
    private static readonly PeerView s_hundred = PeerView.Of(Enumerable.Range(1, 100).Select(number => new NodeId(number)));

    [Fact]
    public void Draws_are_of_different_others_each_as_likely()
    {
        var (context, self) = (new Drawn(1), new NodeId(50));
        var counts = new int[101];
        for (var draw = 0; draw < 10_000; draw++)
        {
            var drawn = s_hundred.Draw(context, self, 3);
            Assert.Equal(3, drawn.Distinct().Count());
            Assert.DoesNotContain(self, drawn);
            foreach (var node in drawn)
            {
                counts[node.Value]++;
            }
        }

        // 30,000 among 99: a mean of 303, and five deviations of 17.
        Assert.All(Enumerable.Range(1, 100).Where(number => number != self.Value), number => Assert.InRange(counts[number], 216, 390));
    }

    [Fact]
    public void Who_is_not_in_a_view_draws_from_all_of_it_and_few_are_drawn_whole()
    {
        var (one, two, three) = (new NodeId(1), new NodeId(2), new NodeId(3));
        var view = PeerView.Of([three, one, two, one]);
        Assert.Equal([one, two, three], view.Nodes.ToArray());
        Assert.Equal([one, two, three], view.Draw(new Drawn(1), new NodeId(9), 7).Order().ToArray());
        Assert.Equal([one, three], view.Draw(new Drawn(1), two, 7).Order().ToArray());
        Assert.Empty(PeerView.Empty.Draw(new Drawn(1), new NodeId(2), 1));
    }

    [Fact]
    public void With_half_of_the_nodes_dead_those_who_drew_five_are_still_connected()
    {
        var context = new Drawn(2);
        var links = s_hundred.Nodes.Where(node => node.Value % 2 == 0)
            .SelectMany(node => s_hundred.Draw(context, node, 5).Where(peer => peer.Value % 2 == 0).Select(peer => (node, peer))).ToList();
        HashSet<NodeId> reached = [new(2)];
        for (var size = 0; size < reached.Count;)
        {
            size = reached.Count;
            foreach (var (node, peer) in links)
            {
                if (reached.Contains(node) || reached.Contains(peer))
                {
                    reached.UnionWith([node, peer]);
                }
            }
        }

        Assert.Equal(50, reached.Count);
    }

    private sealed class Drawn(ulong seed) : StepContext
    {
        private readonly SeededRandom _random = new(seed);

        public override int Choose(int count) => _random.Below(count);
    }
}
