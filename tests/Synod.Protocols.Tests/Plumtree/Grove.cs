using System.Text;
using Synod.Core;
using Synod.Protocols.Gossip;

namespace Synod.Protocols.Tests.Plumtree;

using Play = Stage<Synod.Protocols.Gossip.Plumtree.Message, RumorRecord, RumorCommand, RumorResult>;
using Tree = Synod.Protocols.Gossip.Plumtree;

/// <summary>A few neighbours, each beside each unless a test says who.</summary>
internal static class Grove
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public static readonly NodeId D = new(4);
    public const int Batch = (int)Tree.Timer.Batch;
    public const int Graft = (int)Tree.Timer.Graft;
    public const int Expire = (int)Tree.Timer.Expire;

    public static PlumtreeOptions Options { get; } = new() { MostMissing = 2, MostAnnounced = 4, Limits = new RumorLimits { MostBodyBytes = 32 } };

    public static RumorId Id(NodeId origin, long counter = 1) => new(origin, counter);

    public static Rumor Rumor(NodeId origin, long counter, string body) => new(Id(origin, counter), Encoding.ASCII.GetBytes(body));

    public static RumorCommand Spread(string body) => new RumorCommand.Spread(Encoding.ASCII.GetBytes(body));

    public static Tree.Message IHave(params Tree.Announced[] ids) => new Tree.Message.IHave([.. ids], false);

    /// <summary>Nodes 1 to <paramref name="nodes"/>, after their greetings.</summary>
    public static Play Stage(int nodes, PlumtreeOptions? options = null, Func<NodeId, PeerView>? beside = null)
    {
        NodeId[] all = [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))];
        var play = new Play(
            node => new Tree(node, options ?? Options, beside?.Invoke(node) ?? PeerView.Of(all)), timer => ((Tree.Timer)timer.Kind).ToString(), all).Begin();
        play.Run();
        return play;
    }

    public static Tree At(this Play play, NodeId node) => (Tree)play[node];

    public static string[] Heard(this Play play, NodeId node) =>
        [.. play.Executions(node).Select(executed => ((RumorCommand.Learn)executed.Command).Rumor.ToString())];
}
