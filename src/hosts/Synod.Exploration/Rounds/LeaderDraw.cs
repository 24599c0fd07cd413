using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Who leads in which round, for protocols that are told: drawn when one first asks, and every outcome of the draw is explored. So
/// schedules that differ only in a leader whom nobody asked for are one schedule. Whoever asks where nobody is drawn is told the first, and with
/// each of the others it is run again.
/// </summary>
/// <param name="leaders">Each may lead in any round.</param>
public sealed class LeaderDraw(IReadOnlyList<NodeId> leaders)
{
    private readonly List<(int Round, int Leader)> _asked = [];
    private readonly List<(int Round, int Leader)> _heard = [];
    private Drawn _drawn;

    /// <summary>How many may lead.</summary>
    internal int Count => leaders.Count;

    /// <summary>The rounds that were asked for since <see cref="Begin"/>, each once, in the order of asking, and what was told.</summary>
    internal IReadOnlyList<(int Round, int Leader)> Asked => _asked;

    /// <summary>The leader of a round, from 0 on. Only a step of a <see cref="RoundModel{TMessage,TRecord,TCommand,TResult}"/> may ask.</summary>
    public NodeId LeaderOf(long round)
    {
        var at = checked((int)round);
        var leader = Ask(at);
        if (!_heard.Contains((at, leader)))
        {
            _heard.Add((at, leader));
        }

        return leaders[leader - 1];
    }

    /// <summary>From now on these are drawn, and nobody has asked.</summary>
    internal void Begin(Drawn drawn)
    {
        _drawn = drawn;
        _asked.Clear();
    }

    /// <summary>Forgets what a step was told.</summary>
    internal void Listen() => _heard.Clear();

    /// <summary>What the last step was told.</summary>
    internal (int Round, int Leader)[] Heard() => _heard.Count == 0 ? [] : [.. _heard];

    /// <summary>Whether a step that asks would be told the same.</summary>
    internal bool Agrees((int Round, int Leader)[] heard)
    {
        foreach (var (round, leader) in heard)
        {
            if (Ask(round) != leader)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The node that is drawn for a round; none if nobody is.</summary>
    internal NodeId NodeOf(Drawn drawn, int round) => drawn.Of(round) is var leader and > 0 ? leaders[leader - 1] : NodeId.None;

    private int Ask(int round)
    {
        foreach (var (asked, told) in _asked)
        {
            if (asked == round)
            {
                return told;
            }
        }

        var leader = Math.Max(_drawn.Of(round), 1);
        _asked.Add((round, leader));
        return leader;
    }
}

/// <summary>The leaders that are drawn, by their positions from 1 on: four bits a round.</summary>
internal readonly record struct Drawn(ulong Bits)
{
    private const int Rounds = 16;
    private const int BitsEach = 4;

    /// <summary>The first round for which nobody is drawn, nor for any after it.</summary>
    public int End => Rounds - System.Numerics.BitOperations.LeadingZeroCount(Bits) / BitsEach;

    /// <summary>0 if nobody is drawn for the round.</summary>
    public int Of(int round) => (uint)round < Rounds ? (int)(Bits >> round * BitsEach & 15) : 0;

    public Drawn With(int round, int leader)
    {
        Invariant.Check((uint)round < Rounds && leader < 1 << BitsEach, "DrawsFit");
        return new(Bits | (ulong)leader << round * BitsEach);
    }
}
