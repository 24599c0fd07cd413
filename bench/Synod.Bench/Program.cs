using System.CommandLine;
using Synod.Bench;
using Synod.Bench.Convergent;

var root = new RootCommand("Comparisons with peers, limits of the machine, and costs of the parts. The scripts beside it start what it needs.");
root.Subcommands.Add(PeerCommands.KeyValue());
root.Subcommands.Add(PeerCommands.Transfers());
root.Subcommands.Add(ConvergentCommand.Make());
root.Subcommands.Add(MemberCommands.Compare());
root.Subcommands.Add(MemberCommands.Agent());
root.Subcommands.Add(MachineCommands.Idle());
root.Subcommands.Add(MachineCommands.Limits());
root.Subcommands.Add(MachineCommands.Micro());
root.Subcommands.Add(MachineCommands.Rooms());
return await root.Parse(args).InvokeAsync();
