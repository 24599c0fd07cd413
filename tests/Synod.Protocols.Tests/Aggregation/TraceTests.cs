using System.Globalization;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.Aggregation;

using Process = Synod.Protocols.Gossip.Aggregation;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script)
    {
        var stage = Sum.Stage();
        return Play<Process.Message, Process.Record, Process.Command, Process.Result, Process.Timer>(stage, script, words =>
        {
            switch (words[0])
            {
                case "observe":
                    stage.Submit(Node(words[1]), Sum.Observe([.. words[2..].Select(word => long.Parse(word, CultureInfo.InvariantCulture))]));
                    return true;
                default:
                    return false;
            }
        });
    }
}
