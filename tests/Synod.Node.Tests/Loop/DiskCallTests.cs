using System.Collections.Concurrent;
using Synod.Storage;
using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

/// <summary>
/// The calls that a real node's threads make of its disk, each failing once. The simulation does the same to the log's code; here are
/// the log thread around it, the spare that is made beside it, and the seal that it sets when it stops.
/// </summary>
public sealed class DiskCallTests
{
    private const int SegmentBytes = 1 << 16;

    private static readonly string[] s_places =
    [
        "opening: list",
        "opening: open segment",
        "opening: read header",
        "opening: read batch",
        "opening: delete segment",
        "opening: open spare",
        "opening: delete spare",
        "opening: create spare",
        "opening: write header",
        "opening: sync header",
        "opening: rename spare",
        "opening: sync the directory",
        "opening: truncate segment",
        "recovering: open segment",
        "recovering: read batch",
        "running: write batch",
        "running: sync batch",
        "running: open spare",
        "running: create spare",
        "running: write header",
        "running: sync header",
        "running: rename spare",
        "running: sync the directory",
        "running: rename segment",
        "running: delete segment",
        "drafting: list",
        "drafting: delete spare-draft",
        "drafting: create spare-draft",
        "drafting: rename spare-draft",
        "stopping: write batch",
    ];

    /// <summary>Where the log itself makes a segment, or keeps an old one for the next: no spare may be there by then.</summary>
    private static readonly string[] s_withoutDrafts = ["running: create spare", "running: rename segment"];

    [Fact]
    public async Task Each_call_that_fails_stops_the_node_and_what_was_answered_is_there_afterwards()
    {
        var heard = new ConcurrentDictionary<string, bool>();
        foreach (var place in s_places)
        {
            var disk = new TestDisk();
            var answered = await LiveAsync(disk, place == "opening: delete segment" ? "running: delete segment" : "", heard);
            Prepare(disk, place);
            answered = Math.Max(answered, await LiveAsync(disk, place, heard));
            await using var again = await StartAsync(1, disk);
            Assert.InRange(await again.Host.ReadAsync(() => again.Toy.Value), answered, long.MaxValue);
        }

        // The list is whole: nothing else was called in all of these lives.
        Assert.Equal(s_places.Order(StringComparer.Ordinal), heard.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>One life of a node, until the call at <paramref name="place"/> has failed; some segments long if it is nowhere.</summary>
    /// <returns>The sum that was answered last; 0 if none was.</returns>
    private static async Task<long> LiveAsync(TestDisk disk, string place, ConcurrentDictionary<string, bool> heard)
    {
        var phase = "opening";
        var failed = 0;
        using var drafting = new ManualResetEventSlim(Array.IndexOf(s_withoutDrafts, place) < 0);
        disk.Entering = call =>
        {
            var now = Volatile.Read(ref phase);
            var here = now is "running" or "stopping" && call is { What: "list" } or { File: "spare-draft" } ? $"drafting: {call}" : $"{now}: {call}";
            heard[here] = true;
            if (here == place && Interlocked.Exchange(ref failed, 1) == 0)
            {
                drafting.Set();
                throw new StorageFailure(place);
            }

            if (call == new DiskCall("create", "spare-draft"))
            {
                drafting.Wait(Cancellation);
            }
        };
        try
        {
            return await RunAsync(disk, place, value => Volatile.Write(ref phase, value));
        }
        catch (StorageFailure failure)
        {
            Assert.Equal(place, failure.Message);
            return 0;
        }
        finally
        {
            Assert.Equal(place.Length == 0 ? 0 : 1, failed);
            disk.Entering = null;
        }
    }

    private static async Task<long> RunAsync(TestDisk disk, string place, Action<string> enter)
    {
        await using var node = new ToyNode(1, disk, options => options with { CheckpointBytes = 3 * SegmentBytes });
        enter("recovering");
        await node.Host.StartAsync(node.Transport);
        enter("running");
        var answered = 0L;
        try
        {
            var isEndless = place.StartsWith("running", StringComparison.Ordinal) || place.StartsWith("drafting", StringComparison.Ordinal);
            while (isEndless || node.Metrics.Checkpoints < 1)
            {
                answered = (await node.Submit(new Toy.Command.Add(1))).Value;
            }
        }
        catch (NodeStopped)
        {
            // It ended as it must; the cause is looked at below.
        }

        enter("stopping");
        await node.Host.StopAsync();
        var end = await Record.ExceptionAsync(() => node.Host.Completion);
        Assert.Equal(place.Length == 0 ? null : place, (end as StorageFailure)?.Message);
        return answered;
    }

    /// <summary>What some calls need to find.</summary>
    private static void Prepare(TestDisk disk, string place)
    {
        if (disk.List().Contains("spare", StringComparer.Ordinal))
        {
            disk.Delete("spare");
        }

        if (place != "opening: create spare")
        {
            disk.Create("spare", place == "opening: delete spare" ? SegmentBytes / 2 : SegmentBytes).Dispose();
        }

        if (place == "drafting: delete spare-draft" && !disk.List().Contains("spare-draft", StringComparer.Ordinal))
        {
            disk.Create("spare-draft", SegmentBytes).Dispose();
        }
    }
}
