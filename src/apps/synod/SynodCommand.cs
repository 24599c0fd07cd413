using System.CommandLine;
using Synod.App.Protocols;

namespace Synod.App;

/// <summary><c>synod</c>: every command that there is.</summary>
internal static class SynodCommand
{
    public static RootCommand Create() => new($"Synod: a replicated, transactional key-value database. {ExitCodes.Help}")
    {
        DemoCommand.Create(),
        StartCommand.Create(),
        StatusCommand.Create(),
        KvCommand.Create(),
        RangeCommand.Create(),
        CertCommand.Create(),
        BenchCommand.Create(),
        SimCommand.Create(),
        LabCommand.Create(),
        ProtocolNodeCommand.Create(),
    };
}
