using Synod.Protocols.Commit;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script)
    {
        var stage = new Stage<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>(
            node => new TwoPhase(node, TwoPhaseCommitOptions.Default),
            timer => ((TwoPhase.Timer)timer.Kind).ToString(),
            Bank.Coordinator,
            Bank.A,
            Bank.B).Begin();
        return Play<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult, TwoPhase.Timer>(
            stage,
            script,
            words =>
            {
                switch (words[0])
                {
                    case "begin":
                        stage.Submit(Bank.Coordinator, Bank.Transfer([.. words[1..].Select(Node)]));
                        return true;
                    case "delay":
                        stage.Delay(Node(words[1]), Node(words[2]));
                        return true;
                    default:
                        return false;
                }
            });
    }
}
