using System.Globalization;
using System.Runtime.CompilerServices;
using Synod.Core;
using Synod.Protocols.Commit;
using Xunit;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

/// <summary>
/// Exact traces of short scripts. A file holds the script, a line of dashes and the trace; <c>SYNOD_REWRITE_TRACES=1</c> writes
/// the traces anew, and the difference is for people to read.
/// </summary>
public sealed class TraceTests
{
    public static TheoryData<string> Files() =>
        [.. Directory.GetFiles(Folder(), "*.txt").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_trace_is_as_written(string name)
    {
        var file = Path.Combine(Folder(), name + ".txt");
        var parts = File.ReadAllText(file).Split("----\n");
        var trace = Play(parts[0]);
        if (Environment.GetEnvironmentVariable("SYNOD_REWRITE_TRACES") == "1")
        {
            File.WriteAllText(file, parts[0] + "----\n" + trace);
            return;
        }

        Assert.Equal(parts[1], trace);
        Assert.Equal(trace, Play(parts[0]));
    }

    private static string Folder([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "Traces");

    private static string Play(string script)
    {
        var stage = new Stage<TwoPhase.Message, TwoPhase.Record, TwoPhase.Command, TwoPhase.Result>(
            node => new TwoPhase(node, TwoPhaseCommitOptions.Default),
            timer => ((TwoPhase.Timer)timer.Kind).ToString(),
            Bank.Coordinator,
            Bank.A,
            Bank.B).Begin();
        foreach (var line in script.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case "begin":
                    stage.Submit(Bank.Coordinator, Bank.Transfer([.. words[1..].Select(Node)]));
                    break;
                case "sync":
                    stage.Sync(Node(words[1]));
                    break;
                case "deliver":
                    stage.Deliver(Node(words[1]), Node(words[2]));
                    break;
                case "delay":
                    stage.Delay(Node(words[1]), Node(words[2]));
                    break;
                case "drop":
                    stage.Drop(Node(words[1]), Node(words[2]));
                    break;
                case "crash":
                    stage.Crash(Node(words[1]));
                    break;
                case "fire":
                    stage.Fire(Node(words[1]), (int)Enum.Parse<TwoPhase.Timer>(words[2]));
                    break;
                case "show":
                    stage.Show(Node(words[1]));
                    break;
                default:
                    Assert.Equal("run", line);
                    stage.Run();
                    break;
            }
        }

        return stage.Trace;
    }

    private static NodeId Node(string name) => new(int.Parse(name.AsSpan(1), CultureInfo.InvariantCulture));
}
