using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Synod.Bench.Reports;

namespace Synod.Bench.Micro;

/// <summary>What one operation of a part costs, on one thread.</summary>
/// <param name="Name">The part and the operation.</param>
/// <param name="Nanoseconds">The best of several rounds, per operation: the others were disturbed.</param>
/// <param name="Bytes">Allocated per operation.</param>
internal sealed record MicroResult(string Name, double Nanoseconds, double Bytes)
{
    private const int Rounds = 5;

    /// <summary>
    /// Runs <paramref name="many"/>, which does <paramref name="count"/> operations, once to warm up and then some rounds, each after
    /// <paramref name="prepare"/>, which is not measured.
    /// </summary>
    public static MicroResult Measure(string name, int count, Action<int> many, Action<int>? prepare = null)
    {
        prepare?.Invoke(count);
        many(count);
        var best = double.MaxValue;
        var bytes = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            prepare?.Invoke(count);
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var began = Stopwatch.GetTimestamp();
            many(count);
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalNanoseconds / count);
            bytes = Math.Min(bytes, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)count);
        }

        return new MicroResult(name, best, bytes);
    }

    public static void Write(IReadOnlyList<MicroResult> results, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Costs of the parts, one thread, in memory");
        var table = new TextTable("operation", "", "ns", "bytes allocated");
        foreach (var result in results)
        {
            table.Add(
                result.Name, "", result.Nanoseconds.ToString("N0", CultureInfo.InvariantCulture),
                result.Bytes.ToString("N0", CultureInfo.InvariantCulture));
        }

        table.Write(output);
    }

    public static JsonObject ToJson(IReadOnlyList<MicroResult> results) => new()
    {
        ["micro"] = new JsonArray([.. results.Select(result => new JsonObject
        {
            ["name"] = result.Name,
            ["nanoseconds"] = Math.Round(result.Nanoseconds, 1),
            ["bytes"] = Math.Round(result.Bytes, 1),
        })]),
    };
}
