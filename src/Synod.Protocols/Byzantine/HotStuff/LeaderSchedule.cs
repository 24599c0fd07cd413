using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Who leads in which view: a function that every member knows.</summary>
public abstract record LeaderSchedule
{
    /// <summary>The leader of a view, from 1 on.</summary>
    public abstract NodeId LeaderOf(long view);
}

/// <summary>
/// All members in turn, each for <paramref name="Views"/> consecutive views. With one view each and one of four members down, votes of every
/// third view go to the dead one, so that the four consecutive views that a chain of three needs never come (hotstuff.md §6); with
/// two or more they do.
/// </summary>
public sealed record Rotation(NodeSet Members, int Views = 1) : LeaderSchedule
{
    private readonly ImmutableArray<NodeId> _order = [.. Members];

    public override NodeId LeaderOf(long view) => _order[(int)((view - 1) / Views % _order.Length)];
}
