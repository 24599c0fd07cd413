using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Synod.App;

/// <summary>Which numbers or words an option or argument takes. Its help says so, and any other is refused before anything starts.</summary>
internal static class Bounds
{
    /// <summary>The longest that anything is measured, simulated or waited for, in seconds.</summary>
    public const double Day = 86_400;

    public static Option<T> Between<T>(this Option<T> option, T least, T most)
        where T : struct, INumber<T>
    {
        option.Description += Span(least, most);
        option.CustomParser = result => Parse(result, result.Tokens[0], option.Name, least, most) ?? default;
        return option;
    }

    public static Option<T?> Between<T>(this Option<T?> option, T least, T most)
        where T : struct, INumber<T>
    {
        option.Description += Span(least, most);
        option.CustomParser = result => Parse(result, result.Tokens[0], option.Name, least, most);
        return option;
    }

    public static Option<T[]> Between<T>(this Option<T[]> option, T least, T most)
        where T : struct, INumber<T>
    {
        option.Description += Span(least, most);
        option.CustomParser = result => [.. result.Tokens.Select(token => Parse(result, token, option.Name, least, most)).OfType<T>()];
        return option;
    }

    public static Argument<T> Between<T>(this Argument<T> argument, T least, T most)
        where T : struct, INumber<T>
    {
        argument.Description += Span(least, most);
        argument.CustomParser = result => Parse(result, result.Tokens[0], $"<{argument.Name}>", least, most) ?? default;
        return argument;
    }

    /// <summary>Takes one of some words.</summary>
    public static Option<string> Among(this Option<string> option, params string[] words)
    {
        option.Description += $" One of: {string.Join(", ", words)}.";
        option.CompletionSources.Clear();
        option.CompletionSources.Add(words);
        option.CustomParser = result =>
        {
            var word = result.Tokens[0].Value;
            if (!words.Contains(word))
            {
                result.AddError($"{option.Name} takes {string.Join(" or ", words)}, not '{word}'.");
            }

            return word;
        };
        return option;
    }

    private static T? Parse<T>(ArgumentResult result, Token token, string name, T least, T most)
        where T : struct, INumber<T>
    {
        var text = token.Value;
        if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }

        var kind = typeof(T) == typeof(double) ? "a number" : "a whole number";
        result.AddError($"{name} takes {kind} from {Text(least)} to {Text(most)}, not '{text}'.");
        return null;
    }

    private static string Span<T>(T least, T most)
        where T : INumber<T> => $" From {Text(least)} to {Text(most)}.";

    private static string Text<T>(T value)
        where T : INumber<T> => value.ToString("#,0.###", CultureInfo.InvariantCulture);
}
