using System.Text;
using Synod.Core;
using Synod.Protocols.Gossip;

namespace Synod.Protocols.Tests.Rumors;

using Message = Synod.Protocols.Gossip.Rumors.Message;
using Mongering = Synod.Protocols.Gossip.Rumors;
using Play = Stage<Synod.Protocols.Gossip.Rumors.Message, RumorRecord, RumorCommand, RumorResult>;

/// <summary>A few nodes that gossip. On a stage choices are zero, so that each contacts the first of the others.</summary>
internal static class Town
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public static readonly NodeId D = new(4);
    public const int Round = (int)Mongering.Timer.Round;

    /// <summary>The first rumor of a node.</summary>
    public static RumorId First(NodeId origin) => new(origin, 1);

    public static Rumor Rumor(NodeId origin, long counter, string body) => new(new RumorId(origin, counter), Body(body));

    public static byte[] Body(string text) => Encoding.ASCII.GetBytes(text);

    public static RumorCommand Spread(string body) => new RumorCommand.Spread(Body(body));

    public static RumorOptions Options(RumorStyle style = RumorStyle.Push, InterestLoss loss = InterestLoss.FeedbackCounter, int k = 2) => new()
    {
        Style = style, Loss = loss, K = k, MostBytes = 120, Limits = new RumorLimits { MostBodyBytes = 32, MostRanges = 3 },
    };

    public static Play Stage(RumorOptions options, int nodes = 3)
    {
        NodeId[] all = [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))];
        return new Play(node => new Mongering(node, options, PeerView.Of(all)), _ => "Round", all).Begin();
    }

    public static Mongering At(this Play play, NodeId node) => (Mongering)play[node];

    /// <summary>The rumors that a node was handed, as text.</summary>
    public static string[] Heard(this Play play, NodeId node) =>
        [.. play.Executions(node).Select(executed => ((RumorCommand.Learn)executed.Command).Rumor.ToString())];

    /// <summary>A push that nobody sent.</summary>
    public static Message Push(params Rumor[] rumors) => new Message.Push(77, [.. rumors]);
}
