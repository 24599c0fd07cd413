using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Who leads in which round, for protocols that are told: drawn when one first asks, and every outcome of the draw is explored. So
/// schedules that differ only in a leader whom nobody asked for are one schedule.
/// </summary>
/// <param name="leaders">Each may lead in any round.</param>
public sealed class LeaderDraw(IReadOnlyList<NodeId> leaders)
{
    private readonly List<(int Round, NodeId Leader)> _asked = [];
    private ImmutableArray<NodeId> _drawn = [];

    /// <summary>The leader of a round, from 0 on. Only a step of a <see cref="RoundModel{TMessage,TRecord,TCommand,TResult}"/> may ask.</summary>
    public NodeId LeaderOf(long round)
    {
        var at = checked((int)round);
        if (at >= _drawn.Length || _drawn[at] == NodeId.None)
        {
            throw new Undrawn(at);
        }

        _asked.Add((at, _drawn[at]));
        return _drawn[at];
    }

    /// <summary>Each outcome of <paramref name="run"/> that the leaders drawn so far leave open, with those that it asked for.</summary>
    internal IEnumerable<(ImmutableArray<NodeId> Drawn, T Outcome)> Each<T>(ImmutableArray<NodeId> drawn, Func<T> run)
    {
        var open = new Stack<ImmutableArray<NodeId>>();
        open.Push(drawn);
        while (open.TryPop(out var next))
        {
            _drawn = next;
            T outcome;
            try
            {
                outcome = run();
            }
            catch (Undrawn undrawn)
            {
                foreach (var leader in leaders.Reverse())
                {
                    open.Push(With(next, undrawn.Round, leader));
                }

                continue;
            }

            yield return (next, outcome);
        }
    }

    /// <summary>Draws at random whom <paramref name="run"/> asks for.</summary>
    internal (ImmutableArray<NodeId> Drawn, T Outcome) Any<T>(ImmutableArray<NodeId> drawn, Random random, Func<T> run)
    {
        while (true)
        {
            _drawn = drawn;
            try
            {
                return (drawn, run());
            }
            catch (Undrawn undrawn)
            {
                drawn = With(drawn, undrawn.Round, leaders[random.Next(leaders.Count)]);
            }
        }
    }

    /// <summary>Forgets what was asked.</summary>
    internal void Listen() => _asked.Clear();

    /// <summary>What was asked since, and the answers.</summary>
    internal (int Round, NodeId Leader)[] Asked() => _asked.Count == 0 ? [] : [.. _asked.Distinct()];

    /// <summary>Whether questions would get the same answers now.</summary>
    internal bool Agrees((int Round, NodeId Leader)[] asked)
    {
        foreach (var (round, leader) in asked)
        {
            if (round >= _drawn.Length || _drawn[round] == NodeId.None)
            {
                throw new Undrawn(round);
            }

            if (_drawn[round] != leader)
            {
                return false;
            }
        }

        return true;
    }

    private static ImmutableArray<NodeId> With(ImmutableArray<NodeId> drawn, int round, NodeId leader)
    {
        while (drawn.Length <= round)
        {
            drawn = drawn.Add(NodeId.None);
        }

        return drawn.SetItem(round, leader);
    }

    /// <summary>A step asked for a leader who is not drawn: it is run again with each of those who may be.</summary>
    internal sealed class Undrawn(int round) : Exception
    {
        public int Round => round;
    }
}
