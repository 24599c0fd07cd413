using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Tests.Rumors.Town;

namespace Synod.Protocols.Tests.Rumors;

using Message = Synod.Protocols.Gossip.Rumors.Message;
using Mongering = Synod.Protocols.Gossip.Rumors;

/// <summary>Input from peers is data: what is hostile, malformed, too large, forged or repeated is refused and counted.</summary>
public sealed class RefusalTests
{
    [Fact]
    public void A_stranger_is_not_listened_to() => Refused(Refusal.NotMember, new NodeId(9), Push(Rumor(B, 1, "x")));

    [Fact]
    public void Nobody_hears_from_itself() => Refused(Refusal.NotMember, A, Push(Rumor(B, 1, "x")));

    [Fact]
    public void A_strangers_rumor_is_not_believed() => Refused(Refusal.NotMember, B, Push(Rumor(new NodeId(9), 1, "x")));

    [Fact]
    public void A_rumor_in_my_name_that_I_did_not_start_is_forged() => Refused(Refusal.Forged, B, Push(Rumor(A, 1, "x")));

    [Fact]
    public void A_body_that_is_too_long_is_refused() => Refused(Refusal.Malformed, B, Push(Rumor(B, 1, new string('x', 33))));

    [Fact]
    public void More_than_fits_a_packet_is_refused() =>
        Refused(Refusal.Malformed, B, Push([.. Enumerable.Range(1, 6).Select(number => Rumor(B, number, "x"))]));

    [Fact]
    public void An_offer_that_nobody_asked_for_is_refused() =>
        Refused(Refusal.Unexpected, B, new Message.Offer(1, [], 1, [Rumor(B, 1, "x")]));

    [Fact]
    public void Two_bodies_of_one_id_are_noticed()
    {
        var play = Stage(Options());
        play.Receive(B, A, Push(Rumor(C, 1, "x")));
        play.Receive(B, A, Push(Rumor(C, 1, "y")));
        Assert.Equal([Refusal.Equivocation], play.Refusals(A));
        Assert.Equal(["n3.1:x"], play.Heard(A));
    }

    [Fact]
    public void Feedback_counts_once_and_from_whom_was_told_and_about_what_was_told()
    {
        var play = Stage(Options(k: 2));
        play.Submit(B, Spread("x"));
        play.Sync(B);
        play.Fire(B, Round);
        play.Receive(C, B, new Message.Feedback(1, [0]));
        play.Receive(A, B, new Message.Feedback(1, [1]));
        play.Receive(A, B, new Message.Feedback(1, [0, 0]));
        play.Receive(A, B, new Message.Feedback(2, [0]));
        Assert.Equal(4, play.Refusals(B).Count(refusal => refusal == Refusal.Unexpected));
        play.Receive(A, B, new Message.Feedback(1, [0]));
        play.Receive(A, B, new Message.Feedback(1, [0]));
        Assert.Equal(5, play.Refusals(B).Count);
        Assert.Equal(1, play.At(B).Hot);
    }

    [Fact]
    public void An_old_contact_is_over()
    {
        var play = Stage(Options(k: 1));
        play.Submit(B, Spread("x"));
        play.Sync(B);
        for (var round = 0; round < 5; round++)
        {
            play.Fire(B, Round);
        }

        play.Receive(A, B, new Message.Feedback(1, [0]));
        Assert.Equal([Refusal.Unexpected], play.Refusals(B));
        play.Receive(A, B, new Message.Feedback(2, [0]));
        Assert.Equal(0, play.At(B).Hot);
    }

    [Fact]
    public void What_a_host_asks_beyond_the_limits_is_answered_so()
    {
        var play = Stage(Options());
        play.Submit(A, Spread(new string('x', 33)));
        play.Submit(A, new RumorCommand.Learn(Rumor(new NodeId(9), 1, "x")));
        Assert.Equal(
            [new RumorResult.Refused(Refusal.Malformed), new RumorResult.Refused(Refusal.NotMember)], play.Answers(A).Select(answer => answer.Result));
    }

    [Fact]
    public void Every_case_survives_its_binary_form_and_no_part_of_it_is_taken_for_the_whole()
    {
        var rumor = Rumor(B, 300, "body");
        WireChecks.All(
            new Mongering.MessageWire(),
            new Message.Push(1, [rumor]),
            new Message.Pull(2, []),
            new Message.Offer(3, [0, 2], 4, [rumor, Rumor(C, 1, "")]),
            new Message.Feedback(5, [1]));
        WireChecks.All(new RumorRecordWire(), new RumorRecord.Started(rumor), new RumorRecord.Counted(7));
    }

    [Fact]
    public void Commands_survive_their_binary_form()
    {
        RumorCommand[] commands = [Spread("x"), new RumorCommand.Learn(Rumor(B, 3, "y")), new RumorCommand.Meet(PeerView.Of([B, A], false))];
        foreach (var command in commands)
        {
            var writer = new CodecWriter();
            new RumorCommandWire().Write(writer, command);
            var reader = new CodecReader(writer.ToArray());
            Assert.Equal($"{command}", $"{new RumorCommandWire().Read(ref reader)}");
            Assert.True(reader.IsComplete);
        }
    }

    private static void Refused(Refusal refusal, NodeId from, Message message)
    {
        var play = Stage(Options());
        play.Receive(from, A, message);
        Assert.Equal([refusal], play.Refusals(A).Distinct());
        Assert.Empty(play.Heard(A));
        Assert.Equal(0, play.At(A).Hot);
    }
}
