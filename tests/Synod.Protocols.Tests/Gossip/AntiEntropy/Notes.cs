using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Play = Stage<Scuttlebutt.Message, Scuttlebutt.Record, Scuttlebutt.Command, Scuttlebutt.Result>;

/// <summary>
/// Nodes that write notes, moved by hand. Choices are zero on the stage: everybody talks to the first member beside itself, and each
/// node's first origin is its incarnation 0.
/// </summary>
internal static class Notes
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public const int Round = (int)Scuttlebutt.Timer.Round;

    public static Roster Trio { get; } = Roster.Of(A, B, C);

    public static Play Stage(ScuttlebuttOptions? options = null, Roster? roster = null, params NodeId[] nodes) => new Play(
        node => new Scuttlebutt(node, roster ?? Roster.Of(nodes), options ?? new()),
        timer => ((Scuttlebutt.Timer)timer.Kind).ToString(),
        nodes).Begin();

    public static Play Pair(ScuttlebuttOptions? options = null) => Stage(options, null, A, B);

    public static Scuttlebutt At(this Play play, NodeId node) => (Scuttlebutt)play[node];

    public static Origin First(NodeId node) => new(node, 0);

    public static Key Name(string text) => Key.Of(text);

    public static void Put(this Play play, NodeId node, string key, string value) =>
        play.Submit(node, new Scuttlebutt.Command.Put(Key.Of(key), Key.Of(value).Memory));

    public static void Delete(this Play play, NodeId node, string key) => play.Submit(node, new Scuttlebutt.Command.Delete(Key.Of(key)));

    /// <summary>A whole round, begun by <paramref name="node"/> with the first member beside it.</summary>
    public static void Talk(this Play play, NodeId node)
    {
        play.Fire(node, Round);
        play.Run();
    }

    /// <summary>What a node shows of an origin, as text.</summary>
    public static string Seen(this Play play, NodeId node, Origin origin) =>
        string.Join(" ", play.At(node).Entries(origin).Select(entry => $"{entry.Key}={new Key(entry.Value)}"));

    public static Progress Progress(this Play play, NodeId node, Origin origin) =>
        play.At(node).Origins.SingleOrDefault(progress => progress.Origin == origin);

    public static Entry Entry(long version, string key, string value) => new(version, Key.Of(key), Key.Of(value).Memory, false);

    public static Entry Gone(long version, string key) => new(version, Key.Of(key), default, true);

    public static Scuttlebutt.Message Tell(params OriginDelta[] deltas) => new Scuttlebutt.Message.Tell([.. deltas]);

    public static OriginDelta Delta(Origin origin, long max, long from, long through, params Entry[] entries) =>
        new(new Progress(origin, 0, max), from, through, [.. entries]);
}
