using Synod.Core;
using Synod.Lab.Scenarios;
using Synod.Lab.Scenarios.Byzantine;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Costs;

/// <summary>What one decision of a Byzantine protocol cost in a run without faults, where only messages take time.</summary>
/// <param name="Messages">Between different replicas; the client's own not counted.</param>
/// <param name="Delays">From the proposal to the last replica's decision.</param>
/// <param name="ClientDelays">From the client's request to its answer; 0 where clients were not asked.</param>
/// <param name="Agrees">Whether the run's replicas agreed.</param>
internal sealed record ByzantineCount(long Messages, long Delays, long ClientDelays, bool Agrees)
{
    private static readonly Duration s_delay = Duration.FromMilliseconds(1);

    public static ByzantineCount OfPbft(ulong seed, int replicas)
    {
        var cast = new PbftCast(seed, replicas, ["X"], recorded: false, delay: s_delay, sync: Duration.Zero);
        var stage = cast.Stage;
        var members = cast.Replicas.ToHashSet();
        var (messages, proposed) = (0L, Duration.Zero);
        stage.Sent = (from, to, message) =>
        {
            if (members.Contains(from) && members.Contains(to)
                && message is Pbft.Message.PrePrepare or Pbft.Message.Prepare or Pbft.Message.Commit)
            {
                messages++;
                proposed = message is Pbft.Message.PrePrepare ? stage.Now : proposed;
            }
        };
        cast.Invoke(cast.Clients[0], "x+");
        stage.RunUntil(() => cast.Correct.All(replica => replica.Executed.Value == 1), Duration.FromSeconds(1));
        var executed = stage.Now;
        stage.RunUntil(() => stage.Answers.Count == 1, Duration.FromSeconds(1));
        var answered = stage.Answers.Count == 1 ? stage.Now : Duration.Zero;
        stage.RunUntil(stage.Now + s_delay * 3);
        var report = new Report(new HotStuffLinear(), seed);
        cast.Judge(report);
        return new(messages, InDelays(executed - proposed), InDelays(answered), report.Verdict == Verdict.Consistent);
    }

    /// <summary>
    /// Counts what one command more costs among several that wait: the blocks at the end that only commit what is before them are not
    /// any one command's.
    /// </summary>
    public static ByzantineCount OfHotStuff(ulong seed, IHotStuffRules rules, int replicas)
    {
        var cast = new HotStuffCast(seed, rules, replicas, s_delay, Duration.Zero);
        var stage = cast.Stage;
        var (messages, proposed) = (0L, Duration.Zero);
        stage.Sent = (_, _, message) =>
        {
            messages++;
            proposed = message is HotStuff.Message.Proposal { Block.Commands.IsEmpty: false } ? stage.Now : proposed;
        };
        Serve(1);
        Serve(1);
        var delays = InDelays(stage.Now - proposed);
        stage.RunUntil(stage.Now + Duration.FromMilliseconds(50));
        var (few, many) = (Serve(2), Serve(3));
        return new(many - few, delays, 0, HotStuff.Agree(cast.All) && HotStuff.AreCommitsKept([.. cast.All]));

        long Serve(int commands)
        {
            var before = messages;
            for (var count = 0; count < commands; count++)
            {
                cast.Submit();
            }

            Invariant.Check(stage.RunUntil(() => cast.IsDone, stage.Now + Duration.FromSeconds(10)), "CountedRunEnds");
            if (commands > 1)
            {
                stage.RunUntil(stage.Now + Duration.FromMilliseconds(50));
            }

            return messages - before;
        }
    }

    private static long InDelays(Duration time) => time.Nanoseconds / s_delay.Nanoseconds;
}
