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
    private static readonly JsonSerializerOptions Compact = new() { WriteIndented = false };

    /// <summary>Progress and talk, so that a piped standard output holds nothing but the result.</summary>
    public static IAnsiConsole Talk { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>The result, for people.</summary>
    public static IAnsiConsole Out { get; } = Wide();

    /// <summary>The result, for programs: one object on one line.</summary>
    public static void Json(JsonNode value) => Console.Out.WriteLine(value.ToJsonString(Compact));

    /// <summary>Runs a command and turns what stops it into a message and an exit code.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (OperationCanceledException)
        {
            return Fail(ExitCodes.Failed, "Interrupted.");
        }
        catch (SynodConfigurationException problems)
        {
            return Fail(ExitCodes.Usage, [.. problems.Problems]);
        }
        catch (Exception failure)
        {
            return Fail(CodeOf(failure), WithoutParameter(failure));
        }
    }

    /// <summary>A parser's complaint in the words of who typed, not of who programmed.</summary>
    public static string WithoutTypes(string complaint) => ExpectedType().Replace(complaint, match => match.Value switch
    {
        var type when type.Contains("Double", StringComparison.Ordinal) => "as a number",
        var type when type.Contains("Int", StringComparison.Ordinal) => "as a whole number",
        _ => "as what it takes",
    });

    /// <summary>Says what went wrong.</summary>
    public static int Fail(int code, params ReadOnlySpan<string> lines)
    {
        foreach (var line in lines)
        {
            Console.Error.WriteLine($"synod: {line}");
        }

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

    [GeneratedRegex("as expected type '[^']*'")]
    private static partial Regex ExpectedType();
}
