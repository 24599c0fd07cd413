using System.CommandLine;
using Synod.App;

var root = new RootCommand($"Synod: a replicated, transactional key-value database. {ExitCodes.Help}")
{
    DemoCommand.Create(),
    StartCommand.Create(),
    StatusCommand.Create(),
    KvCommand.Create(),
    RangeCommand.Create(),
    CertCommand.Create(),
    BenchCommand.Create(),
    SimCommand.Create(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    await parsed.InvokeAsync();
    return ExitCodes.Usage;
}

return await parsed.InvokeAsync(new InvocationConfiguration
{
    // The commands tell errors themselves, each with its exit code; a node takes its time to stop in good order.
    EnableDefaultExceptionHandler = false,
    ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
});
