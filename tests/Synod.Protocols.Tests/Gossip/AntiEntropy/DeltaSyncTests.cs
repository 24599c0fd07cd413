using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Letters;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Message = DeltaSync.Message;
using Record = DeltaSync.Record;
using Result = DeltaSync.Result;

/// <summary>The rules of crdt.md §2 and §5.2 for replication by deltas.</summary>
public sealed class DeltaSyncTests
{
    [Fact]
    public void A_change_is_sent_as_a_delta_to_who_has_all_before_it_until_it_is_acknowledged()
    {
        var play = Stage();
        play.Settle();
        play.Add(A, 'a');
        play.Add(A, 'b');
        play.Fire(A, Sync);
        play.Sync(A);
        var interval = Assert.IsType<Message.Interval>(play.Between(A, B).Single());
        Assert.Equal((0, 2), (interval.From, interval.Through));
        play.Drop(A, B);
        play.Fire(A, Sync);
        Assert.Equal($"{interval}", $"{play.Between(A, B).Single()}");
        play.Run();
        Assert.Equal((2L, "ab"), (play.At(A).Acknowledged(B), play.Seen(B)));
        play.Fire(A, Sync);
        Assert.Empty(play.Network);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_is_not_known_to_have_what_was_before_takes_state_or_what_it_lacks_by_its_digest(bool hasDigest)
    {
        var play = Stage(hasDigest: hasDigest);
        play.Add(A, 'a');
        play.Add(B, 'b');
        play.Fire(A, Sync);
        play.Sync(A);
        play.Sync(B);
        if (hasDigest)
        {
            Assert.IsType<Message.Inquire>(play.Between(A, B).Single());
            play.Deliver(A, B);
            Assert.IsType<Message.Have>(play.Between(B, A).Single());
            play.Deliver(B, A);
            Assert.IsType<Message.Missing>(play.Between(A, B).Single());
        }
        else
        {
            Assert.IsType<Message.Full>(play.Between(A, B).Single());
        }

        play.Run();
        Assert.Equal((1L, "ab"), (play.At(A).Acknowledged(B), play.Seen(B)));
    }

    [Fact]
    public void A_crash_forgets_who_has_what_and_keeps_the_state()
    {
        var play = Stage();
        play.Add(A, 'a');
        play.Settle();
        play.Add(A, 'b');
        play.Sync(A);
        play.Crash(A);
        Assert.Equal((null, "ab", First(A)), (play.At(A).Acknowledged(B), play.Seen(A), play.At(A).Self));
        play.Fire(A, Sync);
        Assert.IsType<Message.Full>(play.Between(A, B).Single());
        play.Run();
        Assert.Equal("ab", play.Seen(B));
    }

    [Fact]
    public void Nothing_is_told_answered_or_acknowledged_before_it_is_durable()
    {
        var play = Stage();
        play.Settle();
        play.Add(A, 'a');
        play.Fire(A, Sync);
        Assert.Empty(play.Network);
        Assert.Empty(play.Answers(A));
        play.Sync(A);
        Assert.Equal("Done by n1.0: a", play.Answers(A).Single().Result.ToString());
        play.Deliver(A, B);
        Assert.Empty(play.Network);
        play.Crash(B);
        Assert.Equal("", play.Seen(B));
        play.Talk(A);
        Assert.Equal(("a", 1L), (play.Seen(B), play.At(A).Acknowledged(B)));
    }

    [Fact]
    public void A_read_waits_for_what_it_has_seen()
    {
        var play = Stage();
        play.Sync(A);
        play.Add(A, 'a');
        play.Submit(A, Do("?"));
        Assert.Empty(play.Answers(A));
        play.Sync(A);
        Assert.Equal(2, play.Answers(A).Count);
        play.Submit(A, Do("?"));
        Assert.Equal(3, play.Answers(A).Count);
        Assert.Equal(1, play.At(A).Changes);
    }

    [Fact]
    public void Asynchronous_changes_are_told_at_once_and_each_life_is_another_origin()
    {
        var play = Stage(new DeltaOptions { Durability = DeltaDurability.Asynchronous });
        play.Settle();
        play.Add(A, 'a');
        Assert.Single(play.Answers(A));
        play.Fire(A, Sync);
        play.Deliver(A, B);
        Assert.Equal("a", play.Seen(B));
        play.Crash(A);
        Assert.Equal((new Origin(A, 1), ""), (play.At(A).Self, play.Seen(A)));
        play.Add(A, 'b');
        play.Settle();
        Assert.All([A, B], node => Assert.Equal("ab", play.Seen(node)));
    }

    [Fact]
    public void A_restored_disk_goes_on_as_another_origin()
    {
        var restored = false;
        var play = Stage(_ => new DeltaOptions { IsRestored = restored });
        play.Add(A, 'a');
        play.Sync(A);
        restored = true;
        play.Crash(A);
        Assert.Equal((new Origin(A, 1), "a"), (play.At(A).Self, play.Seen(A)));
        play.Add(A, 'b');
        play.Settle();
        Assert.Equal("ab", play.Seen(B));
    }

    [Fact]
    public void What_a_former_life_of_a_peer_acknowledged_is_not_taken_for_granted()
    {
        var play = Stage();
        play.Add(A, 'a');
        play.Settle();
        Assert.Equal(1, play.At(A).Acknowledged(B));
        play.Receive(B, A, new Message.Have(new Origin(B, 5), play.At(C).Replica.Save()));
        Assert.Null(play.At(A).Acknowledged(B));
        play.Fire(A, Sync);
        Assert.IsType<Message.Full>(play.Between(A, B).Last());
    }

    [Fact]
    public void An_interval_for_a_former_life_is_refused_and_its_sender_hears_who_lives()
    {
        var play = Stage();
        play.Receive(B, A, new Message.Interval(First(B), new Origin(A, 7), 3, 4, Delta(First(B), 'b')));
        Assert.Equal([Refusal.StaleBallot], play.Refusals(A));
        Assert.Equal("", play.Seen(A));
        play.Sync(A);
        Assert.Equal(new Message.Ack(First(A), First(B), -1), play.Between(A, B).Single());
        play.Receive(B, A, new Message.Missing(First(B), new Origin(A, 7), 4, Delta(First(B), 'b')));
        Assert.Equal("", play.Seen(A));
        play.Receive(B, A, new Message.Interval(First(B), First(A), 3, 4, Delta(First(B), 'b')));
        Assert.Equal("b", play.Seen(A));
    }

    [Fact]
    public void An_acknowledgement_to_a_former_life_counts_for_nothing()
    {
        var play = Stage();
        play.Add(A, 'a');
        play.Sync(A);
        play.Receive(B, A, new Message.Ack(First(B), new Origin(A, 7), 1));
        Assert.Null(play.At(A).Acknowledged(B));
        play.Receive(B, A, new Message.Ack(First(B), First(A), 1));
        Assert.Equal(1, play.At(A).Acknowledged(B));
        Assert.Equal([Refusal.StaleBallot], play.Refusals(A));
    }

    [Fact]
    public void What_came_from_a_peer_is_not_sent_back_to_it()
    {
        var play = Stage();
        play.Settle();
        play.Add(B, 'b');
        play.Talk(B);
        Assert.Equal("b", play.Seen(A));
        play.Fire(A, Sync);
        Assert.Empty(play.Network);
        Assert.Equal(1, play.At(A).Acknowledged(B));
        play.Add(A, 'a');
        play.Fire(A, Sync);
        play.Sync(A);
        Assert.Equal(Delta(First(A), 'a').ToArray(), ((Message.Interval)play.Between(A, B).Single()).Delta.ToArray());
    }

    [Fact]
    public void Of_a_delta_only_what_was_not_known_is_kept_and_passed_on()
    {
        var play = Stage();
        play.Add(A, 'a');
        play.Settle();
        var set = new LetterSet(hasDigest: false);
        set.Join(play.At(A).Replica.Save());
        set.Become(First(C));
        set.Mutate(Key.Of("+c").Memory, Calm.Context, out _);
        play.Receive(C, B, new Message.Full(First(C), 1, set.Save()));
        Assert.Equal(Delta(First(C), 'c').ToArray(), ((Record.Changed)play.Log(B)[^1]).Delta.ToArray());
    }

    [Fact]
    public void Changes_that_all_peers_have_are_dropped_and_beyond_the_cap_whoever_lacks_them()
    {
        var size = Delta(First(A), 'a').Length;
        var play = Stage(new DeltaOptions { MostBufferedBytes = 2 * size });
        play.Settle();
        play.Receive(C, A, new Message.Ack(First(C), First(A), 0));
        play.Add(A, 'a');
        play.Add(A, 'b');
        play.Talk(A);
        Assert.Equal((2L, 0L, 2L * size), (play.At(A).Acknowledged(B), play.At(A).Acknowledged(C), play.At(A).BufferedBytes));
        play.Talk(B);
        play.Receive(C, A, new Message.Ack(First(C), First(A), 1));
        Assert.Equal(size, play.At(A).BufferedBytes);
        play.Add(A, 'c');
        play.Add(A, 'd');
        Assert.Equal((2L * size, (long?)null, 2L), (play.At(A).BufferedBytes, play.At(A).Acknowledged(C), play.At(A).Acknowledged(B)));
    }

    [Fact]
    public void A_laggard_behind_dropped_changes_takes_state()
    {
        var play = Stage(new DeltaOptions { MostBufferedBytes = 2 * Delta(First(A), 'a').Length });
        play.Settle();
        play.Add(A, 'a');
        play.Add(A, 'b');
        play.Add(A, 'c');
        play.Fire(A, Sync);
        play.Sync(A);
        Assert.IsType<Message.Full>(play.Between(A, B).Single());
        play.Run();
        Assert.Equal("abc", play.Seen(B));
    }

    [Fact]
    public void Groups_of_deltas_are_bounded()
    {
        var play = Stage(new DeltaOptions { MostGroupBytes = 2 * Delta(First(A), 'a').Length });
        play.Settle();
        play.Add(A, 'a');
        play.Add(A, 'b');
        play.Add(A, 'c');
        play.Fire(A, Sync);
        play.Sync(A);
        Assert.Equal(2, ((Message.Interval)play.Between(A, B).Single()).Through);
        play.Run();
        play.Talk(A);
        Assert.Equal("abc", play.Seen(B));
    }

    [Fact]
    public void A_fenced_origin_is_not_listened_to_and_takes_nothing_over_into_its_next_life()
    {
        var play = Stage();
        play.Settle();
        play.Add(C, 'c');
        play.Sync(C);
        var roster = Trio.Fence(First(C));
        play.Submit(A, new DeltaSync.Command.Configure(roster));
        play.Submit(B, new DeltaSync.Command.Configure(roster));
        play.Sync(A);
        play.Talk(C);
        Assert.Equal(("", Refusal.StaleBallot), (play.Seen(A), play.Refusals(A)[^1]));
        play.Submit(C, new DeltaSync.Command.Configure(roster));
        Assert.Equal((new Origin(C, 1), ""), (play.At(C).Self, play.Seen(C)));
        play.Sync(C);
        play.Crash(C);
        Assert.Equal((new Origin(C, 1), ""), (play.At(C).Self, play.Seen(C)));
        play.Add(C, 'd');
        play.Settle();
        Assert.All([A, B], node => Assert.Equal("d", play.Seen(node)));
    }

    [Fact]
    public void What_everybody_has_seen_is_dropped_once_each_has_said_so_under_the_roster_in_force()
    {
        var play = Stage(hasDigest: true);
        var state = (LetterSet)play.At(A).Replica;
        var digest = state.Digest()!.Value;
        play.Receive(B, A, new Message.Seen(First(B), 1, digest));
        play.Fire(A, Stability);
        Assert.Equal(0, state.Compacted);
        play.Receive(C, A, new Message.Seen(First(C), 0, digest));
        play.Receive(C, A, new Message.Seen(First(C), 2, digest));
        play.Fire(A, Stability);
        Assert.Equal(0, state.Compacted);
        Assert.Equal([Refusal.StaleBallot, Refusal.NotReady], play.Refusals(A));
        play.Receive(C, A, new Message.Seen(First(C), 1, digest));
        play.Fire(A, Stability);
        Assert.Equal(1, state.Compacted);

        // A former life's word does not hold for the next, and none is waited for who is given up.
        play.Receive(C, A, new Message.Inquire(new Origin(C, 4)));
        play.Fire(A, Stability);
        Assert.Equal(1, state.Compacted);
        play.Submit(A, new DeltaSync.Command.Configure(new Roster(2, [A, B], [new Origin(C, 4)])));
        play.Fire(A, Stability);
        Assert.Equal(1, state.Compacted);
        play.Receive(B, A, new Message.Seen(First(B), 2, digest));
        play.Fire(A, Stability);
        Assert.Equal(2, state.Compacted);
    }

    [Fact]
    public void A_crash_between_fence_and_new_life_ends_in_a_new_life()
    {
        var roster = Trio.Fence(First(A));
        var replica = new DeltaSync(A, Trio, new(), new LetterSet(hasDigest: false));
        var outbox = new Outbox<Message, Record, DeltaSync.Command, Result>();
        replica.Recover([new Record.Created(First(A), false), new Record.Changed(Delta(First(A), 'a')), new Record.Adopted(roster)], Calm.Context, outbox);
        Assert.Equal((new Origin(A, 1), 0L, ""), (replica.Self, replica.Changes, ((LetterSet)replica.Replica).Letters));
    }

    [Fact]
    public void What_is_forged_strange_malformed_or_repeated_is_refused_and_counted()
    {
        var play = Stage();
        play.Add(A, 'a');
        play.Sync(A);
        var (b, delta) = (First(B), Delta(First(B), 'b'));
        play.Receive(new NodeId(9), A, new Message.Full(First(new NodeId(9)), 1, delta));
        play.Receive(A, A, new Message.Full(First(A), 1, delta));
        play.Receive(B, A, new Message.Full(First(C), 1, delta));
        play.Receive(B, A, new Message.Full(default, 1, delta));
        play.Receive(B, A, new Message.Full(b, 1, "?"u8.ToArray()));
        play.Receive(B, A, new Message.Full(b, -1, delta));
        play.Receive(B, A, new Message.Full(b, 1, new byte[(64 << 20) + 1]));
        play.Receive(B, A, new Message.Interval(b, First(A), 2, 2, delta));
        play.Receive(B, A, new Message.Interval(b, First(A), -1, 2, delta));
        play.Receive(B, A, new Message.Ack(b, First(A), 2));
        play.Receive(B, A, new Message.Ack(b, First(A), -2));
        play.Receive(B, A, new Message.Have(b, "?"u8.ToArray()));
        play.Receive(B, A, new Message.Inquire(b));
        Assert.Equal("a", play.Seen(A));
        play.Receive(B, A, new Message.Full(b, 1, delta));
        play.Receive(B, A, new Message.Full(b, 1, delta));
        Assert.Equal("ab", play.Seen(A));
        Assert.Equal(
            [
                Refusal.NotMember, Refusal.NotMember, Refusal.Forged, Refusal.Forged, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed,
                Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Unknown, Refusal.Duplicate,
            ],
            play.Refusals(A));
    }

    [Fact]
    public void A_checkpoint_is_all_that_recovery_needs()
    {
        var play = Stage();
        play.Add(A, 'a');
        play.Add(B, 'b');
        play.Settle();
        var outbox = new Outbox<Message, Record, DeltaSync.Command, Result>();
        play.At(A).Checkpoint(Calm.Context, outbox);
        var again = new DeltaSync(A, Trio, new(), new LetterSet(hasDigest: false));
        again.Recover([.. outbox.Records], Calm.Context, new());
        Assert.Equal((play.At(A).Self, play.At(A).Changes), (again.Self, again.Changes));
        Assert.Equal(play.At(A).Replica.Save().ToArray(), again.Replica.Save().ToArray());
    }

    [Fact]
    public void An_older_roster_changes_nothing_and_one_that_is_not_sound_is_rejected()
    {
        var play = Stage();
        play.Sync(A);
        play.Submit(A, new DeltaSync.Command.Configure(Roster.Of(A)));
        play.Submit(A, new DeltaSync.Command.Configure(new Roster(3, [B, A], [])));
        Assert.Equal(Trio, play.At(A).Roster);
        Assert.Equal<Result>([new Result.Configured(1), new Result.Rejected()], play.Answers(A).Select(answer => answer.Result));
        Assert.Throws<ArgumentException>(() => new DeltaSync(A, new Roster(1, [B, A], []), new(), new LetterSet(false)));
    }
}
