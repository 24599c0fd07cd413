using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Message = Snapshots.ChandyLamport.Message;
using Process = Snapshots.ChandyLamport;
using Record = Snapshots.ChandyLamport.Record;

/// <summary>The rules of snapshots.md §3 on channels that keep the order.</summary>
public sealed class PaperTests
{
    [Fact]
    public void Start_sends_a_marker_on_every_outgoing_channel_before_any_further_message()
    {
        var play = Stage(Mesh);
        play.Submit(A, Begin);
        play.Submit(A, Transfer(10, B));
        play.Sync(A);
        Assert.Equal(["Marker s1.1 after 0", "1:10"], Parcels(play, A, B));
        Assert.Equal(["Marker s1.1 after 0"], Parcels(play, A, C));
    }

    [Fact]
    public void Markers_go_out_and_channels_come_in()
    {
        var play = Stage(Ring);
        play.Submit(A, Begin);
        play.Run();
        var cut = play.Taken(A);
        Assert.Equal([B, C, A], from piece in cut.Pieces select piece.Sent.Single().To);
        Assert.Equal([C, A, B], from piece in cut.Pieces select piece.Incoming.Single().From);
        Assert.Null(cut.Inconsistency());
    }

    [Fact]
    public void The_channel_of_the_first_marker_is_empty_whatever_follows_it()
    {
        var play = Stage(Mesh);
        play.Submit(A, Begin);
        play.Submit(A, Transfer(10, B));
        play.Sync(A);
        play.Deliver(A, B);
        play.Deliver(A, B);
        play.Run();
        Assert.Equal("", play.Taken(A).In(A, B));
        Assert.Equal(("100", "100"), (play.Taken(A).State(A), play.Taken(A).State(B)));
    }

    [Fact]
    public void What_was_sent_before_the_marker_and_received_after_my_record_is_in_the_channel_and_processed_all_the_same()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Sync(B);
        play.Submit(A, Begin);
        play.Run();
        var cut = play.Taken(A);
        Assert.Equal("30", cut.In(B, A));
        Assert.Equal(("100", "70", "100"), (cut.State(A), cut.State(B), cut.State(C)));
        Assert.Equal(300, BankBranch.Money(cut));
        Assert.Equal(1, play.At(A).ReceivedFrom(B));
    }

    [Fact]
    public void The_second_marker_ends_the_record_of_its_channel()
    {
        var play = Stage(Mesh);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Submit(B, Transfer(30, A));
        play.Run();
        Assert.Equal("", play.Taken(A).In(B, A));
        Assert.Equal("100", play.Taken(A).State(B));
    }

    [Fact]
    public void A_process_that_nothing_comes_in_to_is_done_at_once_and_reached_by_nobody()
    {
        var line = new Topology(1, NodeSet.Of(A, B), [new Edge(A, B)]);
        var play = Stage(line);
        play.Submit(B, Begin);
        play.Run();
        Assert.Empty(play.Answers(B));
        play.Fire(B, Limit);
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal([SnapshotEnd.TimedOut], play.Failures(B));
        Assert.Null(play.Taken(A).Inconsistency());
    }

    [Fact]
    public void A_piece_leaves_when_the_inputs_it_follows_from_are_durable()
    {
        var play = Stage(Ring);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        Assert.Empty(play.Network);
        play.Sync(B);
        Assert.IsType<Message.Hand>(Assert.Single(play.Between(B, A), message => message is Message.Hand));
    }

    [Fact]
    public void Complete_is_reported_when_every_piece_and_the_record_that_names_them_are_durable()
    {
        var play = Stage(Ring);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Sync(B);
        play.Deliver(B, C);
        play.Sync(C);
        while (play.Network.Any(item => item.To == A))
        {
            play.Deliver(play.Network.First(item => item.To == A).From, A);
        }

        Assert.Equal(new Record.Closed(1, SnapshotEnd.Complete), play.Log(A)[^1]);
        Assert.Equal(3, play.Log(A).OfType<Record.Collected>().Count());
        Assert.Empty(play.Answers(A));
        play.Sync(A);
        Assert.Equal(1, play.Taken(A).Id.Number);
        play.Crash(A);
        Assert.Equal(1, play.At(A).Latest!.Id.Number);
    }

    [Fact]
    public void Several_initiators_and_several_snapshots_of_one_are_kept_apart()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Sync(B);
        play.Submit(A, Begin);
        play.Submit(C, Begin);
        play.Sync(C);
        play.Deliver(C, A);
        play.Submit(A, Begin);
        play.Submit(A, Transfer(5, C));
        play.Run();
        var cuts = play.Answers(A).Concat(play.Answers(C)).Select(answer => answer.Result).OfType<Process.Result.Taken>().Select(item => item.Cut).ToList();
        Assert.Equal(3, cuts.Select(cut => cut.Id).Distinct().Count());
        Assert.All(cuts, cut => Assert.Null(cut.Inconsistency()));
        Assert.All(cuts, cut => Assert.Equal(300, BankBranch.Money(cut)));
        Assert.All(cuts, cut => Assert.Equal("30", cut.In(B, A)));
    }

    [Fact]
    public void An_earlier_snapshot_that_completes_last_is_told_as_itself_and_does_not_replace_the_later_one()
    {
        var play = Stage(Topology.Mesh(1, NodeSet.Of(A, B)));
        play.Submit(A, Begin);
        play.Submit(A, Transfer(30, B));
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Sync(B);
        while (play.Network.First(item => item.From == B).Message is not Message.Hand)
        {
            play.Deliver(B, A);
        }

        play.Drop(B, A);
        play.Run();
        Assert.Equal([2], Numbers());
        play.Fire(B, Resend);
        play.Run();
        Assert.Equal([2, 1], Numbers());
        Assert.Equal(2, play.At(A).Latest!.Id.Number);
        play.Crash(A);
        Assert.Equal(2, play.At(A).Latest!.Id.Number);

        IEnumerable<long> Numbers() => play.Answers(A).Select(answer => answer.Result).OfType<Process.Result.Taken>().Select(taken => taken.Cut.Id.Number);
    }

    [Fact]
    public void A_snapshot_that_takes_too_long_is_given_up_everywhere_its_late_markers_start_nothing_and_the_next_succeeds()
    {
        var play = Stage(Mesh);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Delay(A, C);
        play.Fire(A, Limit);
        play.Run();
        Assert.Equal([SnapshotEnd.TimedOut], play.Failures(A));
        Assert.All([A, B, C], node => Assert.Empty(play.At(node).Recordings));
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal(2, play.Taken(A).Id.Number);
    }

    [Fact]
    public void A_change_of_channels_ends_the_snapshots_before_it_and_those_of_members_that_have_not_changed_yet()
    {
        var play = Stage(Mesh);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Submit(B, new Process.Command.Reconfigure(Ring with { Epoch = 2 }, default));
        play.Run();
        Assert.Equal([SnapshotEnd.Reconfigured], play.Failures(A));
        play.Submit(A, new Process.Command.Reconfigure(Ring with { Epoch = 2 }, default));
        play.Submit(C, Begin);
        play.Run();
        Assert.Equal([SnapshotEnd.Reconfigured], play.Failures(C));
        play.Submit(C, new Process.Command.Reconfigure(Ring with { Epoch = 2 }, default));
        play.Run();
        play.Submit(C, Begin);
        play.Run();
        Assert.Equal(2, play.Taken(C).Topology.Epoch);
        Assert.Null(play.Taken(C).Inconsistency());
    }

    [Fact]
    public void A_change_of_channels_ends_the_initiators_own_snapshots()
    {
        var play = Stage(Mesh);
        play.Submit(A, Begin);
        play.Submit(A, new Process.Command.Reconfigure(Mesh with { Epoch = 2 }, default));
        play.Sync(A);
        Assert.Equal([SnapshotEnd.Reconfigured], play.Failures(A));
    }

    [Fact]
    public void Who_has_no_channel_any_more_sends_nothing_and_epochs_only_grow()
    {
        var play = Stage(Mesh);
        play.Submit(A, new Process.Command.Reconfigure(Ring with { Epoch = 2 }, default));
        play.Submit(A, Transfer(10, C));
        play.Run();
        Assert.Equal("Acted refused", $"{play.Answers(A)[^1].Result}");
        play.Submit(A, new Process.Command.Reconfigure(Ring, default));
        Assert.IsType<Process.Result.Malformed>(play.Answers(A)[^1].Result);
    }

    [Fact]
    public void A_crash_delays_a_snapshot_and_does_not_end_it()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Sync(B);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Sync(B);
        play.Deliver(B, A);
        play.Sync(A);
        play.Crash(A);
        play.Crash(B);
        play.Run();
        Assert.Empty(play.Answers(A));
        Assert.Equal("30", play.At(A).Latest!.In(B, A));
        Assert.Equal(300, BankBranch.Money(play.At(A).Latest!));
    }

    [Fact]
    public void An_initiator_that_crashes_between_the_last_piece_and_the_end_ends_it_when_it_is_back()
    {
        var play = Stage(new Topology(1, NodeSet.Of(A), []));
        play.Submit(A, Begin);
        play.Run();
        var records = play.Log(A).Take(2).ToList();
        var again = new Process(A, new Topology(1, NodeSet.Of(A), []), new ChandyLamportOptions(), new BankBranch(100));
        again.Recover(records, new Still(), new());
        Assert.Equal(1, again.Latest!.Id.Number);
    }

    [Fact]
    public void Numbers_are_not_used_again_by_another_life()
    {
        var play = Stage(Ring);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Crash(A);
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal(2, play.Taken(A).Id.Number);
    }

    [Fact]
    public void Whoever_lost_the_news_of_the_end_asks_for_it()
    {
        var play = Stage(Mesh);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Sync(B);
        play.Fire(A, Limit);
        play.Sync(A);
        play.Drop(A, B);
        Assert.Single(play.At(B).Recordings);
        play.Fire(B, Resend);
        play.Run();
        Assert.Empty(play.At(B).Recordings);
    }

    [Fact]
    public void A_process_gives_up_what_would_fill_its_memory()
    {
        var play = Stage(Mesh);
        for (var count = 0; count < 9; count++)
        {
            play.Submit(B, Transfer(10, A));
        }

        play.Sync(B);
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal([SnapshotEnd.TooLarge], play.Failures(A));
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal("190", play.Taken(A).State(A));
    }

    [Fact]
    public void Ended_snapshots_leave_nothing_behind()
    {
        var play = Stage(Mesh);
        Take(5);
        var before = Size(play.At(B));
        Take(40);
        Assert.InRange(Size(play.At(B)), before, before + 16);

        void Take(int count)
        {
            for (var number = 0; number < count; number++)
            {
                play.Submit(number % 2 == 0 ? A : C, Begin);
                play.Run();
            }
        }
    }

    [Fact]
    public void An_image_stands_for_all_records_before_it()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        var outbox = new Outbox<Message, Record, Process.Command, Process.Result>();
        play.At(B).Checkpoint(new Still(), outbox);
        var copy = new Process(B, Mesh, new ChandyLamportOptions(), new BankBranch(1));
        copy.Recover([outbox.Records[0]], new Still(), new());
        Assert.Equal(Size(play.At(B)), Size(copy));
        Assert.Equal(play.At(B).Recordings, copy.Recordings);
        Assert.Equal(1, copy.SentTo(A));
    }

    private static List<string> Parcels(
        Stage<Message, Record, Process.Command, Process.Result> play, NodeId from, NodeId to) =>
        [.. play.Between(from, to).OfType<Message.Data>().Select(data => data.Parcel.ToString())];

    private static int Size(Process process)
    {
        var writer = new CodecWriter();
        process.State(new StateWriter(writer));
        return writer.Length;
    }
}
