using Synod.Core;

namespace Synod.Node;

/// <summary>
/// After a pause of this process its timers are due at once, while what others said meanwhile is still with the kernel, or in the inbox.
/// That is heard first: silence proves nothing to somebody who did not listen. Not for ever, or whoever talks all the time could keep
/// timers from firing.
/// </summary>
internal sealed class LateTimers
{
    /// <summary>Timers that are no later fire when it is their turn: so long a turn may take.</summary>
    public static readonly Duration Late = Duration.FromMilliseconds(100);

    /// <summary>Turns that timers wait at most.</summary>
    public const int MostTurns = 100;

    private int _turns = MostTurns;

    /// <summary>Whether timers wait for another turn.</summary>
    /// <param name="late">How late the first of them is.</param>
    /// <param name="heard">Whether there was anything to hear in this turn.</param>
    /// <param name="hasMore">Whether there is more to be read.</param>
    public bool Wait(Duration late, bool heard, bool hasMore)
    {
        if (late < Late || (!heard && !hasMore))
        {
            _turns = MostTurns;
            return false;
        }

        return _turns-- > 0;
    }
}
