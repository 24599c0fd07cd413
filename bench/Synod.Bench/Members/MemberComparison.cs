using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Text.Json.Nodes;
using Synod.Bench.Reports;

namespace Synod.Bench.Members;

/// <summary>A side of the comparison: its name, and the command that starts a process of its members.</summary>
internal sealed record MemberSide(string Name, IReadOnlyList<string> Agent);

/// <summary>What was measured of one side with one number of members. Times in milliseconds; -1 for never.</summary>
internal sealed record MemberFigures(string Side, int Members, double[] Joins, double[] Deaths, double Packets, double Bytes)
{
    public override string ToString() => FormattableString.Invariant(
        $"joins {string.Join(' ', Joins)} ms, deaths {string.Join(' ', Deaths)} ms, {Packets:F2} packets and {Bytes:F0} bytes per member and second");
}

/// <summary>What starved members did to a side: how often a living one was suspected, and declared dead, by anyone.</summary>
internal sealed record StarvedFigures(string Side, string Kind, double Suspicions, double HealthyDeaths, double StarvedDeaths);

/// <summary>Join, silent death, traffic and false alarms of members on this machine, each side in turn under the same settings.</summary>
internal sealed class MemberComparison(IReadOnlyList<MemberSide> sides, string key, int rounds, double seconds, TextWriter progress)
{
    private const int Healthy = 24;
    private const int Starved = 8;
    private const int Seed = 7;

    // Below those that the kernel gives to connections.
    private const int FirstPort = 10_000;
    private const int LastPort = 32_000;

    private readonly List<MemberFigures> _figures = [];
    private readonly List<StarvedFigures> _starved = [];
    private int _port = FirstPort;

    public async Task MeasureAsync(IReadOnlyList<int> sizes, double starvedSeconds)
    {
        foreach (var size in sizes)
        {
            foreach (var side in sides)
            {
                await progress.WriteLineAsync($"  {side.Name}, {size} members");
                _figures.Add(await MeasureAsync(side, size));
                await progress.WriteLineAsync($"    {_figures[^1]}");
            }
        }

        if (starvedSeconds > 0)
        {
            foreach (var side in sides)
            {
                await progress.WriteLineAsync($"  {side.Name}, {Starved} of {Healthy + Starved} members starved");
                _starved.Add(await StarveAsync(side, "stopped now and then", starvedSeconds, StopNowAndThenAsync));
                _starved.Add(await StarveAsync(side, "busy machine", starvedSeconds, KeepBusyAsync));
                await progress.WriteLineAsync($"    {_starved[^2]}, {_starved[^1]}");
            }
        }
    }

    public void Write(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Members on one machine; joins and silent deaths until every other member knows, in seconds; traffic while nothing happens");
        var table = new TextTable("side", "members", "joins", "deaths", "packets/member/s", "bytes/member/s");
        foreach (var row in _figures)
        {
            table.Add(row.Side, $"{row.Members}", Seconds(row.Joins), Seconds(row.Deaths), Text(row.Packets), Text(row.Bytes));
        }

        table.Write(output);
        output.WriteLine();
        output.WriteLine($"False alarms, {Healthy} members in one process and {Starved} in another");
        var alarms = new TextTable("side", "starved", "suspicions", "healthy declared dead", "starved declared dead");
        foreach (var row in _starved)
        {
            alarms.Add(row.Side, row.Kind, Text(row.Suspicions), Text(row.HealthyDeaths), Text(row.StarvedDeaths));
        }

        alarms.Write(output);
    }

    public JsonObject ToJson() => new()
    {
        ["members"] = new JsonArray([.. _figures.Select(row => new JsonObject
        {
            ["side"] = row.Side,
            ["members"] = row.Members,
            ["join_ms"] = new JsonArray([.. row.Joins.Select(time => JsonValue.Create(time))]),
            ["death_ms"] = new JsonArray([.. row.Deaths.Select(time => JsonValue.Create(time))]),
            ["packets_per_second"] = row.Packets,
            ["bytes_per_second"] = row.Bytes,
        })]),
        ["starved"] = new JsonArray([.. _starved.Select(row => new JsonObject
        {
            ["side"] = row.Side,
            ["kind"] = row.Kind,
            ["suspicions"] = row.Suspicions,
            ["healthy_deaths"] = row.HealthyDeaths,
            ["starved_deaths"] = row.StarvedDeaths,
        })]),
    };

    private async Task<MemberFigures> MeasureAsync(MemberSide side, int size)
    {
        await using var agent = await AgentProcess.StartAsync(side.Agent, NextPorts(size + 1), size, key, join: null);
        _ = await agent.AskAsync($"await {size}");

        // News of the joins is told for a while after everybody knows.
        await Task.Delay(TimeSpan.FromSeconds(5));
        var traffic = await agent.AskAsync($"traffic {seconds.ToString(CultureInfo.InvariantCulture)}");
        var (joins, deaths) = (new double[rounds], new double[rounds]);
        for (var round = 0; round < rounds; round++)
        {
            joins[round] = (await agent.AskAsync("add"))[0];
            deaths[round] = (await agent.AskAsync("kill"))[0];
        }

        return new MemberFigures(side.Name, size, joins, deaths, traffic[0] / size / seconds, traffic[1] / size / seconds);
    }

    private async Task<StarvedFigures> StarveAsync(
        MemberSide side, string kind, double length, Func<AgentProcess, TimeSpan, Task> starve)
    {
        var port = NextPorts(Healthy);
        await using var healthy = await AgentProcess.StartAsync(side.Agent, port, Healthy, key, join: null);
        await using var starved = await AgentProcess.StartAsync(side.Agent, NextPorts(Starved), Starved, key, join: port);
        _ = await healthy.AskAsync($"await {Healthy + Starved}");
        _ = await starved.AskAsync($"await {Healthy + Starved}");
        _ = await healthy.AskAsync("falses");
        _ = await starved.AskAsync("falses");
        await starve(starved, TimeSpan.FromSeconds(length));
        var (ofHealthy, ofStarved) = (await healthy.AskAsync("falses"), await starved.AskAsync("falses"));
        return new StarvedFigures(
            side.Name, kind, ofHealthy[0] + ofStarved[0], ofHealthy[1] + ofStarved[2], ofHealthy[2] + ofStarved[1]);
    }

    // The same stops for both sides: away for seconds, back for a moment.
    private static async Task StopNowAndThenAsync(AgentProcess starved, TimeSpan length)
    {
        var random = new Random(Seed);
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < length)
        {
            await starved.StopForAsync(TimeSpan.FromMilliseconds(random.Next(500, 4_000)));
            await Task.Delay(random.Next(50, 800));
        }
    }

    private static async Task KeepBusyAsync(AgentProcess starved, TimeSpan length)
    {
        using var over = new CancellationTokenSource(length);
        List<Process> hogs = [.. Enumerable.Range(0, 16 * Environment.ProcessorCount).Select(_ => Process.Start("sha256sum", ["/dev/zero"]))];
        await Task.Delay(Timeout.Infinite, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var hog in hogs)
        {
            hog.Kill();
            await hog.WaitForExitAsync();
            hog.Dispose();
        }
    }

    /// <summary>The first of so many ports in a row that nobody has, neither for packets nor for streams.</summary>
    private int NextPorts(int count)
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties();
        var ports = taken.GetActiveTcpListeners().Concat(taken.GetActiveUdpListeners()).Select(end => end.Port)
            .Concat(taken.GetActiveTcpConnections().Select(connection => connection.LocalEndPoint.Port)).ToHashSet();
        for (; _port <= LastPort; _port += 1_000)
        {
            if (!Enumerable.Range(_port, count).Any(ports.Contains))
            {
                return (_port += 1_000) - 1_000;
            }
        }

        throw new InvalidOperationException($"No {count} ports in a row are free between {FirstPort} and {LastPort}.");
    }

    private static string Seconds(double[] times) =>
        string.Join(' ', times.Select(time => time < 0 ? "never" : (time / 1_000).ToString("F2", CultureInfo.InvariantCulture)));

    private static string Text(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
