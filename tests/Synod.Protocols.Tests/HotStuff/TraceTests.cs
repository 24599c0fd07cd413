using System.Globalization;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Scripts begin with the rule set, and perhaps for how many views a leader stays and after how many blocks checkpoints are due.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script)
    {
        var setting = script.Split('\n')[0].Split(' ');
        var group = HotStuffGroup.Of(4, HotStuffGroup.Rules(setting[1]), setting.Length > 2 ? Number(setting[2]) : 1).With(options => options with
        {
            CheckpointPeriod = setting.Length > 3 ? Number(setting[3]) : options.CheckpointPeriod,
            PageSize = 128,
        });
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
                        stage.Submit(Node(words[1]), group.Command(words[2], words.Length > 3 ? Number(words[3]) : 1));
                        return true;
                    case "run-without":
                        stage.Run(Node(words[1]));
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

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
}
