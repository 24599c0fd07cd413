using Synod.Lab.Hunts;

namespace Synod.Lab.Tests.Hunts;

/// <summary>What a room's list of known mistakes promises: each is caught within a few seeds.</summary>
internal static class Caught
{
    public static void Within(int seeds, IReadOnlyList<RoomBug> bugs, string name)
    {
        var bug = bugs.Single(bug => bug.Name == name);
        var seed = Enumerable.Range(1, seeds).FirstOrDefault(seed => bug.Run((ulong)seed) is not null);
        Assert.True(seed > 0, $"{name} is not caught within {seeds} seeds");
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: seed {seed}: {bug.Run((ulong)seed)!.Invariant}");
    }
}
