namespace Synod.App;

/// <summary>What the program's exit code says; the same list is in the help text.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>It did not work, or the verdict is bad.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the configuration cannot be used.</summary>
    public const int Usage = 2;

    /// <summary>No node served the request in time.</summary>
    public const int Unavailable = 3;

    /// <summary>A commit was sent, and its outcome was not learned.</summary>
    public const int Unknown = 4;

    /// <summary>The data folder was refused, or the disk failed.</summary>
    public const int Storage = 5;

    public const string Help =
        "Exit codes: 0 done, 1 failed or bad verdict, 2 wrong usage or configuration, 3 cluster unavailable, "
        + "4 outcome unknown, 5 data folder refused or disk failed.";
}
