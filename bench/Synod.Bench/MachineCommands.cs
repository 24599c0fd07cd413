using System.CommandLine;
using System.Text.Json.Nodes;
using Synod.Bench.Idle;
using Synod.Bench.Limits;
using Synod.Bench.Micro;
using Synod.Bench.Rooms;

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

    public static Command Rooms()
    {
        var only = new Option<string>("--only") { Description = "Part of the names of those to measure.", DefaultValueFactory = _ => "" };
        var command = new Command("rooms", "What a decision costs in each protocol's room, in memory.") { only, Flags.Json };
        command.SetAction(parsed =>
        {
            var report = RoomsReport.Measure(parsed.GetValue(only)!, Console.Error);
            Flags.Print(parsed, report.Write, report.ToJson);
        });
        return command;
    }

    public static Command Micro()
    {
        var seeds = Flags.Number("--seeds", 10, "Seeds that the simulator runs; 0 leaves it out.");
        var command = new Command("micro", "What the parts cost by themselves, and how fast the simulator is.") { seeds, Flags.Json };
        command.SetAction(parsed =>
        {
            var results = Parts.MeasureAll();
            var count = parsed.GetValue(seeds);
            var (speed, events) = count > 0 ? Parts.Simulator(count) : default;
            Flags.Print(
                parsed,
                output =>
                {
                    MicroResult.Write(results, output);
                    if (count > 0)
                    {
                        output.WriteLine();
                        output.WriteLine($"Simulator, bank under faults, {count} seeds: {speed:N0} simulated seconds and {events:N0} events per second of one core");
                    }
                },
                () =>
                {
                    var json = MicroResult.ToJson(results);
                    json["simulated_seconds_per_second"] = count > 0 ? JsonValue.Create(Math.Round(speed, 1)) : null;
                    return json;
                });
        });
        return command;
    }
}
