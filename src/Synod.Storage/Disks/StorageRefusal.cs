namespace Synod.Storage;

/// <summary>
/// What is on the disk may not be used as it is, and nothing was changed. Not a bug: the message is for the operator, in three
/// sentences.
/// </summary>
/// <param name="what">What was found, and where.</param>
/// <param name="meaning">What that means for the data.</param>
/// <param name="remedy">What the operator can do.</param>
public abstract class StorageRefusal(string what, string meaning, string remedy) : Exception($"{what} {meaning} {remedy}")
{
    public string What => what;

    public string Meaning => meaning;

    public string Remedy => remedy;
}

/// <summary>The log belongs to someone else, or was written by a version of Synod that this one does not know.</summary>
public sealed class LogRefused(string what, string meaning, string remedy) : StorageRefusal(what, meaning, remedy);

/// <summary>Records that were durable can no longer be read. The node may have promised what it forgot: it must not start.</summary>
public sealed class LogDamaged(string file, long offset, string what) : StorageRefusal(
    what,
    "Records that this node had made durable, and may have promised to its peers, cannot be read; going on without them could lose acknowledged writes.",
    "Do not edit the log. Restore the data folder from a copy of the same disk, or empty the folder and start the node with --rejoin: its peers take it in as a new replica, and it never votes on what it forgot.")
{
    public string File => file;

    /// <summary>In bytes from the start of <see cref="File"/>.</summary>
    public long Offset => offset;
}

/// <summary>The store belongs to someone else, or has a format that this version does not know.</summary>
public sealed class StoreRefused(string what, string meaning, string remedy) : StorageRefusal(what, meaning, remedy);
