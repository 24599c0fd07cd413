using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.Membership;

using Process = Synod.Protocols.Gossip.Membership;

public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(name, Play);

    private static string Play(string script)
    {
        var roster = Roster.Numbered(3);
        NodeId[] nodes = [new(1), new(2), new(3), new(4)];
        var stage = new Stage<Process.Message, Process.Record, Process.Command, Process.Result>(
            node => new Process(node, MemberDescription.At($"{node.Value}"), new MembershipOptions { Helpers = 1, GossipFanOut = 1 }, node.Value <= 3 ? roster : null),
            timer => $"{(Process.Timer)timer.Kind}{(timer.Key == 0 ? "" : $" {timer.Key}")}",
            nodes).Begin();
        return Play<Process.Message, Process.Record, Process.Command, Process.Result, Process.Timer>(stage, script, words =>
        {
            switch (words[0])
            {
                case "join":
                    stage.Submit(Node(words[1]), new Process.Command.Join([Node(words[2])]));
                    return true;
                case "leave":
                    stage.Submit(Node(words[1]), new Process.Command.Leave());
                    return true;
                case "lose":
                    foreach (var from in nodes.Where(from => from != Node(words[1])))
                    {
                        while (stage.Between(from, Node(words[1])).Any())
                        {
                            stage.Drop(from, Node(words[1]));
                        }
                    }

                    return true;
                default:
                    return false;
            }
        });
    }
}
