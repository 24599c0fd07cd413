using System.Globalization;
using System.Numerics;
using Synod.Core;
using Synod.Crdt.Laws;

namespace Synod.Crdt.Tests.Laws;

/// <summary>The checker sees each law broken, makes runs short, and says the same for the same seed.</summary>
public sealed class LawCheckerTests
{
    private static LawChecker<Bits> Checker(Law? broken, params IReadOnlyList<Law> without) => new(
        new Bits(broken),
        new Operation<Bits>("add", 4, static (bits, _, number) => bits.Add(number)))
    {
        Specification = static seen => seen.Aggregate(0, (sum, what) => sum | 1 << what.Argument).ToString(CultureInfo.InvariantCulture),
        Without = without,
    };

    public static TheoryData<Law> Laws() => [.. Enum.GetValues<Law>()];

    [Theory]
    [MemberData(nameof(Laws))]
    public void Each_law_is_seen_to_be_broken(Law law)
    {
        Law[] others = [.. Enum.GetValues<Law>().Where(other => other != law)];
        Assert.Null(Checker(null, others).Search(runs: 50, steps: 12));
        Assert.Equal(law, Checker(law, others).Search(runs: 200, steps: 12)?.Law);
        Assert.Equal(law, Checker(law, others).Exhaust(steps: 3)?.Law);
    }

    [Fact]
    public void A_sound_type_passes_and_a_broken_one_is_thrown_at_the_test()
    {
        Checker(null).Verify();
        var violation = Assert.Throws<LawViolation>(() => Checker(Law.DeltaIsState).Verify());
        Assert.Equal(violation.Counterexample.ToString(), violation.Message);
    }

    [Fact]
    public void A_long_run_that_was_drawn_is_made_short()
    {
        var found = Checker(Law.Meaning).Search(runs: 1, steps: 64, seed: 5)!;
        Assert.Equal(["A: add(3)"], found.Steps);
        Assert.Equal("Bits breaks the law Meaning:\n  A: add(3)\n  => A has 0 and should have 8", found.ToString());
    }

    [Fact]
    public void The_same_seed_finds_the_same() => Assert.Equal(
        Checker(Law.Associativity).Search(runs: 20, steps: 30, seed: 9)?.ToString(),
        Checker(Law.Associativity).Search(runs: 20, steps: 30, seed: 9)?.ToString());

    /// <summary>A set of small numbers as bits, with a mistake that breaks a given law.</summary>
    private sealed class Bits(Law? broken) : ILattice<Bits>
    {
        private int _bits;

        public byte Tag => 202;

        public bool IsBottom => _bits == 0 && broken != Law.Neutrality;

        public Bits Add(int number)
        {
            var delta = new Bits(broken) { _bits = 1 << number };
            switch (broken)
            {
                case Law.NothingIsThrown when number == 2:
                    throw new InvalidOperationException("Two.");
                case Law.Inflation:
                    _bits = 1 << number;
                    return delta;
                case Law.DeltaIsState:
                    Join(delta);
                    return Bottom();
                case Law.Meaning when number == 3:
                    return Bottom();
                default:
                    Join(delta);
                    return delta;
            }
        }

        public Bits Bottom() => new(broken);

        public bool Join(Bits other)
        {
            var before = _bits;
            _bits = broken switch
            {
                Law.Commutativity or Law.Convergence when other._bits != 0 => other._bits,
                Law.Associativity when _bits != 0 && other._bits != 0 && _bits != other._bits => (_bits + other._bits) * 7 & 0xff,
                Law.Idempotence when _bits == other._bits => _bits << 1,
                _ => _bits | other._bits,
            };
            return _bits != before || broken == Law.JoinTells;
        }

        public bool LessOrEqual(Bits other) => (_bits & ~other._bits) == 0 || broken == Law.Order;

        public Bits Minus(Bits known) => new(broken) { _bits = broken == Law.Difference ? _bits : _bits & ~known._bits };

        public IEnumerable<Bits> Decompose()
        {
            for (var rest = _bits; rest != 0; rest &= rest - 1)
            {
                yield return new(broken) { _bits = 1 << BitOperations.TrailingZeroCount(rest) };
                if (broken == Law.Decomposition)
                {
                    break;
                }
            }
        }

        public void Write(CodecWriter writer) => writer.Unsigned((ulong)_bits);

        public Bits Read(ref CodecReader reader) =>
            new(broken) { _bits = (int)reader.Unsigned() & (broken == Law.Encoding ? ~1 : ~0) };

        public override string ToString() => _bits.ToString(CultureInfo.InvariantCulture);
    }
}
