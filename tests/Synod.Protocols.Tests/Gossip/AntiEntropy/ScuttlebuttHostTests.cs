using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Notes;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Message = Scuttlebutt.Message;
using Record = Scuttlebutt.Record;
using Result = Scuttlebutt.Result;

/// <summary>What hosts ask of a node with notes, and what its disk is for.</summary>
public sealed class ScuttlebuttHostTests
{
    private static readonly ScuttlebuttOptions s_narrow = new() { MostMessageBytes = ScuttlebuttOptions.LeastMessageBytes };

    [Fact]
    public void An_older_roster_changes_nothing_and_one_that_is_not_sound_is_rejected()
    {
        var play = Pair();
        var second = Roster.Of(A, B, C) with { Epoch = 2 };
        play.Submit(A, new Scuttlebutt.Command.Configure(second));
        play.Submit(A, new Scuttlebutt.Command.Configure(Roster.Of(A)));
        play.Submit(A, new Scuttlebutt.Command.Configure(new Roster(3, [B, A], [])));
        play.Sync(A);
        Assert.Equal(second, play.At(A).Roster);
        Assert.Equal<Result>([new Result.Rejected(), new Result.Configured(2), new Result.Configured(2)], play.Answers(A).Select(answer => answer.Result));
    }

    [Fact]
    public void What_does_not_fit_into_a_message_is_rejected_and_what_is_not_there_cannot_be_deleted()
    {
        var play = Pair(s_narrow);
        play.Put(A, "x", new string('v', s_narrow.MostEntryBytes - 1));
        play.Put(A, "y", new string('v', s_narrow.MostEntryBytes));
        play.Delete(A, "y");
        play.Sync(A);
        Assert.Equal<Result>(
            [new Result.Rejected(), new Result.Stored(First(A), 1), new Result.Absent()], play.Answers(A).Select(answer => answer.Result));
        play.Talk(A);
        Assert.NotEqual("", play.Seen(B, First(A)));
    }

    [Fact]
    public void A_checkpoint_is_all_that_recovery_needs()
    {
        var play = Pair();
        play.Put(A, "x", "1");
        play.Put(B, "y", "1");
        play.Delete(B, "y");
        play.Talk(A);
        var outbox = new Outbox<Message, Record, Scuttlebutt.Command, Result>();
        play.At(A).Checkpoint(null!, outbox);
        var again = new Scuttlebutt(A, Roster.Of(A, B), new());
        var records = outbox.Records.ToArray();
        var wire = new Scuttlebutt.RecordWire();
        var writer = new CodecWriter();
        wire.Write(writer, records.Single());
        var reader = new CodecReader(writer.ToArray());
        again.Recover([wire.Read(ref reader)!], Calm.Context, outbox);
        Assert.Equal(play.At(A).Self, again.Self);
        Assert.Equal(play.At(A).Origins, again.Origins);
        Assert.Equal(play.At(A).Tombstones(First(B)), again.Tombstones(First(B)));
    }

    [Fact]
    public void Messages_too_small_for_anything_and_unsound_rosters_cannot_be_configured()
    {
        Assert.Throws<ArgumentException>(() => new Scuttlebutt(A, Trio, new() { MostMessageBytes = 100 }));
        Assert.Throws<ArgumentException>(() => new Scuttlebutt(A, new Roster(1, [B, A], []), new()));
    }
}
