using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>Short stories, word by word. Sutra's (2019) tells two builds apart: with one ballot its end is another one.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, script => Play(script, EPaxosMutation.None).Stage.Trace);

    /// <summary>Epaxos.md §9.1: after the Nop was chosen, and decided at replica 3, the other value must not be.</summary>
    [Theory]
    [InlineData((int)EPaxosMutation.None, true)]
    [InlineData((int)EPaxosMutation.OneBallot, false)]
    public void Sutras_schedule_agrees_unless_there_is_one_ballot(int mutation, bool agrees)
    {
        var script = File.ReadAllText(Path.Combine(Folder(), "sutra.txt")).Split("----\n")[0];
        var sites = Play(script, (EPaxosMutation)mutation);
        Assert.True(sites.Look(3, Sites.Id(1)).Value!.IsNop);
        Assert.Equal(Room.Phase.Committed, sites.Look(5, Sites.Id(1)).Phase);
        Assert.Equal(agrees, sites.Look(5, Sites.Id(1)).Value!.IsNop);
    }

    private static string Folder([System.Runtime.CompilerServices.CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "Traces");

    private static Sites Play(string script, EPaxosMutation mutation)
    {
        var count = int.Parse(script.AsSpan(0, 1), System.Globalization.CultureInfo.InvariantCulture);
        var sites = new Sites(count, new EPaxosOptions { Mutation = mutation });
        Play<Room.Message, Room.Record, Room.Command, Room.Result, Room.Timer>(
            sites.Stage,
            script[(script.IndexOf('\n', StringComparison.Ordinal) + 1)..],
            words =>
            {
                switch (words[0])
                {
                    case "put":
                        sites.Put(Node(words[1]).Value, words[2], words[3]);
                        return true;
                    case "suspect":
                        sites.Suspect(Node(words[1]).Value, Sites.Id(Node(words[2]).Value));
                        return true;
                    case "delay":
                        sites.Stage.Delay(Node(words[1]), Node(words[2]));
                        return true;
                    case "lose":
                        sites.Lose(words.Length > 1 ? Node(words[1]).Value : null);
                        return true;
                    case "go":
                        sites.Deliver([.. words[1..].Chunk(2).Select(way => (Node(way[0]).Value, Node(way[1]).Value))]);
                        return true;
                    default:
                        return false;
                }
            });
        return sites;
    }
}
