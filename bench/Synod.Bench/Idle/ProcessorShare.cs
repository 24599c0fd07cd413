using System.Diagnostics;
using System.Globalization;

namespace Synod.Bench.Idle;

/// <summary>How much of one core a process used over a time, from the kernel's own accounts.</summary>
internal static class ProcessorShare
{
    // USER_HZ, which is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;
    private const int UserTicks = 11;
    private const int SystemTicks = 12;

    /// <summary>The shares of a core that <paramref name="processes"/> use during <paramref name="duration"/>; 1 is a whole core.</summary>
    public static async Task<double[]> MeasureAsync(IReadOnlyList<int> processes, TimeSpan duration)
    {
        var before = processes.Select(Ticks).ToArray();
        var began = Stopwatch.GetTimestamp();
        await Task.Delay(duration);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return [.. processes.Select((process, index) => (Ticks(process) - before[index]) / TicksPerSecond / seconds)];
    }

    private static long Ticks(int process)
    {
        var line = File.ReadAllText($"/proc/{process}/stat");

        // The command's name may hold blanks and parentheses; what follows its last parenthesis does not.
        var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[UserTicks], CultureInfo.InvariantCulture)
            + long.Parse(fields[SystemTicks], CultureInfo.InvariantCulture);
    }
}
