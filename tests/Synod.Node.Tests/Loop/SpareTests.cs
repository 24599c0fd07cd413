using Synod.Core;
using Synod.Storage;

namespace Synod.Node.Tests;

/// <summary>The next segment's file is made beside the log.</summary>
public sealed class SpareTests
{
    private readonly TestDisk _disk = new();

    [Fact]
    public void A_draft_becomes_the_next_segment()
    {
        using var log = Open();
        Assert.True(log.NeedsSpare);
        log.DraftSpare();
        Assert.True(log.NeedsSpare);
        log.AdoptSpare();
        Assert.False(log.NeedsSpare);
        var files = _disk.List().Count;
        _ = log.StartSegment();
        Assert.True(log.NeedsSpare);
        Assert.Equal(files, _disk.List().Count);
    }

    [Fact]
    public void A_draft_left_by_a_crash_or_come_too_late_does_no_harm()
    {
        using (var crashed = Open())
        {
            crashed.DraftSpare();
        }

        using var log = Open();
        log.DraftSpare();
        log.PrepareSpare();
        log.AdoptSpare();
        Assert.False(log.NeedsSpare);
        Assert.DoesNotContain("spare-draft", _disk.List());
        _ = log.StartSegment();
    }

    [Fact]
    public async Task A_node_keeps_a_spare_ready()
    {
        await using var node = await ToyNode.StartAsync(1, _disk);
        while (!_disk.List().Contains("spare", StringComparer.Ordinal))
        {
            _ = await node.Submit(new Toy.Command.Add(1));
        }
    }

    private DurableLog Open() => DurableLog.Open(_disk, new LogIdentity("toys", new NodeId(1), 7), new LogOptions(1 << 16));
}
