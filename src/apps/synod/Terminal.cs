using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Spectre.Console;
using Synod.Client;
using Synod.Hosting;
using Synod.Node;
using Synod.Storage;

namespace Synod.App;

/// <summary>Where results, errors and progress go: results to standard output, everything else to standard error.</summary>
internal static partial class Terminal
{
    private static readonly JsonSerializerOptions Compact = new()
    {
        WriteIndented = false,

        // No page has it: messages are to be read as they are.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Progress and talk, so that a piped standard output holds nothing but the result.</summary>
    public static IAnsiConsole Talk { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>The result, for people.</summary>
    public static IAnsiConsole Out { get; } = Wide();

    /// <summary>The result, for programs: one object on one line.</summary>
    public static void Json(JsonNode value) => Console.Out.WriteLine(value.ToJsonString(Compact));

    /// <summary>Runs a command and turns what stops it into a message and an exit code.</summary>
    public static Task<int> RunAsync(Func<Task<int>> command) => RunAsync(command, static _ => { });

    /// <summary>The same for a command whose verdict a program reads: it gets one also if the command did not come that far.</summary>
    public static Task<int> JudgedAsync(bool json, Func<Task<int>> command) => RunAsync(command, error =>
    {
        if (json)
        {
            Json(new JsonObject { ["ok"] = false, ["error"] = error });
        }
    });

    private static async Task<int> RunAsync(Func<Task<int>> command, Action<string> stopped)
    {
        var (code, lines) = (ExitCodes.Failed, (IReadOnlyList<string>)["Interrupted."]);
        try
        {
            return await command();
        }
        catch (OperationCanceledException)
        {
        }
        catch (SynodConfigurationException problems)
        {
            (code, lines) = (ExitCodes.Usage, problems.Problems);
        }
        catch (Exception failure)
        {
            (code, lines) = (CodeOf(failure), [WithoutParameter(failure)]);
        }

        stopped(string.Join('\n', lines));
        return Fail(code, [.. lines]);
    }

    /// <summary>Says a parser's complaints in the words of who typed, not of who programmed, and where to read on.</summary>
    public static int Misused(ParseResult parsed, string complaints)
    {
        var words = ExpectedType().Replace(complaints, match => match.Groups[1].Value switch
        {
            nameof(Double) => "as a number",
            nameof(Int32) => $"as a whole number up to {int.MaxValue:N0}",
            nameof(Int64) => $"as a whole number up to {long.MaxValue:N0}",
            nameof(UInt64) => $"as a whole number from 0 to {ulong.MaxValue:N0}",
            _ => "as what it takes",
        });
        var command = string.Join(' ', Path(parsed.CommandResult).Reverse());
        return Fail(ExitCodes.Usage, [.. words.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), $"'{command} --help' says what it takes."]);

        static IEnumerable<string> Path(SymbolResult? result)
        {
            for (; result is CommandResult command; result = command.Parent)
            {
                yield return command.Command.Name;
            }
        }
    }

    /// <summary>Says what went wrong, in one piece whoever else talks.</summary>
    public static int Fail(int code, params ReadOnlySpan<string> lines)
    {
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"synod: {line}\n");
        }

        Console.Error.Write(text);
        return code;
    }

    /// <summary>A file or a pipe has no width of its own: tables are not folded into 80 columns there.</summary>
    private static IAnsiConsole Wide()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        console.Profile.Width = Console.IsOutputRedirected ? 200 : console.Profile.Width;
        return console;
    }

    /// <summary>An argument's name in the code tells a user of the command nothing.</summary>
    private static string WithoutParameter(Exception failure) => failure is ArgumentException { ParamName: { } name }
        ? failure.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
        : failure.Message;

    private static int CodeOf(Exception failure) => failure switch
    {
        ConfigurationRefused or ArgumentException => ExitCodes.Usage,
        SynodUnavailableException => ExitCodes.Unavailable,
        NotCommittedException { Result.Outcome: TransactionOutcome.Unknown } => ExitCodes.Unknown,
        StorageRefusal or StorageFailure => ExitCodes.Storage,
        SynodException or IOException or InvalidOperationException or UnauthorizedAccessException => ExitCodes.Failed,
        _ => Unforeseen(failure),
    };

    private static int Unforeseen(Exception failure)
    {
        Talk.WriteException(failure, ExceptionFormats.ShortenPaths);
        return ExitCodes.Failed;
    }

    [GeneratedRegex(@"as expected type '[^']*System\.(\w+)[^']*'")]
    private static partial Regex ExpectedType();
}
