using System.Globalization;
using System.Runtime.CompilerServices;
using Synod.Core;
using Xunit;

namespace Synod.Protocols.Tests.Pbft;

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
        var stage = new Quartet(Quartet.Small).Stage(Quartet.X);
        foreach (var line in script.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case "invoke":
                    stage.Submit(Quartet.X, new PbftReplica.Command.Invoke(Counters.Bytes(words[1])));
                    break;
                case "sync":
                    stage.Sync(Node(words[1]));
                    break;
                case "deliver":
                    stage.Deliver(Node(words[1]), Node(words[2]));
                    break;
                case "drop":
                    stage.Drop(Node(words[1]), Node(words[2]));
                    break;
                case "isolate":
                    foreach (var (from, to, _) in stage.Network.ToList())
                    {
                        if (from == Node(words[1]) || to == Node(words[1]))
                        {
                            stage.Drop(from, to);
                        }
                    }

                    break;
                case "crash":
                    stage.Crash(Node(words[1]));
                    break;
                case "fire":
                    stage.Fire(Node(words[1]), (int)Enum.Parse<PbftReplica.Timer>(words[2]));
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
