using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.ChandyLamport;

using Process = Snapshots.ChandyLamport;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, script => Play(name, script));

    private static string Play(string name, string script)
    {
        var stage = Branches.Stage(
            Branches.Mesh, name.StartsWith("unordered", StringComparison.Ordinal) ? ChannelOrder.Unordered : ChannelOrder.Fifo);
        return Play<Process.Message, Process.Record, Process.Command, Process.Result, Process.Timer>(
            stage,
            script,
            words =>
            {
                switch (words[0])
                {
                    case "begin":
                        stage.Submit(Node(words[1]), Branches.Begin);
                        return true;
                    case "transfer":
                        stage.Submit(Node(words[1]), Branches.Transfer(long.Parse(words[3], System.Globalization.CultureInfo.InvariantCulture), Node(words[2])));
                        return true;
                    case "restore":
                        stage.Submit(Node(words[1]), new Process.Command.Restore(stage.At(Node(words[2])).Latest!));
                        return true;
                    case "delay":
                        stage.Delay(Node(words[1]), Node(words[2]));
                        return true;
                    default:
                        return false;
                }
            });
    }
}
