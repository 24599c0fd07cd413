using System.Runtime.InteropServices;

namespace Synod.Exploration;

/// <summary>
/// The worlds seen. Where only safety is asked for, a world is as good as seen if one was seen with the same nodes, no less under
/// way and no more of the budgets used: that one can do whatever this one can. Messages without an effect any more, which would
/// otherwise multiply the worlds, so cost nothing.
/// </summary>
internal sealed class Visited(Layout layout, bool subsumes)
{
    private readonly HashSet<UInt128> _exact = [];
    private readonly Dictionary<UInt128, List<int[]>> _byNodes = [];

    /// <summary>How many were added.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a world; false if it is as good as seen.</summary>
    public bool Add(int[] world)
    {
        if (!_exact.Add(Layout.Fingerprint(world)))
        {
            return false;
        }

        if (subsumes)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_byNodes, layout.FingerprintOfNodes(world), out _);
            known ??= [];
            foreach (var other in known)
            {
                if (Covers(other, world))
                {
                    return false;
                }
            }

            known.RemoveAll(other => Covers(world, other));
            known.Add(world);
        }

        Count++;
        return true;
    }

    private bool Covers(int[] large, int[] small)
    {
        if (large.Length < small.Length || large[layout.Time] != small[layout.Time])
        {
            return false;
        }

        for (var counter = layout.Nodes; counter < layout.Network; counter++)
        {
            if (large[counter] > small[counter])
            {
                return false;
            }
        }

        var at = layout.Network;
        for (var index = layout.Network; index < small.Length; index++, at++)
        {
            while (at < large.Length && large[at] < small[index])
            {
                at++;
            }

            if (at == large.Length || large[at] != small[index])
            {
                return false;
            }
        }

        return true;
    }
}
