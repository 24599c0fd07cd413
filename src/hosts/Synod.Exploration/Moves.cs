using Synod.Core;

namespace Synod.Exploration;

/// <summary>What the world may do next.</summary>
internal enum MoveKind : byte
{
    Deliver,
    Duplicate,
    Drop,
    MakeDurable,
    Crash,
    Fire,
    Submit,
    Tick,
}

/// <summary>One step of the world. The argument is a message, a position among armed timers, or a number of records.</summary>
internal readonly record struct Move(MoveKind Kind, int Node, int Argument)
{
    /// <summary>Whether the world can do without it for ever.</summary>
    public bool IsFault => Kind is MoveKind.Duplicate or MoveKind.Drop or MoveKind.Crash;
}

/// <summary>What a node's step led to: its next local state and the messages that left, or the claim that broke.</summary>
internal sealed record Outcome(int Local, int[] Sent, string? Broken = null);

/// <summary>A world one move away.</summary>
internal readonly record struct Successor(Move Move, int[] World, string? Broken);

/// <summary>Gives steps a fixed time, and choices from a list that grows by zeros.</summary>
internal sealed class ExplorerContext(int limit) : StepContext
{
    private readonly List<int> _choices = [];
    private readonly List<int> _counts = [];
    private int _next;

    public void Begin(Instant now, TimeInterval trueTime)
    {
        (Now, TrueTime) = (now, trueTime);
        _next = 0;
    }

    public override int Choose(int count)
    {
        Invariant.Check(count > 0, "ChooseAmongSome");
        if (count == 1 || count > limit)
        {
            return 0;
        }

        if (_next == _choices.Count)
        {
            _choices.Add(0);
            _counts.Add(count);
        }

        return _choices[_next++];
    }

    /// <summary>Moves to the next list of choices, like a counter; false after the last, and then the list is empty again.</summary>
    public bool Advance()
    {
        while (_choices.Count > 0)
        {
            if (++_choices[^1] < _counts[^1])
            {
                return true;
            }

            _choices.RemoveAt(_choices.Count - 1);
            _counts.RemoveAt(_counts.Count - 1);
        }

        return false;
    }
}
