using System.Globalization;
using System.Runtime.CompilerServices;
using Synod.Core;
using Xunit;

namespace Synod.Protocols.Tests;

/// <summary>
/// Exact traces of short scripts, in the folder Traces beside a room's test. A file holds the script, a line of dashes and the trace;
/// <c>SYNOD_REWRITE_TRACES=1</c> writes the traces anew, and the difference is for people to read.
/// </summary>
internal static class GoldenTraces
{
    /// <summary>The names of the files beside <paramref name="source"/>.</summary>
    public static TheoryData<string> Files([CallerFilePath] string source = "") =>
        [.. Directory.GetFiles(Folder(source), "*.txt").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    /// <summary>The script gives the trace as written, and gives it again.</summary>
    public static void Check(string name, Func<string, string> play, [CallerFilePath] string source = "")
    {
        var file = Path.Combine(Folder(source), name + ".txt");
        var parts = File.ReadAllText(file).Split("----\n");
        var trace = play(parts[0]);
        if (Environment.GetEnvironmentVariable("SYNOD_REWRITE_TRACES") == "1")
        {
            File.WriteAllText(file, parts[0] + "----\n" + trace);
            return;
        }

        Assert.Equal(parts[1], trace);
        Assert.Equal(trace, play(parts[0]));
    }

    /// <summary>
    /// Plays a script line by line; <paramref name="own"/> takes the room's own lines and says whether it knew one. The names of the
    /// room's timers are those that scripts use.
    /// </summary>
    public static string Play<TMessage, TRecord, TCommand, TResult, TTimer>(
        Stage<TMessage, TRecord, TCommand, TResult> stage, string script, Func<string[], bool> own)
        where TMessage : notnull
        where TTimer : struct, Enum
    {
        foreach (var line in script.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case "sync":
                    stage.Sync(Node(words[1]));
                    break;
                case "deliver":
                    stage.Deliver(Node(words[1]), Node(words[2]));
                    break;
                case "drop":
                    stage.Drop(Node(words[1]), Node(words[2]));
                    break;
                case "crash":
                    stage.Crash(Node(words[1]));
                    break;
                case "fire":
                    stage.Fire(Node(words[1]), Convert.ToInt32(Enum.Parse<TTimer>(words[2]), CultureInfo.InvariantCulture));
                    break;
                case "show":
                    stage.Show(Node(words[1]));
                    break;
                case "run":
                    stage.Run();
                    break;
                default:
                    Assert.True(own(words), $"Nobody knows the line '{line}'.");
                    break;
            }
        }

        return stage.Trace;
    }

    /// <summary>The node that a script calls by <paramref name="name"/>: a letter and its number.</summary>
    public static NodeId Node(string name) => new(int.Parse(name.AsSpan(1), CultureInfo.InvariantCulture));

    private static string Folder(string source) => Path.Combine(Path.GetDirectoryName(source)!, "Traces");
}
