using Microsoft.Win32.SafeHandles;
using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>
/// A folder of the real file system. Held by one process at a time: a lock file is locked for as long as the disk is open, and the
/// kernel frees it when the process dies.
/// </summary>
public sealed class FileDisk : IDisk, IDisposable
{
    private const string LockName = "lock";

    private readonly string _path;
    private readonly FileStream _lock;

    /// <param name="path">A folder, made if missing, that no other process has open.</param>
    /// <exception cref="StorageFailure">The folder is in use, or cannot be used.</exception>
    public FileDisk(string path)
    {
        _path = Path.GetFullPath(path);
        _lock = FileCalls.Run($"open the folder '{_path}'", () =>
        {
            if (!Directory.Exists(_path))
            {
                Directory.CreateDirectory(_path);
                FileCalls.SyncDirectory(Path.GetDirectoryName(_path) ?? _path);
            }

            return Lock();
        });
    }

    public IReadOnlyList<string> List() => FileCalls.Run($"list '{_path}'", () =>
    {
        var names = Directory.GetFiles(_path).Select(file => Path.GetFileName(file)!).Where(name => name != LockName).ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    });

    public IDiskFile Create(string name, long length) => FileCalls.Run($"create '{name}' of {length} bytes in '{_path}'", () =>
    {
        var handle = File.OpenHandle(PathOf(name), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        try
        {
            FileCalls.Allocate(handle, length);
            return new OpenFile(PathOf(name), handle);
        }
        catch
        {
            // Half a file would be taken for a whole one later.
            handle.Dispose();
            File.Delete(PathOf(name));
            throw;
        }
    });

    public IDiskFile Open(string name) => FileCalls.Run($"open '{PathOf(name)}'", () =>
        new OpenFile(PathOf(name), File.OpenHandle(PathOf(name), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite)));

    public void Rename(string from, string to) => FileCalls.Run($"rename '{PathOf(from)}' to '{to}'", () =>
    {
        File.Move(PathOf(from), PathOf(to), overwrite: false);
        return 0;
    });

    public void Delete(string name) => FileCalls.Run($"delete '{PathOf(name)}'", () =>
    {
        File.Delete(PathOf(name));
        return 0;
    });

    public void SyncDirectory() => FileCalls.Run($"sync the folder '{_path}'", () =>
    {
        FileCalls.SyncDirectory(_path);
        return 0;
    });

    public void Dispose() => _lock.Dispose();

    private string PathOf(string name) => Path.Combine(_path, name);

    private FileStream Lock()
    {
        try
        {
            // FileShare.None is an exclusive flock on Unix.
            return new FileStream(PathOf(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (failure is not DirectoryNotFoundException && File.Exists(PathOf(LockName)))
        {
            throw new StorageFailure(
                $"The folder '{_path}' is in use by another process. Two nodes must never share one; stop the other, or choose another folder.",
                failure);
        }
    }

    private sealed class OpenFile(string path, SafeFileHandle handle) : IDiskFile
    {
        public long Length => FileCalls.Run($"measure '{path}'", () => RandomAccess.GetLength(handle));

        public int Read(long offset, Span<byte> into)
        {
            try
            {
                var total = 0;
                while (total < into.Length)
                {
                    var count = RandomAccess.Read(handle, into[total..], offset + total);
                    if (count == 0)
                    {
                        break;
                    }

                    total += count;
                }

                return total;
            }
            catch (Exception failure) when (FileCalls.IsDiskFailure(failure))
            {
                throw FileCalls.Failure($"read '{path}' at {offset}", failure);
            }
        }

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            try
            {
                RandomAccess.Write(handle, data, offset);
            }
            catch (Exception failure) when (FileCalls.IsDiskFailure(failure))
            {
                throw FileCalls.Failure($"write '{path}' at {offset}", failure);
            }
        }

        public void Sync()
        {
            try
            {
                FileCalls.SyncData(handle);
            }
            catch (Exception failure) when (FileCalls.IsDiskFailure(failure))
            {
                throw FileCalls.Failure($"sync '{path}'", failure);
            }
        }

        public void Truncate(long length) => FileCalls.Run($"truncate '{path}' to {length}", () =>
        {
            RandomAccess.SetLength(handle, length);
            return 0;
        });

        public void Dispose() => handle.Dispose();
    }
}
