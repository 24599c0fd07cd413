using Synod.Core;
using Synod.Exploration;
using Xunit;

namespace Synod.Protocols.Tests.Exploration;

/// <summary>The explorer held against a protocol so small that every answer is known.</summary>
public sealed class ExplorerTests
{
    private static readonly NodeId One = new(1);
    private static readonly NodeId Two = new(2);

    [Fact]
    public void The_counterexample_is_a_shortest_one_and_tells_the_way()
    {
        var result = Model().Always("nothing arrives", world => Heard(world, Two) == 0).Explore();
        Assert.NotNull(result.Counterexample);
        Assert.Equal(["start", "n1 is asked for 2", "n1 → n2: 2"], result.Counterexample.Steps.Select(step => step.Action));
        Assert.Equal("n2: heard=2 kept=0 clock=0 | durable=0 pending=0 timers=0", result.Counterexample.Steps[^1].Nodes[1]);
    }

    [Fact]
    public void Writing_is_a_step_of_its_own_while_a_crash_may_come()
    {
        var model = Model(new Budgets { Crashes = 1, MayCrash = NodeSet.Of(One) });
        var result = model.Always("nothing arrives", world => Heard(world, Two) == 0).Explore();
        Assert.Contains("n1 makes durable: 2", result.Counterexample!.Steps.Select(step => step.Action));
    }

    [Fact]
    public void What_is_sent_after_a_record_is_lost_with_it_in_a_crash() =>
        Holds(Model(new Budgets { Crashes = 1 }).Always("told only what is durable", world => Heard(world, Two) <= world[One].Durable.Count * 2));

    [Fact]
    public void A_thrown_claim_is_a_finding()
    {
        var result = (Model() with { Submissions = [new(One, Toy.Poison)] }).Explore();
        Assert.Contains("'NoPoison' is broken", result.Counterexample!.Property, StringComparison.Ordinal);
        Assert.Equal(1, result.Counterexample.Steps.Count - 1);
    }

    [Fact]
    public void A_sometimes_that_never_holds_is_reported()
    {
        var result = Model().Sometimes("told", world => Heard(world, Two) == 2).Sometimes("never", _ => false).Explore();
        Assert.Equal(["never"], result.Unreached);
        Assert.Equal(2, result.Reached["told"]);
    }

    [Fact]
    public void A_loss_that_nothing_repairs_breaks_eventually_and_a_timer_that_repeats_mends_it()
    {
        var model = Model(new Budgets { Drops = 1 }).Eventually("told", world => Heard(world, Two) == 2);
        var result = model.Explore();
        Assert.Equal("told", result.Counterexample!.Property);
        Assert.StartsWith("lost: n1 → n2", result.Counterexample.Steps[^1].Action, StringComparison.Ordinal);
        Holds(model with { Make = _ => new Toy { Repeats = true } });
    }

    [Fact]
    public void Choices_within_the_limit_are_all_tried()
    {
        var wide = Model() with { Submissions = [new(One, Toy.Draw)], ChoiceLimit = 3 };
        var narrow = wide with { ChoiceLimit = 2 };
        Assert.Equal(3, Drawn(wide));
        Assert.Equal(1, Drawn(narrow));

        static int Drawn(Model<Word, Word, Word, Word> model)
        {
            var drawn = new SortedSet<long>();
            var result = model.Always("noted", world => Note(drawn, Heard(world, One))).Explore();
            Assert.Null(result.Counterexample);
            drawn.Remove(0);
            return drawn.Count;
        }
    }

    [Fact]
    public void A_part_of_the_records_may_be_durable_before_the_rest_only_if_asked_for()
    {
        var model = Model(new Budgets { Crashes = 1 }) with { Submissions = [new(One, Toy.Twice)] };
        Assert.Equal(["half"], model.Sometimes("half", Half).Explore().Unreached);
        var partial = model with { Budgets = model.Budgets with { PartialWrites = true } };
        Assert.Empty(partial.Sometimes("half", Half).Explore().Unreached);

        static bool Half(World<Word, Word, Word, Word> world) => world[One].Durable.Count == 1 && world[One].Pending.Count == 0;
    }

    [Fact]
    public void True_time_moves_by_ticks_only()
    {
        var model = Model(new Budgets { Ticks = 2 });
        Assert.Empty(model.Sometimes("third", world => ((Toy)world[One].Protocol).Clock == 3).Explore().Unreached);
        Assert.Single(model.Sometimes("fourth", world => ((Toy)world[One].Protocol).Clock == 4).Explore().Unreached);
    }

    [Fact]
    public void Skipping_covered_worlds_changes_no_verdict()
    {
        var model = Model(new Budgets { Crashes = 1, Duplicates = 2 }) with { Submissions = [new(One, new Word(2)), new(One, new Word(4))] };
        var safety = model.Always("six at most", world => Heard(world, Two) <= 10).Explore();
        var exact = model.Always("six at most", world => Heard(world, Two) <= 10).Eventually("true", _ => true).Explore();
        Assert.True(safety.States < exact.States);
        Assert.Equal(exact.Combinations, safety.Combinations);
        Assert.Equal(exact.Counterexample?.Steps.Count, safety.Counterexample?.Steps.Count);
    }

    private static bool Note(SortedSet<long> drawn, long value)
    {
        drawn.Add(value);
        return true;
    }

    private static void Holds(Model<Word, Word, Word, Word> model)
    {
        var result = model.Explore();
        Assert.Null(result.Counterexample);
        Assert.True(result.IsComplete);
    }

    private static long Heard(World<Word, Word, Word, Word> world, NodeId node) => ((Toy)world[node].Protocol).Heard;

    private static Model<Word, Word, Word, Word> Model(Budgets? budgets = null) => new()
    {
        Nodes = [One, Two],
        Make = _ => new Toy(),
        Messages = new WordWire(),
        Records = new WordWire(),
        Submissions = [new(One, new Word(2))],
        Budgets = budgets ?? new Budgets(),
    };

    /// <summary>A number as message, record, command and result.</summary>
    private sealed record Word(long Value)
    {
        public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private sealed class WordWire : IWire<Word>
    {
        public void Write(CodecWriter writer, Word value) => writer.Signed(value.Value);

        public Word Read(ref CodecReader reader) => new(reader.Signed());
    }

    /// <summary>Writes what it is told down, and then tells node 2, which adds up what it hears.</summary>
    private sealed class Toy : Protocol<Word, Word, Word, Word>
    {
        public static readonly Word Poison = new(-1);
        public static readonly Word Draw = new(-3);
        public static readonly Word Twice = new(-5);

        private long _heard;
        private long _kept;
        private long _clock;

        public bool Repeats { get; init; }

        public long Heard => _heard;

        public long Clock => _clock;

        public override void State(StateVisitor visitor)
        {
            visitor.Visit("heard", ref _heard);
            visitor.Visit("kept", ref _kept);
            visitor.Visit("clock", ref _clock);
        }

        public override void CheckInvariants() => Invariant.Check(_kept != Poison.Value, "NoPoison");

        protected override void OnRecover(IEnumerable<Word> records, StepContext context, Outbox<Word, Word, Word, Word> outbox)
        {
            foreach (var record in records)
            {
                _kept = record.Value;
            }
        }

        protected override void OnReceive(NodeId from, Word message, StepContext context, Outbox<Word, Word, Word, Word> outbox) =>
            _heard = Repeats ? message.Value : _heard + message.Value;

        protected override void OnFire(TimerId timer, StepContext context, Outbox<Word, Word, Word, Word> outbox) => Tell(outbox);

        protected override void OnSubmit(
            RequestId request, Word command, StepContext context, Outbox<Word, Word, Word, Word> outbox)
        {
            _clock = context.TrueTime.Latest.Nanoseconds;
            if (command == Draw)
            {
                _heard = context.Choose(3) + 1;
                return;
            }

            for (var count = command == Twice ? 2 : 1; count > 0; count--)
            {
                _kept = command.Value;
                outbox.Persist(command);
            }

            Tell(outbox);
        }

        private void Tell(Outbox<Word, Word, Word, Word> outbox)
        {
            outbox.Send(Two, new Word(_kept));
            if (Repeats)
            {
                outbox.SetTimer(new TimerId(0), default);
            }
        }
    }
}
