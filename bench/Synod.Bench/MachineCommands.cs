using System.CommandLine;
using Synod.Bench.Idle;
using Synod.Bench.Limits;

namespace Synod.Bench;

/// <summary>Measurements without a peer.</summary>
internal static class MachineCommands
{
    public static Command Idle()
    {
        var synod = Flags.List("--synod", "Client addresses of a Synod cluster, as host:port.");
        var processes = Flags.Numbers("--processes", [], "Process ids of its nodes.");
        var ranges = Flags.Number("--ranges", 1_000, "Ranges to cut the key space into.");
        var settle = Flags.Real("--settle", 10, "Seconds to wait before each measurement.");
        var seconds = Flags.Real("--seconds", 30, "Seconds of each measurement.");
        var command = new Command("idle", "What ranges cost that nobody uses.")
        {
            synod, processes, ranges, settle, seconds, Flags.Json,
        };
        command.SetAction(async (parsed, _) =>
        {
            var report = await IdleRanges.MeasureAsync(
                parsed.GetValue(synod)!, parsed.GetValue(processes)!, parsed.GetValue(ranges),
                TimeSpan.FromSeconds(parsed.GetValue(settle)), TimeSpan.FromSeconds(parsed.GetValue(seconds)), Console.Error);
            Flags.Print(parsed, report.Write, report.ToJson);
        });
        return command;
    }

    public static Command Limits()
    {
        var folder = new Option<string>("--folder") { Description = "Where to write.", DefaultValueFactory = _ => "/var/tmp" };
        var seconds = Flags.Real("--seconds", 5, "Seconds of each measurement.");
        var command = new Command("limits", "What the disk and the loopback can do at best.") { folder, seconds, Flags.Json };
        command.SetAction(parsed =>
        {
            var duration = TimeSpan.FromSeconds(parsed.GetValue(seconds));
            var report = new LimitsReport([RawDisk.Measure(parsed.GetValue(folder)!, duration), RawLoopback.Measure(duration)]);
            Flags.Print(parsed, report.Write, report.ToJson);
        });
        return command;
    }
}
