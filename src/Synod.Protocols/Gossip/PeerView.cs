using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// The nodes that gossip goes to, as membership sees them now: an input, like time. Thousands of nodes may share one view, which never
/// changes; whoever holds it may be in it, and is left out of draws.
/// </summary>
public sealed class PeerView
{
    private PeerView(ImmutableArray<NodeId> nodes, bool isWhole)
    {
        Nodes = nodes;
        IsWhole = isWhole;
    }

    /// <summary>Nobody.</summary>
    public static PeerView Empty { get; } = new([], true);

    /// <summary>In ascending order, each once.</summary>
    public ImmutableArray<NodeId> Nodes { get; }

    /// <summary>Whether these are all members, so that whoever is not among them is a stranger. A partial view knows no strangers.</summary>
    public bool IsWhole { get; }

    /// <param name="nodes">In any order.</param>
    /// <param name="isWhole">Whether they are all members.</param>
    public static PeerView Of(IEnumerable<NodeId> nodes, bool isWhole = true) => new([.. nodes.Distinct().Order()], isWhole);

    /// <summary>Whether <paramref name="node"/> is in the view.</summary>
    public bool Contains(NodeId node) => Nodes.BinarySearch(node) >= 0;

    /// <summary>
    /// Draws <paramref name="count"/> different nodes other than <paramref name="self"/>, each as likely as any other; all of them if
    /// there are no more (gossip.md §9: the figures rest on uniform draws).
    /// </summary>
    public ImmutableArray<NodeId> Draw(StepContext context, NodeId self, int count)
    {
        List<int> taken = [];
        if (Nodes.BinarySearch(self) is >= 0 and var own)
        {
            taken.Add(own);
        }

        var drawn = ImmutableArray.CreateBuilder<NodeId>(Math.Min(count, Nodes.Length));
        while (drawn.Count < count && taken.Count < Nodes.Length)
        {
            var index = context.Choose(Nodes.Length - taken.Count);
            var before = 0;
            while (before < taken.Count && taken[before] <= index)
            {
                index++;
                before++;
            }

            taken.Insert(before, index);
            drawn.Add(Nodes[index]);
        }

        return drawn.ToImmutable();
    }

    public override string ToString() => Nodes.Length <= 8 ? $"{{{string.Join(",", Nodes)}}}" : $"{{{Nodes.Length} nodes}}";

    /// <summary>The binary form.</summary>
    public sealed class Wire : IWire<PeerView>
    {
        public void Write(CodecWriter writer, PeerView value)
        {
            writer.Bool(value.IsWhole);
            writer.Many(value.Nodes, static (w, node) => w.Node(node));
        }

        public PeerView Read(ref CodecReader reader)
        {
            var isWhole = reader.Bool();
            return Of(reader.Many(static (ref reader) => reader.Node()), isWhole);
        }
    }
}
