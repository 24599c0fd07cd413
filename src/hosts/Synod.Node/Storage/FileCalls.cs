using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>Calls to the file system that .NET lacks, and one form for their failures.</summary>
internal static partial class FileCalls
{
    private const int OpenReadOnlyDirectory = 0x10000; // O_DIRECTORY | O_RDONLY on Linux
    private const int Interrupted = 4; // EINTR
    private const int NoSpaceUnix = 28; // ENOSPC
    private const int QuotaUnix = 122; // EDQUOT
    private const int NoSpaceWindows = 112; // ERROR_DISK_FULL
    private const int NotSupported = 95; // EOPNOTSUPP
    private const int ZeroBytes = 1 << 20;

    public static T Run<T>(string what, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception failure) when (IsDiskFailure(failure))
        {
            throw Failure(what, failure);
        }
    }

    public static bool IsDiskFailure(Exception failure) =>
        failure is IOException or UnauthorizedAccessException or Win32Exception or ObjectDisposedException;

    public static StorageFailure Failure(string what, Exception failure)
    {
        var code = failure is Win32Exception native ? native.NativeErrorCode : failure.HResult & 0xffff;
        return code is NoSpaceUnix or QuotaUnix or NoSpaceWindows
            ? new StorageFailure($"The disk is full: could not {what}. Free space, then start the node again.", failure)
            : new StorageFailure($"Could not {what}: {failure.Message}", failure);
    }

    /// <summary>Makes written data durable, and of the metadata only what is needed to read it.</summary>
    public static void SyncData(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }

        while (DataSync(file) != 0)
        {
            ThrowUnlessInterrupted();
        }
    }

    /// <summary>
    /// Writes zeros, rather than only reserving blocks: a reserved block turns into a written one by a change of metadata, which would
    /// make every later sync of data commit the file system's journal.
    /// </summary>
    public static void Allocate(SafeFileHandle file, long length)
    {
        if (OperatingSystem.IsLinux() && length > 0)
        {
            // First, so that a full disk is known before the zeros are written. It returns the error.
            var error = Reserve(file, 0, length);
            if (error is not 0 and not Interrupted and not NotSupported)
            {
                throw new Win32Exception(error);
            }
        }

        var zeros = new byte[Math.Min(ZeroBytes, length)];
        for (long at = 0; at < length; at += zeros.Length)
        {
            RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, length - at)), at);
        }

        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using var folder = OpenFolder(path, OpenReadOnlyDirectory, 0);
        if (folder.IsInvalid)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        while (FullSync(folder) != 0)
        {
            ThrowUnlessInterrupted();
        }
    }

    private static void ThrowUnlessInterrupted()
    {
        var error = Marshal.GetLastPInvokeError();
        if (error != Interrupted)
        {
            throw new Win32Exception(error);
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FullSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int Reserve(SafeFileHandle file, long offset, long length);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenFolder(string path, int flags, int mode);
}
