namespace Synod.Protocols.Commit;

/// <summary>Known mistakes of dynamic enlistment, each at one guard that all rooms share. Tests and the hunt for mistakes set them, nobody else.</summary>
internal enum EnlistmentMutation
{
    None,

    /// <summary>A participant that is asked to prepare what it enlisted in an earlier life takes whatever it has now, if anything, for all of it.</summary>
    AnyLifePrepares,

    /// <summary>A participant that restarted joins once more, as if it had lost nothing.</summary>
    AnotherLifeJoins,

    /// <summary>Who comes after the set was closed is told that it joined.</summary>
    JoinsAfterClose,

    /// <summary>A participant says "enlisted" before it has joined.</summary>
    EnlistedAtOnce,
}
