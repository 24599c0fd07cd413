using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Core;
using Synod.Lab.Proofs;

namespace Synod.App;

/// <summary><c>synod lab prove</c>: lists the claims that take long to check, or checks one of them.</summary>
internal static class ProveCommand
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    public static Task<int> RunAsync(string? name, int? size, int jobs, bool json, CancellationToken stop)
    {
        if (name is null)
        {
            List(json);
            return Task.FromResult(ExitCodes.Done);
        }

        // On a thread of its own, so that it can be interrupted.
        var proof = Proof.Named(name);
        return Task.Run(() => Check(proof, size ?? proof.Size, jobs, json, stop), stop);
    }

    private static void List(bool json)
    {
        if (json)
        {
            Terminal.Json(new JsonObject
            {
                ["proofs"] = new JsonArray([.. Proof.All.Select(proof => new JsonObject
                {
                    ["name"] = proof.Name,
                    ["title"] = proof.Title,
                    ["size"] = proof.Size,
                    ["unit"] = proof.Unit,
                })]),
            });
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("proof", "what it claims", "size");
        foreach (var proof in Proof.All)
        {
            table.AddRow(
                Markup.Escape(proof.Name), Markup.Escape(proof.Title), string.Create(CultureInfo.InvariantCulture, $"{proof.Size:N0} {proof.Unit}"));
        }

        Terminal.Out.Write(table);
    }

    private static int Check(Proof proof, int size, int jobs, bool json, CancellationToken stop)
    {
        if (!json)
        {
            Terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{proof.Title} {size:N0} {proof.Unit}."));
        }

        var begun = Stopwatch.GetTimestamp();
        var (holds, seen) = (true, "");
        try
        {
            seen = proof.Check(new(size, jobs, Teller(begun, stop)));
        }
        catch (InvariantViolation violation)
        {
            (holds, seen) = (false, violation.Message);
        }

        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        if (json)
        {
            Terminal.Json(new JsonObject
            {
                ["name"] = proof.Name,
                ["size"] = size,
                ["unit"] = proof.Unit,
                ["holds"] = holds,
                ["seen"] = seen,
                ["seconds"] = Math.Round(seconds, 1),
            });
        }
        else
        {
            Terminal.Out.WriteLine(seen);
            Terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(holds ? "holds" : "does not hold")}, after {seconds:N0} s"));
        }

        return holds ? ExitCodes.Done : ExitCodes.Failed;
    }

    /// <summary>Says how far a check is, when it has got through something and else every few seconds; ends it when it is interrupted.</summary>
    private static Action<ProofProgress> Teller(long begun, CancellationToken stop)
    {
        var told = begun;
        return progress =>
        {
            stop.ThrowIfCancellationRequested();
            if (progress.Done < progress.Of && Stopwatch.GetElapsedTime(told) < s_pause)
            {
                return;
            }

            told = Stopwatch.GetTimestamp();
            var found = progress.Found > 0 ? string.Create(CultureInfo.InvariantCulture, $", {progress.Found:N0} new") : "";
            Terminal.Talk.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Stopwatch.GetElapsedTime(begun).TotalSeconds,6:N0} s  {progress.What}: {progress.Done:N0} of {progress.Of:N0}{found}"));
        };
    }
}
