using Synod.Lab.Worlds;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script) =>
        CommitTraces.Play<TwoPhase.Message, TwoPhase.Record, TwoPhase.Timer>(CommitRooms.TwoPhase(), 3, script);
}
