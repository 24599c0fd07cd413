using Synod.Core;
using Synod.Lab.Worlds;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;
using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

/// <summary>A status asks for what its sender lacks, and costs who answers no more than it has time for (pbft.md §3.6, §7).</summary>
public sealed class StatusTests
{
    private const int Timer = (int)PbftReplica.Timer.Status;

    private readonly Quartet _group = new(Small);

    [Fact]
    public void Who_asks_again_and_again_is_answered_once_in_a_while()
    {
        var play = Executed(3);
        for (var repeat = 0; repeat < 100; repeat++)
        {
            play.Receive(C, B, Lagging);
        }

        Assert.Equal(3, Told(play, C));
        Assert.Equal(99, play.Refusals(B).Count);
        play.Receive(D, B, Lagging);
        Assert.Equal(3, Told(play, D));
        play.Fire(B, Timer);
        play.Receive(C, B, Lagging);
        Assert.Equal(6, Told(play, C));
    }

    /// <summary>Its next status may say that it lacks something: no answer, no wait.</summary>
    [Fact]
    public void Who_lacks_nothing_is_answered_as_soon_as_it_does()
    {
        var play = Executed(3);
        play.Receive(C, B, Lagging with { Executed = new Slot(3) });
        Assert.False(play.IsArmed(B, Timer));
        Assert.Equal(0, Told(play, C));
        play.Receive(C, B, Lagging);
        Assert.Equal(3, Told(play, C));
        Assert.Empty(play.Refusals(B));
        Assert.True(play.IsArmed(B, Timer));
        play.Fire(B, Timer);
        Assert.False(play.IsArmed(B, Timer));
    }

    private static Message.Status Lagging => new(0, true, Slot.None, Slot.None);

    private static int Told(Play play, NodeId to)
    {
        play.Sync(B);
        return play.Between(B, to).OfType<Message.Decided>().Count();
    }

    /// <summary>B has executed some slots, and nothing is open there.</summary>
    private Play Executed(int slots)
    {
        var play = _group.Stage(X);
        for (var slot = 1; slot <= slots; slot++)
        {
            var batch = _group.Batch("x+", slot);
            play.Receive(A, B, _group.PrePrepare(A, 0, slot, batch));
            play.Receive(C, B, _group.Prepare(C, 0, slot, batch.Digest));
            play.Receive(C, B, _group.Commit(C, 0, slot, batch.Digest));
            play.Receive(D, B, _group.Commit(D, 0, slot, batch.Digest));
        }

        play.Fire(B, Timer);
        play.Sync(B);
        play.Network.Clear();
        return play;
    }
}
