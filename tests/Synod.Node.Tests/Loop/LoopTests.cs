using Synod.Core;
using Synod.Storage;
using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

/// <summary>HOUSE §3: durability is data. What the loop lets out, and when.</summary>
public sealed class LoopTests
{
    [Fact]
    public async Task A_message_waits_for_the_records_before_it_and_an_early_one_does_not()
    {
        await using var left = await StartAsync(1);
        await using var right = await StartAsync(2);
        await MeetAllAsync(left, right);

        left.Disk.Hold();
        _ = await left.Submit(new Toy.Command.Tell(right.Id, 5));
        await left.Disk.HeldAsync(Cancellation);
        Assert.Equal(new(Toy.MessageKind.Early, 0, 5), await right.NextMessageAsync(), Same);

        // A later step without a record of its own must hold for the earlier one all the same. Connections keep the order, so
        // its early message arriving first shows that nothing that should wait had left before.
        _ = await left.Submit(new Toy.Command.Tell(right.Id, 0));
        Assert.Equal(new(Toy.MessageKind.Early, 0, 5), await right.NextMessageAsync(), Same);
        _ = await left.Submit(new Toy.Command.Tell(right.Id, 0));
        Assert.Equal(new(Toy.MessageKind.Early, 0, 5), await right.NextMessageAsync(), Same);
        Assert.False(right.Toy.Received.Reader.TryPeek(out _));

        left.Disk.Release();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(new(Toy.MessageKind.Told, 0, 5), await right.NextMessageAsync(), Same);
        }
    }

    [Fact]
    public async Task An_answer_waits_for_the_records_before_it()
    {
        await using var node = await StartAsync();
        node.Disk.Hold();
        var answer = node.Submit(new Toy.Command.Add(3));
        await node.Disk.HeldAsync(Cancellation);
        Assert.Equal(3, await node.Host.ReadAsync(() => node.Toy.Value));
        Assert.False(answer.IsCompleted);
        node.Disk.Release();
        Assert.Equal(3, (await answer).Value);
    }

    [Fact]
    public async Task A_message_to_oneself_waits_as_any_other()
    {
        await using var node = await StartAsync();
        node.Disk.Hold();
        var answer = node.Submit(new Toy.Command.Boomerang(4));
        await node.Disk.HeldAsync(Cancellation);
        Assert.Equal(4, await node.Host.ReadAsync(() => node.Toy.Value));
        Assert.False(answer.IsCompleted);
        node.Disk.Release();
        Assert.Equal(4, (await answer).Value);
    }

    [Fact]
    public async Task What_gathers_during_one_sync_is_made_durable_by_the_next()
    {
        await using var node = await StartAsync();
        node.Disk.Hold();
        var first = node.Submit(new Toy.Command.Add(1));
        await node.Disk.HeldAsync(Cancellation);
        var others = Enumerable.Range(0, 1000).Select(_ => node.Submit(new Toy.Command.Add(1))).ToArray();
        Assert.Equal(1001, await node.Host.ReadAsync(() => node.Toy.Value));
        node.Disk.Release();
        _ = await first;
        _ = await Task.WhenAll(others);
        Assert.Equal(2, node.Metrics.Syncs);
        Assert.Equal(1001, node.Metrics.Records);
    }

    [Fact]
    public async Task Commands_are_replicated_over_real_sockets_with_votes_of_a_majority()
    {
        await using var one = await StartAsync(1);
        await using var two = await StartAsync(2);
        await using var three = await StartAsync(3);
        await MeetAllAsync(one, two, three);
        NodeId[] peers = [two.Id, three.Id];
        var answers = Enumerable.Range(0, 500).Select(_ => one.Submit(new Toy.Command.Replicate(peers, new byte[256])));
        Assert.Equal(Enumerable.Range(1, 500).Select(round => (long)round), (await Task.WhenAll(answers)).Select(result => result.Value).Order());
        Assert.Equal(500, one.Toy.Value);
    }

    [Fact]
    public async Task Timers_fire_in_the_order_of_their_time_and_not_when_cancelled()
    {
        await using var node = await StartAsync();
        var late = node.Submit(new Toy.Command.Alarm(1, Millisecond * 2_000));
        var never = node.Submit(new Toy.Command.Alarm(2, Millisecond * 1));
        _ = await node.Submit(new Toy.Command.Alarm(2, default, Cancel: true));
        var moved = node.Submit(new Toy.Command.Alarm(3, Millisecond * 3_600_000));
        var again = node.Submit(new Toy.Command.Alarm(3, Millisecond * 1_000));
        var atOnce = node.Submit(new Toy.Command.Alarm(4, Duration.Zero));
        _ = await Task.WhenAll(late, again, atOnce);
        Assert.Equal(["fire 4", "fire 3", "fire 1"], node.Toy.Events.Where(line => line != "fire 2"));
        Assert.False(moved.IsCompleted);
        _ = never;
    }

    [Fact]
    public async Task A_failed_sync_stops_the_node_and_nothing_that_waited_leaves()
    {
        await using var left = await StartAsync(1);
        await using var right = await StartAsync(2);
        await MeetAllAsync(left, right);
        left.Disk.Hold();
        var answer = left.Submit(new Toy.Command.Add(1));
        await left.Disk.HeldAsync(Cancellation);
        _ = await left.Submit(new Toy.Command.Tell(right.Id, 1));
        Assert.Equal(Toy.MessageKind.Early, (await right.NextMessageAsync()).Kind);
        left.Disk.Fail();
        _ = await Assert.ThrowsAsync<StorageFailure>(() => left.Host.Completion.WaitAsync(Cancellation));
        _ = await Assert.ThrowsAsync<NodeStopped>(() => answer);
        _ = await Assert.ThrowsAsync<NodeStopped>(() => left.Submit(new Toy.Command.Add(1)));
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Critical, (await left.Book.SeeAsync(3, "stops at once", Cancellation)).Level);

        await left.Transport.DisposeAsync();
        _ = await right.Book.SeeAsync(28, "from n1 ended", Cancellation);
        Assert.False(right.Toy.Received.Reader.TryPeek(out _));
    }

    [Fact]
    public async Task An_exception_out_of_a_step_stops_the_node_and_a_restart_has_what_was_durable()
    {
        var disk = new TestDisk();
        await using (var node = await StartAsync(1, disk))
        {
            _ = await node.Submit(new Toy.Command.Add(8));
            _ = await Assert.ThrowsAsync<NodeStopped>(() => node.Submit(new Toy.Command.Break()));
            _ = await Assert.ThrowsAsync<InvalidOperationException>(() => node.Host.Completion.WaitAsync(Cancellation));
        }

        await using var again = await StartAsync(1, disk);
        Assert.Equal(8, await again.Host.ReadAsync(() => again.Toy.Value));
    }

    [Fact]
    public async Task A_broken_invariant_stops_the_node()
    {
        await using var node = await StartAsync();
        _ = await Assert.ThrowsAsync<NodeStopped>(() => node.Submit(new Toy.Command.Add(-1)));
        _ = await Assert.ThrowsAsync<InvariantViolation>(() => node.Host.Completion.WaitAsync(Cancellation));
    }

    [Fact]
    public async Task A_stop_in_good_order_answers_everything_that_was_taken()
    {
        await using var node = await StartAsync();
        node.Disk.Hold();
        var answers = Enumerable.Range(0, 100).Select(_ => node.Submit(new Toy.Command.Add(1))).ToArray();
        await node.Disk.HeldAsync(Cancellation);
        var stopping = node.Host.StopAsync();
        _ = await Assert.ThrowsAsync<NodeStopped>(() => node.Submit(new Toy.Command.Add(1)));
        Assert.False(stopping.IsCompleted);
        node.Disk.Release();
        await stopping.WaitAsync(Cancellation);
        Assert.Equal(100, (await Task.WhenAll(answers)).Max(result => result.Value));
        Assert.True(node.Host.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_cancelled_caller_is_let_go_and_the_node_goes_on()
    {
        await using var node = await StartAsync();
        node.Disk.Hold();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var answer = node.Host.SubmitAsync(new Toy.Command.Add(1), patience.Token);
        await node.Disk.HeldAsync(Cancellation);
        await patience.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        node.Disk.Release();
        Assert.Equal(2, (await node.Submit(new Toy.Command.Add(1))).Value);
    }

    [Fact]
    public async Task A_slow_disk_makes_the_loop_wait_instead_of_filling_memory()
    {
        await using var node = await StartAsync(host: options => options with { MaxUnsyncedBytes = 10, MaxInputsPerTurn = 1 });
        node.Disk.Hold();
        var answers = Enumerable.Range(0, 100).Select(_ => node.Submit(new Toy.Command.Add(1))).ToArray();
        var read = node.Host.ReadAsync(() => node.Toy.Value);
        await node.Disk.HeldAsync(Cancellation);

        // Inputs are stepped in order, so the read is not done while the loop waits, however long that is.
        Assert.False(read.IsCompleted);
        node.Disk.Release();
        Assert.Equal(100, (await Task.WhenAll(answers)).Max(result => result.Value));
        Assert.Equal(100, await read);
    }

    [Fact]
    public async Task A_reader_that_throws_does_not_stop_the_node()
    {
        await using var node = await StartAsync();
        _ = await Assert.ThrowsAsync<FormatException>(() => node.Host.ReadAsync<int>(() => throw new FormatException()));
        Assert.Equal(1, (await node.Submit(new Toy.Command.Add(1))).Value);
    }

    private static bool Same(Toy.Message left, Toy.Message right) =>
        left.Kind == right.Kind && left.Number == right.Number;
}
