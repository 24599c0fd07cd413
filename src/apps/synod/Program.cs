using System.CommandLine;
using System.CommandLine.Invocation;
using Synod.App;
using Synod.App.Processes;

// Sockets complete on the threads that wait for them: nothing here blocks on one, and a hop through the thread pool for every
// packet is half of what a small write costs. The runtime reads this before the first socket and has no other switch for it.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

NodeProcess.EndWithStarter();
var parsed = SynodCommand.Create().Parse(args);
if (parsed.Errors.Count > 0)
{
    // What is wrong is not to be looked for above a page of help. Only who named no command at all is told which there are.
    var isUnfinished = parsed.CommandResult.Command.Subcommands.Any();
    if (parsed.Action is ParseErrorAction refusal)
    {
        refusal.ShowHelp = isUnfinished;
    }

    using var said = new StringWriter();
    await parsed.InvokeAsync(new InvocationConfiguration { Error = said, Output = isUnfinished ? Console.Error : said });
    return Terminal.Misused(parsed, said.ToString());
}

return await parsed.InvokeAsync(new InvocationConfiguration
{
    // The commands tell errors themselves, each with its exit code; a node takes its time to stop in good order.
    EnableDefaultExceptionHandler = false,
    ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
});
