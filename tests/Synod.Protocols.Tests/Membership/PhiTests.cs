using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Message = Synod.Protocols.Gossip.Membership.Message;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>The phi-accrual detector by itself and as a choice (gossip.md §3).</summary>
public sealed class PhiTests
{
    private static readonly PhiAccrualOptions s_strict = new() { AcceptablePause = Duration.Zero };

    [Fact]
    public void Regular_answers_leave_no_doubt_and_missing_ones_let_it_grow()
    {
        var (beats, now) = Beats(s_strict, 100, 200);
        Assert.InRange(beats.Phi(now + Duration.FromMilliseconds(100)), 0, 0.99);
        var last = -1.0;
        for (var waited = 0; waited < 60_000; waited += 50)
        {
            var phi = beats.Phi(now + Duration.FromMilliseconds(waited));
            Assert.True(phi > last && double.IsFinite(phi), $"{phi} after {waited} ms, {last} before");
            last = phi;
        }

        Assert.True(last > 1_000_000);
    }

    /// <summary>Known points of the normal tail: 0.5, 0.1587, 0.0228 and 0.00135 at 0 to 3 deviations.</summary>
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.1587)]
    [InlineData(2, 0.02275)]
    [InlineData(3, 0.00135)]
    [InlineData(-2, 0.97725)]
    public void The_tail_is_that_of_the_normal_distribution(double deviations, double tail) =>
        Assert.Equal(-Math.Log10(tail), PhiAccrual.Phi(1_000 + 10 * deviations, 1_000, 10), 0.05);

    [Fact]
    public void Another_rhythm_is_learned_within_one_window()
    {
        var options = s_strict with { Window = 50 };
        var (beats, now) = Beats(options, 100, 60);
        Assert.True(beats.Phi(now + Duration.FromSeconds(1)) > 8);
        for (var beat = 0; beat < 50; beat++)
        {
            beats.Heartbeat(now += Duration.FromSeconds(1));
        }

        Assert.Equal(50, beats.Samples);
        Assert.InRange(beats.Phi(now + Duration.FromSeconds(1)), 0, 0.99);
    }

    [Fact]
    public void The_least_deviation_and_the_acceptable_pause_keep_it_calm()
    {
        var (nervous, now) = Beats(s_strict with { LeastDeviation = Duration.FromMilliseconds(1) }, 100, 200);
        var (calm, _) = Beats(s_strict, 100, 200);
        var (patient, _) = Beats(s_strict with { AcceptablePause = Duration.FromSeconds(3) }, 100, 200);
        var late = now + Duration.FromMilliseconds(250);
        Assert.True(nervous.Phi(late) > 8);
        Assert.InRange(calm.Phi(late), 0.5, 8);
        Assert.InRange(patient.Phi(late), 0, 0.001);
    }

    /// <summary>Delays with a heavy tail, under which a threshold of 8 is crossed by far less than one answer in a thousand.</summary>
    [Fact]
    public void Heavy_tails_seldom_cross_the_threshold()
    {
        var random = new Synod.Simulation.SeededRandom(7);
        var beats = new PhiAccrual(new PhiAccrualOptions(), Duration.FromMilliseconds(100), default);
        var (now, crossed) = (new Instant(0), 0);
        for (var beat = 0; beat < 20_000; beat++)
        {
            now += Duration.FromMilliseconds(80) + random.Wait(Duration.FromMilliseconds(20)) * (random.Below(50) == 0 ? 20 : 1);
            crossed += beats.Phi(now) >= 8 ? 1 : 0;
            beats.Heartbeat(now);
        }

        Assert.InRange(crossed, 0, 2);
    }

    [Fact]
    public void A_pause_of_ones_own_is_no_sample()
    {
        var (beats, now) = Beats(s_strict, 100, 200);
        now += Duration.FromSeconds(30);
        Assert.True(beats.Phi(now) > 8);
        beats.Skip(now);
        Assert.InRange(beats.Phi(now), 0, 0.99);
        beats.Heartbeat(now + Duration.FromMilliseconds(100));
        Assert.True(beats.Phi(now + Duration.FromMilliseconds(900)) > 8, "the pause was learned");
    }

    [Fact]
    public void As_the_detector_it_watches_the_next_members_and_accuses_who_is_silent()
    {
        var lone = new Lone(Watching(), members: 5);
        for (var beat = 0; beat < 20; beat++)
        {
            lone.Fire(Timer.Period);
            Assert.Equal([B, C], lone.All<Message.Ping>().Select(ping => ping.Target));
            var sequence = lone.All<Message.Ping>().First().Sequence;
            lone.Receive(B, new Message.Ack(sequence));
            Assert.Empty(lone.Refusals);
            lone.Receive(B, new Message.Ack(sequence));
            Assert.Equal([Refusal.Unexpected], lone.Refusals);
        }

        Assert.Equal(MemberStatus.Alive, lone.StatusOf(B));
        Assert.Equal(MemberStatus.Suspect, lone.StatusOf(C));
        Assert.Equal([Self], lone.Node.Accusers(C));
        lone.Fire(Timer.Suspicion, C);
        lone.Fire(Timer.Period);
        Assert.Equal([B, D], lone.All<Message.Ping>().Select(ping => ping.Target));
    }

    [Fact]
    public void As_the_detector_it_does_not_hold_its_own_pauses_against_others()
    {
        var lone = new Lone(Watching(), members: 3);
        for (var beat = 0; beat < 20; beat++)
        {
            lone.Fire(Timer.Period);
            foreach (var (to, message) in lone.Sent.Where(sent => sent.Message is Message.Ping).ToList())
            {
                lone.Receive(to, new Message.Ack(((Message.Ping)message).Sequence));
            }
        }

        lone.Fire(Timer.Period, late: Duration.FromSeconds(60));
        Assert.Equal(MemberStatus.Alive, lone.StatusOf(B));
        lone.Fire(Timer.Period);
        Assert.Equal(MemberStatus.Alive, lone.StatusOf(B));
    }

    private static MembershipOptions Watching() => new()
    {
        Detector = FailureDetector.PhiAccrual, Neighbours = 2, Phi = new PhiAccrualOptions { AcceptablePause = Duration.FromSeconds(1) },
    };

    private static (PhiAccrual Beats, Instant Now) Beats(PhiAccrualOptions options, int milliseconds, int count)
    {
        var (beats, now) = (new PhiAccrual(options, Duration.FromMilliseconds(milliseconds), default), new Instant(0));
        for (var beat = 0; beat < count; beat++)
        {
            beats.Heartbeat(now += Duration.FromMilliseconds(milliseconds));
        }

        return (beats, now);
    }
}
