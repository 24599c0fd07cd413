using Xunit;

namespace Synod.House.Tests;

/// <summary>What keeps rooms small and sources clean.</summary>
public sealed class SourceTests
{
    private const int MaxLines = 400;

    [Fact]
    public void A_source_file_holds_one_idea_in_at_most_400_lines()
    {
        foreach (var file in Repository.Sources())
        {
            var lines = Repository.Read(file).Count(character => character == '\n');
            Assert.True(lines <= MaxLines, $"{file} has {lines} lines, {MaxLines} are allowed.");
        }
    }

    [Fact]
    public void Every_protocol_room_has_a_readme()
    {
        var rooms = Repository.Files("src/Synod.Protocols", "*.cs").Select(file => file.Split('/'))
            .Where(parts => parts.Length > 4).Select(parts => string.Join('/', parts[..4])).Distinct();
        Assert.All(rooms, room => Assert.True(File.Exists(Path.Combine(Repository.Root, room, "README.md")), $"{room} has no README.md."));
    }

    [Theory]
    [InlineData("src", "TO" + "DO")]
    [InlineData("tests", "TO" + "DO")]
    [InlineData("src", "FIX" + "ME")]
    [InlineData("src", "/tmp" + "/")]
    [InlineData("src/Synod.Client", "ConfigureAwait(false)")]
    [InlineData("src/Synod.Client", "Task.Run(")]
    [InlineData("src/Synod.Client", "Random.Shared")]
    [InlineData("src/Synod.Workloads", "ConfigureAwait(false)")]
    [InlineData("src/Synod.Workloads", "Task.Run(")]
    [InlineData("src/Synod.Workloads", "Random.Shared")]
    [InlineData("tests", "Thread." + "Sleep")]
    public void Some_words_do_not_occur(string folder, string word) => Assert.DoesNotContain(
        Repository.Files(folder, "*.cs").Where(file => !file.EndsWith(nameof(SourceTests) + ".cs", StringComparison.Ordinal)),
        file => Repository.Read(file).Contains(word, StringComparison.Ordinal));

    [Fact]
    public void A_type_is_named_for_what_it_is() => Assert.DoesNotContain(
        Repository.Files("src", "*.cs"),
        file => new[] { "Helper", "Manager", "Util", "Utils", "Impl", "Base" }.Any(
            word => Path.GetFileNameWithoutExtension(file).EndsWith(word, StringComparison.Ordinal)));
}
