using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Synod.Bench;

/// <summary>The kinds of flags, and the one way to print.</summary>
internal static class Flags
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Option<bool> Json { get; } = new("--json") { Description = "One JSON object instead of tables." };

    /// <summary>Several values in one, separated by commas; connection strings by bars.</summary>
    public static Option<string[]> List(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result => result.Tokens.SelectMany(token =>
            token.Value.Split(token.Value.Contains('=') ? '|' : ',', StringSplitOptions.RemoveEmptyEntries)).ToArray(),
    };

    public static Option<int[]> Numbers(string name, int[] otherwise, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => result.Tokens.SelectMany(token => token.Value.Split(',')).Select(int.Parse).ToArray(),
    };

    public static Option<int> Number(string name, int otherwise, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => otherwise };

    public static Option<double> Real(string name, double otherwise, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => otherwise };

    public static void Print(ParseResult parsed, Action<TextWriter> write, Func<JsonObject> toJson)
    {
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(toJson().ToJsonString(Indented));
        }
        else
        {
            write(Console.Out);
        }
    }
}
