using System.Numerics;

namespace Synod.Simulation;

/// <summary>
/// The simulator's own generator, xoshiro256** seeded through SplitMix64 (Blackman and Vigna 2018): a seed means the same run on
/// every version of the platform. Integers only, so that no rounding differs between machines.
/// </summary>
public sealed class SeededRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public SeededRandom(ulong seed)
    {
        _a = Split(ref seed);
        _b = Split(ref seed);
        _c = Split(ref seed);
        _d = Split(ref seed);
    }

    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>A number from 0 to <paramref name="count"/>-1.</summary>
    public long Below(long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (long)Math.BigMul(Next(), (ulong)count, out _);
    }

    /// <summary>A number from 0 to <paramref name="count"/>-1.</summary>
    public int Below(int count) => (int)Below((long)count);

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public long Between(long least, long most) => least + Below(most - least + 1);

    /// <summary>A duration from <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public Core.Duration Between(Core.Duration least, Core.Duration most) =>
        new(Between(least.Nanoseconds, most.Nanoseconds));

    /// <summary>True <paramref name="perMillion"/> times in a million. Draws nothing when that is 0.</summary>
    public bool Chance(int perMillion) => perMillion > 0 && Below(1_000_000L) < perMillion;

    /// <summary>A waiting time with about the given mean: exponential, cut into straight pieces between powers of two.</summary>
    public Core.Duration Wait(Core.Duration mean)
    {
        var draw = Next();
        var halvings = Math.Min(BitOperations.LeadingZeroCount(draw), 20);
        var half = mean.Nanoseconds / 1000 * 693;
        return new(half * halvings + Below(Math.Max(half, 1)));
    }

    /// <summary>A generator of its own for a part of the run, so that draws there do not shift draws here.</summary>
    public SeededRandom Fork() => new(Next());

    private static ulong Split(ref ulong state)
    {
        var mixed = state += 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }
}
