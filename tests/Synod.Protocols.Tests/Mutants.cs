using Synod.Lab.Hunts;
using Xunit;

namespace Synod.Protocols.Tests;

/// <summary>What a room's list of known mistakes must show: random worlds find each, and none of its mutations is left out.</summary>
internal static class Mutants
{
    public static void Find(IReadOnlyList<RoomBug> bugs, string name, ulong seeds, ITestOutputHelper output)
    {
        var bug = bugs.Single(item => item.Name == name);
        for (var seed = 0ul; seed < seeds; seed++)
        {
            if (bug.Run(seed) is { } failure)
            {
                output.WriteLine($"{seed}: {failure.Message}");
                return;
            }
        }

        Assert.Fail("no world shows it");
    }

    /// <summary>The names of bugs are those of mutations, after the room's; some are found by the explorer only.</summary>
    public static void AllHunted<T>(IReadOnlyList<RoomBug> bugs, params IEnumerable<T> explored)
        where T : struct, Enum => Assert.Empty(Enum.GetNames<T>().Where(name => name != "None").Except(explored.Select(mutation => $"{mutation}")).Except(
            bugs.Select(bug => bug.Name[(bug.Name.IndexOf('-', StringComparison.Ordinal) + 1)..].Replace("-", "", StringComparison.Ordinal)),
            StringComparer.OrdinalIgnoreCase));
}
