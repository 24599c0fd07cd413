using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Scripts begin with the rule set.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script)
    {
        var group = HotStuffGroup.Of(4, HotStuffGroup.Rules(script.Split('\n')[0].Split(' ')[1]));
        var stage = group.Stage();
        return Play<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result, HotStuff.Timer>(
            stage,
            script,
            words =>
            {
                switch (words[0])
                {
                    case "rules":
                        return true;
                    case "submit":
                        stage.Submit(Node(words[1]), group.Command(words[2]));
                        return true;
                    case "isolate":
                        foreach (var (from, to, _) in stage.Network.ToList())
                        {
                            if (from != to && (from == Node(words[1]) || to == Node(words[1])))
                            {
                                stage.Drop(from, to);
                            }
                        }

                        return true;
                    default:
                        return false;
                }
            });
    }
}
