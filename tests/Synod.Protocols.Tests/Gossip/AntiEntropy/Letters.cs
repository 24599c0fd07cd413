using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Model = Model<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result>;
using Play = Stage<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result>;

/// <summary>Replicas of a set of letters. On the stage everybody talks to the first member beside itself.</summary>
internal static class Letters
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public const int Sync = (int)DeltaSync.Timer.Sync;
    public const int Stability = (int)DeltaSync.Timer.Stability;

    public static Roster Trio { get; } = Roster.Of(A, B, C);

    public static Play Stage(DeltaOptions? options = null, bool hasDigest = false) => Stage(_ => options ?? new(), hasDigest);

    public static Play Stage(Func<NodeId, DeltaOptions> options, bool hasDigest = false) => new Play(
        node => new DeltaSync(node, Trio, options(node), new LetterSet(hasDigest)), timer => ((DeltaSync.Timer)timer.Kind).ToString(), A, B, C).Begin();

    public static DeltaSync At(this Play play, NodeId node) => (DeltaSync)play[node];

    public static string Seen(this Play play, NodeId node) => ((LetterSet)play.At(node).Replica).Letters;

    public static DeltaSync.Command Do(string text) => new DeltaSync.Command.Do(Key.Of(text).Memory);

    public static void Add(this Play play, NodeId node, char letter) => play.Submit(node, Do($"+{letter}"));

    public static void Remove(this Play play, NodeId node, char letter) => play.Submit(node, Do($"-{letter}"));

    public static Origin First(NodeId node) => new(node, 0);

    /// <summary>A replica tells the first member beside it, and all is delivered.</summary>
    public static void Talk(this Play play, NodeId node)
    {
        play.Fire(node, Sync);
        play.Run();
    }

    /// <summary>All tell the first, and it tells the second, until there is nothing to tell but to the third, which asks by itself.</summary>
    public static void Settle(this Play play)
    {
        for (var rounds = 0; rounds < 4; rounds++)
        {
            play.Talk(B);
            play.Talk(C);
            play.Talk(A);
        }
    }

    /// <summary>A delta that adds a letter under an origin's n-th dot.</summary>
    public static ReadOnlyMemory<byte> Delta(Origin origin, char letter)
    {
        var set = new LetterSet(hasDigest: false);
        set.Become(origin);
        return set.Mutate(Key.Of($"+{letter}").Memory, Calm.Context, out _);
    }

    public static Model Model(
        Budgets budgets, DeltaMutation mutation = DeltaMutation.None, Func<DeltaOptions, DeltaOptions>? options = null,
        bool hasDigest = false, params IReadOnlyList<(NodeId Node, string Command)> submissions)
    {
        var roster = Roster.Of(A, B);
        var made = (options ?? (made => made))(new DeltaOptions { Mutation = mutation });
        return new Model
        {
            Nodes = [A, B],
            Make = node => new DeltaSync(node, roster, made, new LetterSet(hasDigest)),
            Messages = new DeltaSync.MessageWire(),
            Records = new DeltaSync.RecordWire(),
            Results = new ResultWire(),
            NameTimer = timer => ((DeltaSync.Timer)timer.Kind).ToString(),
            Submissions = [.. submissions.Select(item => new Submission<DeltaSync.Command>(item.Node, Do(item.Command)))],
            Budgets = budgets,
        }
        .Always(DeltaSync.AnsweredIsKept, IsKept)
        .Eventually("equal bytes", world => world.Nodes.Select(node => Convert.ToHexString(((DeltaSync)node.Protocol).Replica.Save().Span)).Distinct().Count() == 1);

        // Letters in these models are added once and never removed: who was told of one has it, whatever crashed.
        static bool IsKept(World<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result> world) => world.Nodes.All(node =>
            node.Answers.Select(answer => answer.Value).OfType<DeltaSync.Result.Done>().All(done =>
                new Key(done.Answer).ToString().All(letter => ((LetterSet)((DeltaSync)node.Protocol).Replica).Letters.Contains(letter))));
    }

    private sealed class ResultWire : IWire<DeltaSync.Result>
    {
        public void Write(CodecWriter writer, DeltaSync.Result value)
        {
            var done = (DeltaSync.Result.Done)value;
            OriginWire.Instance.Write(writer, done.Origin);
            writer.Bytes(done.Answer.Span);
        }

        public DeltaSync.Result Read(ref CodecReader reader) => new DeltaSync.Result.Done(OriginWire.Instance.Read(ref reader), reader.Bytes());
    }
}
