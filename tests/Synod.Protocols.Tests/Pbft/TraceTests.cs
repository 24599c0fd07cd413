using Synod.Lab.Worlds;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.Pbft;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script)
    {
        var stage = new Quartet(Quartet.Small).Stage(Quartet.X);
        return Play<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result, PbftReplica.Timer>(
            stage,
            script,
            words =>
            {
                switch (words[0])
                {
                    case "invoke":
                        stage.Submit(Quartet.X, new PbftReplica.Command.Invoke(Counters.Bytes(words[1])));
                        return true;
                    case "isolate":
                        foreach (var (from, to, _) in stage.Network.ToList())
                        {
                            if (from == Node(words[1]) || to == Node(words[1]))
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
