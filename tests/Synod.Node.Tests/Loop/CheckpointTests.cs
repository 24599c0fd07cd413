using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

public sealed class CheckpointTests
{
    [Fact]
    public async Task The_store_is_flushed_before_the_checkpoint_and_older_segments_go_after_it()
    {
        var disk = new TestDisk();
        await using (var node = await StartAsync(1, disk, options => options with { CheckpointBytes = 20_000 }))
        {
            var first = disk.List()[0];
            while (node.Metrics.Checkpoints < 2)
            {
                _ = await node.Submit(new Toy.Command.Add(1));
            }

            Assert.Equal(["begin", "flush", "checkpoint", "begin", "flush", "checkpoint"], node.Toy.Events.Take(6));
            _ = await node.Book.SeeAsync(6, "Checkpoint is durable", Cancellation);
            Assert.DoesNotContain(first, disk.List());
            _ = await node.Submit(new Toy.Command.Add(1));
        }

        await using var again = await StartAsync(1, disk);
        Assert.True(await again.Host.ReadAsync(() => again.Toy.Value) > 2);
    }

    [Fact]
    public async Task Recovery_after_a_checkpoint_has_every_answered_command()
    {
        var disk = new TestDisk();
        var acknowledged = 0L;
        await using (var node = await StartAsync(1, disk, options => options with { CheckpointBytes = 10_000 }))
        {
            while (node.Metrics.Checkpoints < 3)
            {
                acknowledged = (await node.Submit(new Toy.Command.Add(1))).Value;
            }
        }

        await using var again = await StartAsync(1, disk);
        Assert.Equal(acknowledged, await again.Host.ReadAsync(() => again.Toy.Value));
    }

    [Fact]
    public async Task No_segment_goes_before_the_checkpoint_is_durable()
    {
        var disk = new TestDisk();
        await using var node = await StartAsync(1, disk, options => options with { CheckpointBytes = 8_000 });
        while (node.Toy.Events.IsEmpty)
        {
            _ = await node.Submit(new Toy.Command.Add(1));
        }

        disk.Hold();
        var before = disk.List();
        var answer = node.Submit(new Toy.Command.Add(1));
        if (node.Metrics.Checkpoints == 0)
        {
            await disk.HeldAsync(Cancellation);
            Assert.All(before, name => Assert.Contains(name, disk.List()));
        }

        disk.Release();
        _ = await answer;
    }
}
