using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds.AntiEntropyRoom;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Notes;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using NoteModel = Model<Scuttlebutt.Message, Scuttlebutt.Record, Scuttlebutt.Command, Scuttlebutt.Result>;
using StoreModel = Model<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result>;

/// <summary>Every run of two small replicas. The numbers of states are part of the claim: a change of them wants a reason.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public void Notes_agree_and_arrive_whatever_is_lost_doubled_or_crashes() => Explore(
        NoteModelOf(new Budgets { Crashes = 1, Duplicates = 1, PartialWrites = true, TimersOfKind = Rounds(2) })
            .Sometimes("deleted at both", world => world.Nodes.All(node => ((Scuttlebutt)node.Protocol).VersionOf(First(A), Name("x")) == 2)),
        states: 116_890);

    [Theory]
    [InlineData("VersionWithoutOrigin", Scuttlebutt.OriginIsAhead)]
    [InlineData("SendBeforeDurable", Scuttlebutt.OriginIsAhead)]
    [InlineData("AnswerBeforeDurable", Scuttlebutt.AnsweredIsKept)]
    public void The_explorer_finds_a_mistake_in_notes(string mutation, string property) => Find(
        NoteModelOf(new Budgets { Crashes = 1, TimersOfKind = Rounds(1) }, Enum.Parse<ScuttlebuttMutation>(mutation)), property);

    [Theory]
    [InlineData(false, 33_959)]
    [InlineData(true, 3_101)]
    public void Replicas_become_equal_to_the_byte_whatever_is_lost_doubled_or_crashes(bool hasDigest, int states) => Explore(
        Letters.Model(
                new Budgets { Crashes = 1, Duplicates = 1, TimersOfKind = Syncs(hasDigest ? 1 : 2) },
                hasDigest: hasDigest,
                submissions: hasDigest ? [(A, "+a"), (B, "+b")] : [(A, "+a"), (B, "+b"), (A, "+c")])
            .Sometimes("both", world => world.Nodes.Any(node => ((LetterSet)((DeltaSync)node.Protocol).Replica).Letters.Length > 1)),
        states);

    [Fact]
    public void So_they_do_when_states_go_in_parts() => Explore(
        Letters.Model(
                new Budgets { Crashes = 1, Drops = 1, Duplicates = 1, TimersOfKind = Syncs(1) },
                options: options => options with { MostMessageBytes = 6 },
                submissions: [(A, "+a"), (A, "+b")])
            .Sometimes("in parts", world => world.Network.Any(sent => sent.Message is DeltaSync.Message.Part { Offset: > 0 }))
            .Sometimes("both", world => ((LetterSet)((DeltaSync)world.At(1).Protocol).Replica).Letters.Length > 1),
        states: 1_216);

    [Theory]
    [InlineData("SendBeforeDurable", "equal bytes")]
    [InlineData("AnswerBeforeDurable", DeltaSync.AnsweredIsKept)]
    [InlineData("AckBeforeDurable", "equal bytes")]
    [InlineData("AckAssumed", "equal bytes")]
    [InlineData("GapIgnored", "equal bytes")]
    public void The_explorer_finds_a_mistake_in_replicas(string mutation, string property)
    {
        var made = Enum.Parse<DeltaMutation>(mutation);
        Find(
            Letters.Model(
                new Budgets { Crashes = made == DeltaMutation.GapIgnored ? 0 : 1, Drops = 1, TimersOfKind = Syncs(2) },
                made,
                options => made == DeltaMutation.GapIgnored ? options with { MostBufferedBytes = 4 } : options,
                submissions: [(A, "+a"), (A, "+b"), (B, "+c")]),
            property);
    }

    [Fact]
    public void Stores_become_equal_whatever_is_lost_doubled_or_crashes() => Explore(
        StoreModelOf(RangeMutation.None, new Budgets { Crashes = 1, Drops = 1, Duplicates = 1, Timers = 1 })
            .Sometimes("equal", AreEqual),
        states: 562);

    [Theory]
    [InlineData("ContentNotHashed")]
    [InlineData("OnlyCounted")]
    [InlineData("BoundsLost")]
    [InlineData("MergeOverwrites")]
    [InlineData("AckBeforeDurable")]
    public void The_explorer_finds_a_mistake_in_stores(string mutation) => Find(
        StoreModelOf(Enum.Parse<RangeMutation>(mutation), new Budgets { Crashes = 1, Timers = 1 }),
        RangeReconciliation.ReconciledIsEqual,
        RangeReconciliation.OpenSpansAreDisjoint);

    private static SortedDictionary<int, int> Rounds(int count) => new() { [Round] = count };

    private static SortedDictionary<int, int> Syncs(int count) => new() { [Letters.Sync] = count, [Letters.Stability] = 0 };

    /// <summary>Two nodes; the first writes and deletes, the second writes a key of the same name.</summary>
    private static NoteModel NoteModelOf(Budgets budgets, ScuttlebuttMutation mutation = ScuttlebuttMutation.None)
    {
        var roster = Roster.Of(A, B);
        var x = Name("x");
        return new NoteModel
        {
            Nodes = [A, B],
            Make = node => new Scuttlebutt(node, roster, new() { Mutation = mutation }),
            Messages = new Scuttlebutt.MessageWire(),
            Records = new Scuttlebutt.RecordWire(),
            Results = new StoredWire(),
            NameTimer = timer => ((Scuttlebutt.Timer)timer.Kind).ToString(),
            Submissions =
            [
                new(A, new Scuttlebutt.Command.Put(x, Name("a").Memory)),
                new(B, new Scuttlebutt.Command.Put(x, Name("b").Memory)),
                new(A, new Scuttlebutt.Command.Delete(x)),
            ],
            Budgets = budgets,
        }
        .Always(Scuttlebutt.SameVersionSameUpdate, world => ForBoth(world, Scuttlebutt.Agree))
        .Always(Scuttlebutt.AsFarAsOriginIsEqual, world => ForBoth(world, Scuttlebutt.HasAll))
        .Always(Scuttlebutt.OriginIsAhead, world => ForBoth(world, Scuttlebutt.IsAhead))
        .Always(Scuttlebutt.AnsweredIsKept, world => world.Nodes.All(node => node.Answers.Select(answer => answer.Value).OfType<Scuttlebutt.Result.Stored>()
            .All(stored => ((Scuttlebutt)node.Protocol).Origins.Any(progress => progress.Origin == stored.Origin && progress.Max >= stored.Version))))
        .Eventually("equally far", world => world.Nodes.Select(node =>
            string.Join(" ", ((Scuttlebutt)node.Protocol).Origins.Where(progress => progress.Max > 0))).Distinct().Count() == 1);
    }

    private static bool ForBoth(
        World<Scuttlebutt.Message, Scuttlebutt.Record, Scuttlebutt.Command, Scuttlebutt.Result> world, Func<Scuttlebutt, Scuttlebutt, bool> holds)
    {
        var (a, b) = ((Scuttlebutt)world[A].Protocol, (Scuttlebutt)world[B].Protocol);
        return holds(a, b) && holds(b, a);
    }

    /// <summary>Two stores that differ in what is there and in contents, after some that they have in common.</summary>
    private static StoreModel StoreModelOf(RangeMutation mutation, Budgets budgets)
    {
        RangeReconciliation.Command Put(string key, long value) => new RangeReconciliation.Command.Put(Key.Of(key), Stores.Number(value));
        return new StoreModel
        {
            Nodes = [A, B],
            Make = node => new RangeReconciliation(node, NodeSet.Of(A, B), Stores.Small with { Mutation = mutation }, new LargestContent()),
            Messages = new RangeReconciliation.MessageWire(),
            Records = new RangeReconciliation.RecordWire(),
            NameTimer = timer => ((RangeReconciliation.Timer)timer.Kind).ToString(),
            Submissions =
            [
                .. new[] { "a", "b", "c" }.SelectMany(key => new Submission<RangeReconciliation.Command>[] { new(A, Put(key, 1)), new(B, Put(key, 1)) }),
                new(A, Put("a", 2)), new(B, Put("b", 2)), new(B, Put("d", 1)), new(A, Put("e", 1)),
                new(A, new RangeReconciliation.Command.Reconcile(B)),
            ],
            SettledSubmissions = 10,
            Budgets = budgets,
        }
        .Eventually(RangeReconciliation.ReconciledIsEqual, world => world.Crashes > 0 && mutation == RangeMutation.None || AreEqual(world));
    }

    private static bool AreEqual(World<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result> world) =>
        world.Nodes.Select(node => ((RangeReconciliation)node.Protocol).Content()).Distinct().Count() == 1;

    private void Explore<TMessage, TRecord, TCommand, TResult>(Model<TMessage, TRecord, TCommand, TResult> model, int states)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    private void Find<TMessage, TRecord, TCommand, TResult>(Model<TMessage, TRecord, TCommand, TResult> model, params string[] properties)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(properties, property => result.Counterexample.Property.Contains(property, StringComparison.Ordinal));
    }

    private sealed class StoredWire : IWire<Scuttlebutt.Result>
    {
        public void Write(CodecWriter writer, Scuttlebutt.Result value)
        {
            var stored = value as Scuttlebutt.Result.Stored;
            writer.Bool(stored is not null);
            OriginWire.Instance.Write(writer, stored?.Origin ?? default);
            writer.Signed(stored?.Version ?? 0);
        }

        public Scuttlebutt.Result Read(ref CodecReader reader)
        {
            var isStored = reader.Bool();
            var stored = new Scuttlebutt.Result.Stored(OriginWire.Instance.Read(ref reader), reader.Signed());
            return isStored ? stored : new Scuttlebutt.Result.Absent();
        }
    }
}
