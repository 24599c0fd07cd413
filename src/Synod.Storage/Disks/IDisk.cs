namespace Synod.Storage;

/// <summary>
/// A flat folder of files, as little as a durable log needs. Synchronous. Every call may throw <see cref="StorageFailure"/>; the
/// folder's state is then unknown to the caller. Creations, renames and deletions are durable only after <see cref="SyncDirectory"/>.
/// </summary>
public interface IDisk
{
    /// <summary>The names of all files, in ordinal order.</summary>
    IReadOnlyList<string> List();

    /// <summary>
    /// Makes a file of <paramref name="length"/> zero bytes whose blocks are allocated and written, so that a later write and sync
    /// inside it changes no metadata. The content is synced, the name is not.
    /// </summary>
    /// <exception cref="StorageFailure">The name is taken, or the disk is full or broken.</exception>
    IDiskFile Create(string name, long length);

    /// <exception cref="StorageFailure">There is no such file.</exception>
    IDiskFile Open(string name);

    /// <summary>Renames atomically. Open handles stay valid.</summary>
    /// <exception cref="StorageFailure">There is no such file, or the new name is taken.</exception>
    void Rename(string from, string to);

    /// <summary>Deletes a file that no one has open.</summary>
    void Delete(string name);

    /// <summary>Makes every creation, renaming and deletion so far durable.</summary>
    void SyncDirectory();
}

/// <summary>An open file.</summary>
public interface IDiskFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads until <paramref name="into"/> is full or the file ends.</summary>
    /// <returns>How many bytes were read.</returns>
    int Read(long offset, Span<byte> into);

    /// <summary>Writes all of <paramref name="data"/>; durable only after <see cref="Sync"/>, and torn at will by a crash before.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>
    /// Makes every write of this file so far durable (fdatasync). After a failure nothing is known about them: no retry can help,
    /// since the kernel may have dropped the dirty pages.
    /// </summary>
    void Sync();

    /// <summary>Cuts the file to <paramref name="length"/>, which is not above the present one.</summary>
    void Truncate(long length);
}
