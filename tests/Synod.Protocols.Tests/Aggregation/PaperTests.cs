using System.Collections.Immutable;
using CsCheck;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Tests.Aggregation.Sum;

namespace Synod.Protocols.Tests.Aggregation;

using Message = Synod.Protocols.Gossip.Aggregation.Message;
using Process = Synod.Protocols.Gossip.Aggregation;

/// <summary>The rules of gossip.md §8.</summary>
public sealed class PaperTests
{
    [Fact]
    public void A_node_keeps_half_and_sends_half()
    {
        var play = InFirstEpoch(10, 20);
        var sent = play.Between(A, B).OfType<Message.Transfer>().Single().Mass;
        Assert.Equal((Mass.Unit / 2, Mass.Unit / 2), (sent.Nodes, play.At(A).Held.Nodes));
        Assert.Equal((Int128)5 * Mass.Unit, sent.Of(Metric)!.Sum);
        Assert.Equal([new RootWeight(A, Mass.RootUnit / 2)], sent.Roots);
        Assert.Empty(play.Between(B, A).OfType<Message.Transfer>().Single().Mass.Roots);
    }

    [Fact]
    public void Halves_add_up_to_the_last_unit()
    {
        Gen.Long[-(1L << 60), 1L << 60].Select(Gen.Int[1, 9]).Sample((sum, metrics) =>
        {
            var whole = new Mass(
                Math.Abs(sum),
                [new RootWeight(A, Math.Abs(sum) / 3)],
                [.. Enumerable.Range(0, metrics).Select(metric => new MetricMass(metric, (Int128)sum * 31, [new Bucket(-4, Math.Abs(sum) / 5), new Bucket(90, 7)], 0, 9))]);
            var (kept, sent) = whole.Halve();
            Assert.Equal($"{whole}", $"{kept.Plus(sent)}");
            Assert.True(kept.IsSound && sent.IsSound);
            Assert.Equal(whole.Metrics[0].Buckets, kept.Plus(sent).Metrics[0].Buckets);
        });
    }

    [Fact]
    public void What_is_on_its_way_is_not_lost_until_it_is_added_and_is_added_once()
    {
        var play = InFirstEpoch(10, 20);
        play.Drop(A, B);
        Assert.Null(Imbalance(play, 2));
        play.Fire(A, Round);
        play.Fire(A, Round);
        Assert.Contains(play.Between(A, B), message => message is Message.Transfer { Number: 1 });
        Assert.Null(Imbalance(play, 2));
        var again = play.Between(A, B).First(message => message is Message.Transfer { Number: 1 });
        play.Run();
        play.Receive(A, B, again);
        Assert.Equal([Refusal.Duplicate], play.Refusals(B));
        Assert.Contains(play.Between(B, A), message => message is Message.Ack { Number: 1 });
        play.Run();
        Assert.Empty(play.At(A).Unacknowledged);
        Assert.Null(Imbalance(play, 2));
    }

    [Fact]
    public void Nothing_of_an_epoch_leaves_before_it_is_durable_that_this_node_takes_part_in_it()
    {
        var play = Stage(2);
        play.Fire(A, Round);
        play.Fire(A, Round);
        Assert.True(play.At(A).TakesPart);
        Assert.Empty(play.Network);
        play.Sync(A);
        Assert.IsType<Message.Transfer>(Assert.Single(play.Network).Message);
    }

    [Fact]
    public void A_restart_sits_its_epoch_out_and_puts_in_with_the_next()
    {
        var play = InFirstEpoch(10, 20, 30);
        play.Run();
        play.Crash(B);
        Assert.Equal((1L, false), (play.At(B).Epoch, play.At(B).TakesPart));
        play.Fire(A, Round);
        play.Run();
        Assert.Equal([Refusal.NotReady], play.Refusals(B));
        Assert.NotEmpty(play.At(A).Unacknowledged);
        Until(play, A, 2);
        play.Submit(B, Observe(20));
        play.Run();
        Assert.Equal((2L, true, Mass.Unit), (play.At(B).Epoch, play.At(B).TakesPart, play.At(B).PutIn.Nodes));
    }

    [Fact]
    public void A_node_that_joins_carries_the_mass_of_others_and_puts_its_own_into_the_next_epoch()
    {
        var play = InFirstEpoch(10, 20, 30);
        Until(play, A, 2);
        play.Run();
        var d = new NodeId(4);
        var joiner = new Process(d, Options, PeerView.Of([A, B, C]));
        var outbox = new Outbox<Message, Process.Record, Process.Command, Process.Result>();
        joiner.Recover([], new Still(), outbox);
        joiner.Receive(A, new Message.Transfer(2, 50, new Mass(8, [], [])), new Still(), outbox);
        Assert.Equal((2L, true, 0L, 8L), (joiner.Epoch, joiner.TakesPart, joiner.PutIn.Nodes, joiner.Held.Nodes));
        joiner.Receive(A, new Message.Transfer(3, 1, Mass.Zero), new Still(), outbox);
        Assert.Equal(Mass.Unit, joiner.PutIn.Nodes);
    }

    [Fact]
    public void Mass_of_an_epoch_that_is_over_is_refused_and_its_sender_is_told_of_the_later_one()
    {
        var play = InFirstEpoch(10, 20);
        play.Run();
        Until(play, A, 2);
        play.Sync(A);
        var before = play.At(A).Held;
        play.Receive(B, A, new Message.Transfer(1, 40, new Mass(5, [], [])));
        Assert.Equal(before, play.At(A).Held);
        Assert.Equal([Refusal.StaleBallot], play.Refusals(A));
        while (play.Between(A, B).First() is not Message.Ahead)
        {
            play.Drop(A, B);
        }

        play.Run();
        Assert.Equal(2, play.At(B).Epoch);
        play.Receive(A, B, new Message.Ahead(1));
        Assert.Equal([Refusal.StaleBallot], play.Refusals(B));
    }

    [Fact]
    public void Everybody_comes_to_the_same_count_sum_average_extremes_and_quantiles()
    {
        var play = Stage(3, Options with { EpochRounds = 90 });
        NodeId[] nodes = [A, B, C];
        foreach (var (node, reading) in nodes.Zip([10L, 20, 90]))
        {
            play.Submit(node, Observe(reading));
        }

        for (var round = 0; round < 80; round++)
        {
            // Choices are zero on a stage, so views of one take turns.
            for (var index = 0; index < 3; index++)
            {
                if (round >= 2)
                {
                    play.Submit(nodes[index], new Process.Command.Meet(PeerView.Of([nodes[(index + 1 + round % 2) % 3]])));
                }

                play.Fire(nodes[index], Round);
                play.Submit(nodes[index], new Process.Command.Meet(PeerView.Of(nodes)));
            }

            play.Run();
        }

        foreach (var node in nodes)
        {
            var seen = play.At(node).Current;
            Assert.Equal((3L, 40L, 120L, 10L, 90L), (seen.Nodes, seen.Average(Metric), seen.Total(Metric), seen.Least(Metric), seen.Most(Metric)));
            Assert.Equal((20L, 90L), (seen.Quantile(Metric, 500), seen.Quantile(Metric, 990)));
            Assert.Null(seen.Average(99));
            Assert.Null(seen.Quantile(99, 500));
        }
    }

    [Fact]
    public void The_last_epochs_result_stands_while_the_next_is_computed()
    {
        var play = InFirstEpoch(10);
        Assert.Null(play.At(A).Latest);
        play.Submit(A, Observe(50));
        Until(play, A, 2);
        Assert.Equal((1L, 10L, 1L), (play.At(A).Latest!.Epoch, play.At(A).Latest!.Average(Metric), play.At(A).Latest!.Nodes));
        Assert.Equal(50, play.At(A).Current.Average(Metric));
        play.Submit(A, Observe());
        Until(play, A, 3);
        Assert.Null(play.At(A).Current.Average(Metric));
    }

    [Fact]
    public void Of_several_roots_everybody_counts_by_the_lowest()
    {
        var mass = new Mass(6 * Mass.Unit, [new RootWeight(A, Mass.RootUnit * 2), new RootWeight(B, Mass.RootUnit)], []);
        Assert.Equal(3, new Aggregates(1, mass).Nodes);
        Assert.Null(new Aggregates(1, mass with { Roots = [] }).Nodes);
        var many = mass.Plus(new Mass(0, [.. Enumerable.Range(3, 4).Select(number => new RootWeight(new NodeId(number), 1))], []));
        Assert.Equal(Mass.MostRoots, many.Roots.Length);
        Assert.Equal(A, many.Roots[0].Root);
    }

    [Fact]
    public void A_sketchs_bucket_is_within_a_thirtysecond_of_its_readings_and_buckets_are_in_order()
    {
        Gen.Long.Sample(reading =>
        {
            var index = Sketch.IndexOf(reading);
            Assert.True(Sketch.Has(index));
            Assert.True(Int128.Abs((Int128)Sketch.ReadingOf(index) - reading) * 32 <= Int128.Abs(reading), $"{reading}: {index} is {Sketch.ReadingOf(index)}");
            Assert.True(reading == long.MaxValue || Sketch.IndexOf(reading + 1) >= index);
        });
        Assert.False(Sketch.Has(int.MinValue));
    }

    [Fact]
    public void Sketches_merge_in_any_order_and_collapse_from_below_without_losing_weight()
    {
        ImmutableArray<long> readings = [.. Enumerable.Range(0, 256).Select(number => (long)Math.Pow(number + 1, 4))];
        var whole = MetricMass.Of(Metric, readings);
        Assert.Equal(Sketch.MostBuckets, whole.Buckets.Length);
        Assert.Equal(256 * Mass.Unit, whole.Count);
        var parts = MetricMass.Of(Metric, readings[128..]).Plus(MetricMass.Of(Metric, readings[..128]));
        Assert.Equal(256 * Mass.Unit, parts.Count);
        var ordered = readings.Sort();
        foreach (var perMille in new[] { 500, 900, 990 })
        {
            var truth = ordered[Math.Min(255, 256 * perMille / 1_000)];
            Assert.InRange(Sketch.Quantile(whole.Buckets, perMille, 1_000)!.Value, truth * 15 / 16, truth * 17 / 16);
            Assert.Equal(Sketch.Quantile(whole.Buckets, perMille, 1_000), Sketch.Quantile(parts.Buckets, perMille, 1_000));
        }

        Assert.Null(Sketch.Quantile([], 1, 2));
    }

    public static TheoryData<Refusal, int, Message> Lies => new()
    {
        { Refusal.NotMember, 9, new Message.Transfer(1, 50, Mass.Zero) },
        { Refusal.NotMember, 1, new Message.Transfer(1, 50, Mass.Zero) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 0, Mass.Zero) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(-1, [], [])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(1L << 62, [], [])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(1L << 61, [], [])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [new(B, 1), new(A, 1)], [])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [.. Enumerable.Range(1, 5).Select(number => new RootWeight(new(number), 1))], [])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [], [new(1, 0, [new(3, -1)], 0, 0)])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [], [new(1, 0, [new(3, 1), new(3, 1)], 0, 0)])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [], [new(1, 0, [new(5_000, 1)], 0, 0)])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [], [new(1, 0, [], 2, 1)])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [], [new(2, 0, [], 0, 0), new(1, 0, [], 0, 0)])) },
        { Refusal.Malformed, 2, new Message.Transfer(1, 50, new Mass(0, [], [.. Enumerable.Range(1, 17).Select(metric => new MetricMass(metric, 0, [], 0, 0))])) },
        { Refusal.Unexpected, 2, new Message.Ack(1, 50) },
        { Refusal.Unexpected, 2, new Message.Ack(2, 1) },
        { Refusal.Unexpected, 3, new Message.Ack(1, 1) },
        { Refusal.StaleBallot, 2, new Message.Ahead(1) },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public void What_cannot_be_is_refused_and_changes_nothing(Refusal refusal, int from, Message lie)
    {
        var play = InFirstEpoch(10, 20, 30);
        var (held, open) = (play.At(A).Held, play.At(A).Unacknowledged.Count());
        play.Receive(new NodeId(from), A, lie);
        Assert.Equal([refusal], play.Refusals(A));
        Assert.Equal((held, open), (play.At(A).Held, play.At(A).Unacknowledged.Count()));
    }

    [Fact]
    public void A_host_that_asks_for_too_much_is_told()
    {
        var play = Stage(1, Options with { MostReadings = 2 });
        play.Submit(A, Observe(1, 2, 3));
        play.Submit(A, new Process.Command.Observe(-1, [1]));
        for (var metric = 0; metric <= Mass.MostMetrics; metric++)
        {
            play.Submit(A, new Process.Command.Observe(metric, [1]));
        }

        Assert.Equal([0, 1, 2 + Mass.MostMetrics], play.Answers(A).Select((answer, index) => (answer, index)).Where(item => item.answer.Result is Process.Result.Malformed).Select(item => item.index));
        Assert.Throws<ArgumentException>(() => new Process(A, Options with { EpochRounds = 0 }, PeerView.Empty));
    }

    [Fact]
    public void Every_case_survives_its_binary_form_and_no_part_of_it_is_taken_for_the_whole()
    {
        var mass = new Mass(Mass.Unit / 3, [new(B, 5)], [MetricMass.Of(3, [-5, 900, 900]), MetricMass.Of(4, [long.MinValue])]);
        WireChecks.All(new Process.MessageWire(), new Message.Transfer(3, 9, mass), new Message.Ack(3, 9), new Message.Ahead(4));
        WireChecks.All(new Process.RecordWire(), new Process.Record.Entered(9));
    }

    [Fact]
    public void A_state_survives_its_visit()
    {
        var play = InFirstEpoch(10, 20);
        play.Deliver(B, A);
        var writer = new CodecWriter();
        play.At(A).State(new StateWriter(writer));
        var copy = new Process(A, Options, PeerView.Empty);
        copy.State(new StateReader(writer.ToArray()));
        Assert.Equal($"{play.At(A).Held}", $"{copy.Held}");
        Assert.True(copy.HasAdded(B, 1));
    }

    private static void Until(Stage<Message, Process.Record, Process.Command, Process.Result> play, NodeId node, long epoch)
    {
        while (play.At(node).Epoch < epoch)
        {
            play.Fire(node, Round);
        }
    }

    private static string? Imbalance(Stage<Message, Process.Record, Process.Command, Process.Result> play, int nodes) => new MassLedger().Imbalance(
        [.. Enumerable.Range(1, nodes).Select(number => (new NodeId(number), play.At(new NodeId(number))))]);
}
