using System.CommandLine;
using Synod.Bench.Members;
using Synod.Node;
using Synod.Protocols.Gossip;

namespace Synod.Bench;

/// <summary>Membership beside hashicorp/memberlist.</summary>
internal static class MemberCommands
{
    // What memberlist's DefaultLANConfig says; where it gives no name to a number, its code does (K = SuspicionMult - 2).
    private static readonly MembershipOptions LikeMemberlist = new() { SuspicionPeriods = 4, UnconfirmedFactor = 6, Confirmations = 2 };

    /// <summary>The comparison.</summary>
    public static Command Compare()
    {
        var memberlist = new Option<string?>("--memberlist") { Description = "The program of bench/memberlist." };
        var sizes = Flags.Numbers("--sizes", [32, 64, 128], "Numbers of members, one after the other.");
        var rounds = Flags.Number("--rounds", 2, "Joins and deaths of each side and size.");
        var seconds = Flags.Real("--seconds", 5, "Seconds of traffic that are counted.");
        var starved = Flags.Real("--starved-seconds", 20, "Seconds that some members are starved for; 0 leaves it out.");
        var command = new Command("membership", "Joins, deaths, traffic and false alarms, side by side with hashicorp/memberlist.")
        {
            memberlist, sizes, rounds, seconds, starved, Flags.Json,
        };
        command.SetAction(async (parsed, _) =>
        {
            List<MemberSide> sides = [new("Synod", [Environment.ProcessPath!, typeof(MemberCommands).Assembly.Location, "members"])];
            if (parsed.GetValue(memberlist) is { } program)
            {
                sides.Add(new("memberlist", [program]));
            }

            var comparison = new MemberComparison(
                sides, ClusterKeys.Draw(), parsed.GetValue(rounds), parsed.GetValue(seconds), Console.Error);
            await comparison.MeasureAsync(parsed.GetValue(sizes)!, parsed.GetValue(starved));
            Flags.Print(parsed, comparison.Write, comparison.ToJson);
        });
        return command;
    }

    /// <summary>A process of Synod's side.</summary>
    public static Command Agent()
    {
        var count = Flags.Number("--count", 8, "Members.");
        var port = Flags.Number("--port", 26_000, "The first member's port.");
        var join = new Option<string?>("--join") { Description = "A member to join, as host:port." };
        var key = new Option<string>("--key") { Description = "The cluster's key.", Required = true };
        var command = new Command("members", "Members that do what standard input says.") { count, port, join, key };
        command.SetAction(async (parsed, _) =>
        {
            var folder = Directory.CreateTempSubdirectory("synod-members-");
            try
            {
                await using var agent = new MemberAgent(
                    parsed.GetValue(port), parsed.GetValue(join) is { } contact ? NodeOptions.ParseEndPoint(contact) : null,
                    parsed.GetValue(key)!, LikeMemberlist, folder.FullName);
                await agent.RunAsync(parsed.GetValue(count), Console.In, Console.Out);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }
}
