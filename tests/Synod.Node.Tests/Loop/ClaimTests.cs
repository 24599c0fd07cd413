using Synod.Core;
using static Synod.Node.Tests.ToyNode;

namespace Synod.Node.Tests;

/// <summary>Turns run by the thread that brings something to do.</summary>
public sealed class ClaimTests
{
    private static readonly NodeId Peer = new(2);

    [Fact]
    public async Task A_frame_is_stepped_by_whoever_brought_it_while_the_loop_sleeps_and_by_the_loop_otherwise()
    {
        await using var node = await StartAsync();
        var (here, there) = (0, 0);

        // Whether the loop sleeps at a given moment is the scheduler's business: both are met sooner or later.
        while (here == 0 || there == 0)
        {
            var answer = there == 0 ? node.Submit(new Toy.Command.Add(0)) : null;
            Assert.True(node.Host.Receive(Peer, Payload(new(Toy.MessageKind.Told, 0, 0))));
            var isStepped = node.Toy.Received.Reader.TryRead(out _);
            if (isStepped && node.Toy.Stepper == Thread.CurrentThread)
            {
                here++;
            }
            else
            {
                // The loop may have been as fast.
                _ = isStepped ? default : await node.NextMessageAsync();
                there++;
            }

            _ = answer is null ? null : await answer;
        }
    }

    [Fact]
    public async Task Many_threads_bring_frames_and_commands_and_one_at_a_time_steps_them()
    {
        await using var node = await StartAsync();
        const int each = 5_000;
        var frame = Payload(new(Toy.MessageKind.Accept, 0, 1));
        var peers = Enumerable.Range(0, 3).Select(peer => Task.Run(
            () =>
            {
                for (var count = 0; count < each; count++)
                {
                    Assert.True(node.Host.Receive(Peer, frame), $"thread {peer}");
                }
            },
            Cancellation));
        var caller = Task.Run(
            async () =>
            {
                for (var count = 0; count < each / 10; count++)
                {
                    _ = await node.Submit(new Toy.Command.Boomerang(1));
                }
            },
            Cancellation);
        await Task.WhenAll(peers.Append(caller));
        Assert.Equal((3 * each) + (each / 10), await node.Host.ReadAsync(() => node.Toy.Value));
        Assert.False(node.Host.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_step_that_fails_on_a_borrowed_thread_stops_the_node_and_nobody_else()
    {
        await using var node = await StartAsync();
        var frame = Payload(new(Toy.MessageKind.Accept, 0, -1));
        Assert.True(node.Host.Receive(Peer, frame));
        _ = await Assert.ThrowsAsync<InvariantViolation>(() => node.Host.Completion.WaitAsync(Cancellation));
        _ = node.Host.Receive(Peer, frame);
        Assert.Equal(-1, node.Toy.Value);
    }

    private static byte[] Payload(Toy.Message message) => Stranger.Messages(message)[Frame.HeaderLength..];
}
