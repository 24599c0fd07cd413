using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.Rumors;

using Mongering = Synod.Protocols.Gossip.Rumors;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, script => Play(name, script));

    private static string Play(string name, string script)
    {
        var style = name.StartsWith("pull", StringComparison.Ordinal) ? RumorStyle.PushPull : RumorStyle.Push;
        var stage = Town.Stage(Town.Options(style, k: 1));
        return Play<Mongering.Message, RumorRecord, RumorCommand, RumorResult, Mongering.Timer>(stage, script, words =>
        {
            switch (words[0])
            {
                case "spread":
                    stage.Submit(Node(words[1]), Town.Spread(words[2]));
                    return true;
                case "found":
                    stage.Submit(Node(words[1]), new RumorCommand.Learn(Town.Rumor(Node(words[2]), 9, words[3])));
                    return true;
                default:
                    return false;
            }
        });
    }
}
