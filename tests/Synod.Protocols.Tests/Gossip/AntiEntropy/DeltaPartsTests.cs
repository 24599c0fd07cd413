using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Letters;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Message = DeltaSync.Message;
using Play = Stage<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result>;

/// <summary>States that are larger than a message.</summary>
public sealed class DeltaPartsTests
{
    private const string All = "abcdefgh";
    private const int Most = 8;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_state_larger_than_a_message_goes_in_parts_and_is_joined_as_a_whole(bool hasDigest)
    {
        var play = Filled(hasDigest);
        play.Fire(A, Sync);
        if (hasDigest)
        {
            play.Deliver(A, B);
            play.Sync(B);
            play.Deliver(B, A);
        }

        var (parts, size) = (0, play.At(A).Replica.Save().Length);
        while (play.Between(A, B).SingleOrDefault() is Message.Part part)
        {
            Assert.Equal((parts * Most, size), (part.Offset, part.Length));
            Assert.InRange(part.Bytes.Length, 1, Most);
            Assert.Equal("", play.Seen(B));
            parts++;
            play.Deliver(A, B);
            play.Sync(B);
            play.Deliver(B, A);
        }

        Assert.Equal((size + Most - 1) / Most, parts);
        Assert.Equal((All, 8L), (play.Seen(B), play.At(A).Acknowledged(B)));
    }

    [Fact]
    public void A_change_larger_than_a_message_goes_so_too()
    {
        var play = Stage(new DeltaOptions { MostMessageBytes = Delta(First(A), 'a').Length });
        play.Settle();
        play.Add(A, 'a');
        play.Add(A, 'b');
        play.Sync(A);
        play.Fire(A, Sync);
        Assert.IsType<Message.Part>(play.Between(A, B).Single());
        play.Run();
        Assert.Equal(("ab", 2L), (play.Seen(B), play.At(A).Acknowledged(B)));
    }

    [Fact]
    public void A_lost_part_costs_itself()
    {
        var play = Begun();
        play.Drop(A, B);
        play.Fire(A, Sync);
        Assert.Empty(play.Between(A, B));
        play.Fire(A, Sync);
        Assert.True(((Message.Part)play.Between(A, B).Single()).Bytes.IsEmpty);
        play.Deliver(A, B);
        play.Deliver(B, A);
        Assert.Equal(Most, ((Message.Part)play.Between(A, B).Single()).Offset);
        play.Run();
        Assert.Equal(All, play.Seen(B));
    }

    /// <summary>Nobody who is away is sent parts again and again.</summary>
    [Fact]
    public void Who_is_silent_is_asked_with_nothing_in_it()
    {
        var play = Begun();
        play.Drop(A, B);
        play.Fire(A, Sync);
        for (var tries = 0; tries < 5; tries++)
        {
            play.Fire(A, Sync);
            Assert.Equal(0, ((Message.Part)play.Between(A, B).Single()).Bytes.Length);
            play.Drop(A, B);
        }
    }

    [Fact]
    public void A_sender_that_died_goes_on_where_it_was_if_its_state_is_the_same()
    {
        var play = Begun();
        play.Drop(A, B);
        play.Crash(A);
        play.Fire(A, Sync);
        play.Deliver(A, B);
        play.Deliver(B, A);
        Assert.Equal(Most, ((Message.Part)play.Between(A, B).Single()).Offset);
    }

    [Fact]
    public void Parts_of_another_state_begin_anew()
    {
        var play = Begun();
        play.Drop(A, B);
        play.Crash(A);
        play.Add(A, 'i');
        play.Sync(A);
        play.Fire(A, Sync);
        play.Run();
        Assert.Equal(All + "i", play.Seen(B));
        Assert.DoesNotContain(Refusal.Malformed, play.Refusals(B));
    }

    [Fact]
    public void A_lost_acknowledgement_is_told_again_without_the_state()
    {
        var play = Begun();
        while (play.At(B).Changes == 0)
        {
            play.Deliver(A, B);
            play.Sync(B);
            if (play.At(B).Changes == 0)
            {
                play.Deliver(B, A);
            }
        }

        play.Drop(B, A);
        play.Fire(A, Sync);
        play.Fire(A, Sync);
        play.Deliver(A, B);
        Assert.IsType<Message.Ack>(play.Between(B, A).Single());
        play.Run();
        Assert.Equal(8, play.At(A).Acknowledged(B));
    }

    [Fact]
    public void Parts_that_cannot_be_or_are_not_of_what_they_say_are_refused()
    {
        var play = Stage();
        var (b, delta) = (First(B), Delta(First(B), 'b'));
        var (of, half) = (ItemHash.Of(Key.Empty, delta.Span).Short, delta.Length / 2);
        play.Receive(B, A, Part(-1, of, 0, delta, delta.Length));
        play.Receive(B, A, Part(1, of, -1, delta, delta.Length));
        play.Receive(B, A, Part(1, of, 1, delta, delta.Length));
        play.Receive(B, A, Part(1, of, 0, delta, (64 << 20) + 1));
        play.Receive(B, A, Part(1, new(7), 0, delta, delta.Length));
        play.Receive(B, A, Part(1, of, 0, delta, delta.Length) with { Receiver = new Origin(A, 5) });
        play.Receive(B, A, new Message.Want(b, of, 0));
        Assert.Equal("", play.Seen(A));
        play.Receive(B, A, Part(1, of, 0, delta[..half], delta.Length));
        play.Receive(B, A, Part(1, of, 0, delta[..half], delta.Length));
        play.Receive(B, A, Part(1, of, half, delta[half..], delta.Length));
        Assert.Equal("b", play.Seen(A));
        Assert.Equal(
            [
                Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.StaleBallot,
                Refusal.Unknown, Refusal.Duplicate,
            ],
            play.Refusals(A));

        Message.Part Part(long through, Fingerprint of, int offset, ReadOnlyMemory<byte> bytes, int length) =>
            new(b, default, through, of, length, offset, bytes);
    }

    private static Play Filled(bool hasDigest = false)
    {
        var play = Stage(new DeltaOptions { MostMessageBytes = Most }, hasDigest);
        foreach (var letter in All)
        {
            play.Add(A, letter);
        }

        play.Sync(A);
        return play;
    }

    /// <summary>One part has arrived, and the second is under way.</summary>
    private static Play Begun()
    {
        var play = Filled();
        play.Fire(A, Sync);
        play.Deliver(A, B);
        play.Sync(B);
        play.Deliver(B, A);
        return play;
    }
}
