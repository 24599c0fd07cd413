using System.CommandLine;

namespace Synod.App;

/// <summary>Files that commands are told to write.</summary>
internal static class OutputFile
{
    /// <summary>To be called before the work whose result the file is for: it may take long.</summary>
    /// <exception cref="ArgumentException">An option is given a path at which there can be no file.</exception>
    public static void Check(ParseResult parsed, params ReadOnlySpan<Option<string?>> options)
    {
        foreach (var option in options)
        {
            if (parsed.GetValue(option) is not { } file)
            {
                continue;
            }

            var folder = Path.GetDirectoryName(file);
            var problem = file.Length == 0 ? "it is empty"
                : Directory.Exists(file) ? "it is a folder"
                : folder is { Length: > 0 } && !Directory.Exists(folder) ? $"there is no folder '{folder}'"
                : null;
            if (problem is not null)
            {
                throw new ArgumentException(
                    $"{option.Name} '{file}' cannot be written: {problem}. Nothing was started. Name a file in a folder that exists.");
            }
        }
    }

    /// <exception cref="ArgumentException">It may not be written.</exception>
    public static StreamWriter Create(string file)
    {
        try
        {
            return new StreamWriter(file);
        }
        catch (Exception refusal) when (refusal is UnauthorizedAccessException or IOException)
        {
            throw new ArgumentException($"'{file}' cannot be written: {refusal.Message} Name a file that may be written.", refusal);
        }
    }

    /// <inheritdoc cref="Create"/>
    public static void Write(string file, string text)
    {
        using var writer = Create(file);
        writer.Write(text);
    }
}
