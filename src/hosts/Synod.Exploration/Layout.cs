using System.Runtime.InteropServices;

namespace Synod.Exploration;

/// <summary>
/// A world as an array of numbers: one interned local state a node, the budgets used, true time, and the interned messages
/// under way in ascending order. Worlds are equal exactly if the arrays are.
/// </summary>
internal sealed class Layout(int nodes, int timerKinds)
{
    public int Nodes => nodes;

    public int Crashes => nodes;

    public int Drops => nodes + 1;

    public int Duplicates => nodes + 2;

    public int Timers => nodes + 3;

    public int Time => nodes + 4;

    /// <summary>The first of the counters of timer kinds that have a budget of their own.</summary>
    public int TimersOfKind => nodes + 5;

    /// <summary>Where the messages under way begin.</summary>
    public int Network => nodes + 5 + timerKinds;

    /// <summary>A copy with the messages sorted, one at <paramref name="removed"/> left out (none if negative) and others added.</summary>
    public int[] Next(int[] world, int removed, ReadOnlySpan<int> added)
    {
        var next = new int[world.Length - (removed < 0 ? 0 : 1) + added.Length];
        var kept = removed < 0 ? world.Length : removed;
        world.AsSpan(0, kept).CopyTo(next);
        if (removed >= 0)
        {
            world.AsSpan(removed + 1).CopyTo(next.AsSpan(removed));
        }

        added.CopyTo(next.AsSpan(next.Length - added.Length));
        if (added.Length > 0)
        {
            next.AsSpan(Network).Sort();
        }

        return next;
    }

    public static UInt128 Fingerprint(int[] world) =>
        System.IO.Hashing.XxHash128.HashToUInt128(MemoryMarshal.AsBytes(world.AsSpan()));

    /// <summary>Of the nodes alone.</summary>
    public UInt128 FingerprintOfNodes(int[] world) =>
        System.IO.Hashing.XxHash128.HashToUInt128(MemoryMarshal.AsBytes(world.AsSpan(0, nodes)));
}
