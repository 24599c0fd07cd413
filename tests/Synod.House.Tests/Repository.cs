using System.Runtime.CompilerServices;

namespace Synod.House.Tests;

/// <summary>The repository's own files, found from where this one was compiled.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>Files under a folder, by path from the root with slashes, in ordinal order; without what a build leaves behind.</summary>
    public static IReadOnlyList<string> Files(string folder, string pattern) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    public static IEnumerable<string> Sources() => Files("src", "*.cs").Concat(Files("tests", "*.cs"));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string Find([CallerFilePath] string source = "")
    {
        var folder = new FileInfo(source).Directory;
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Synod.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"No Synod.slnx above {source}.");
    }
}
