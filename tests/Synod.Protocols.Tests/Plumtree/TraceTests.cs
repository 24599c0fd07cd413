using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.Plumtree;

using Tree = Synod.Protocols.Gossip.Plumtree;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script)
    {
        var stage = Grove.Stage(4);
        return Play<Tree.Message, RumorRecord, RumorCommand, RumorResult, Tree.Timer>(stage, script, words =>
        {
            switch (words[0])
            {
                case "spread":
                    stage.Submit(Node(words[1]), Grove.Spread(words[2]));
                    return true;
                case "meet":
                    stage.Submit(Node(words[1]), new RumorCommand.Meet(PeerView.Of(words[2..].Select(Node))));
                    return true;
                default:
                    return false;
            }
        });
    }
}
