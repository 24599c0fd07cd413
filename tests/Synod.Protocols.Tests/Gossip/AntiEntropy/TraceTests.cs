using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.GoldenTraces;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

/// <summary>A file's name begins with what it plays: notes, stores or letters.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> Traces() => Files();

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_trace_is_as_written(string name) => Check(
        name, script => name.Split('-')[0] switch { "notes" => PlayNotes(script), "stores" => PlayStores(script), _ => PlayLetters(script) });

    private static string PlayNotes(string script)
    {
        var stage = Notes.Pair();
        return Play<Scuttlebutt.Message, Scuttlebutt.Record, Scuttlebutt.Command, Scuttlebutt.Result, Scuttlebutt.Timer>(stage, script, words =>
        {
            switch (words[0])
            {
                case "put":
                    stage.Put(Node(words[1]), words[2], words[3]);
                    return true;
                case "delete":
                    stage.Delete(Node(words[1]), words[2]);
                    return true;
                default:
                    return false;
            }
        });
    }

    private static string PlayStores(string script)
    {
        var stage = Stores.Stage(Stores.Small);
        return Play<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result, RangeReconciliation.Timer>(
            stage,
            script,
            words =>
            {
                switch (words[0])
                {
                    case "put":
                        stage.Put(Node(words[1]), words[2], long.Parse(words[3], System.Globalization.CultureInfo.InvariantCulture));
                        return true;
                    case "reconcile":
                        stage.Submit(Node(words[1]), new RangeReconciliation.Command.Reconcile(Node(words[2])));
                        return true;
                    default:
                        return false;
                }
            });
    }

    private static string PlayLetters(string script)
    {
        var stage = Letters.Stage(hasDigest: script.Contains("do n2", StringComparison.Ordinal));
        return Play<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result, DeltaSync.Timer>(stage, script, words =>
        {
            switch (words[0])
            {
                case "do":
                    stage.Submit(Node(words[1]), Letters.Do(words[2]));
                    return true;
                default:
                    return false;
            }
        });
    }
}
