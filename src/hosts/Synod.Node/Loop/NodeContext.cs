using Synod.Core;

namespace Synod.Node;

/// <summary>What steps see of the world on a real node: refreshed once a turn, after the turn's inputs were taken.</summary>
/// <remarks>
/// The order matters for external consistency (time.md §3, start rule): every input of the turn arrived before the interval was
/// read, so its latest end is not below the true time of any arrival.
/// </remarks>
internal sealed class NodeContext(IClock clock, ulong seed) : StepContext
{
    private ulong _random = seed;

    public void Refresh()
    {
        Now = SystemTime.Now;
        TrueTime = clock.Now();
    }

    public override int Choose(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);

        // SplitMix64; the high half of the product is uniform enough for jitter.
        _random += 0x9e3779b97f4a7c15;
        var mixed = _random;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        mixed ^= mixed >> 31;
        return (int)((mixed >> 32) * (ulong)count >> 32);
    }
}
