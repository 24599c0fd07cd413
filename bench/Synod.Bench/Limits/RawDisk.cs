using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using HdrHistogram;
using Microsoft.Win32.SafeHandles;

namespace Synod.Bench.Limits;

/// <summary>What the disk can do at best for a log: appends of 4 KiB into a preallocated, zeroed file, each with an fdatasync.</summary>
internal static partial class RawDisk
{
    private const int AppendBytes = 4096;
    private const int FileBytes = 64 << 20;

    public static Limit Measure(string folder, TimeSpan duration)
    {
        var path = Path.Combine(folder, "synod-bench-limit");
        var latencies = new LongHistogram(1, 60_000_000, 3);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose, FileBytes);
        var block = new byte[AppendBytes];
        new Random(AppendBytes).NextBytes(block);
        for (var at = 0; at < FileBytes; at += AppendBytes)
        {
            RandomAccess.Write(file, block, at);
        }

        RandomAccess.FlushToDisk(file);
        var began = Stopwatch.GetTimestamp();
        for (var at = 0; Stopwatch.GetElapsedTime(began) < duration; at = (at + AppendBytes) % FileBytes)
        {
            var start = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, block, at);
            if (DataSync(file) != 0)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            latencies.RecordValue(Math.Max(1, (long)Stopwatch.GetElapsedTime(start).TotalMicroseconds));
        }

        return new Limit("append 4 KiB + fdatasync, preallocated", latencies, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeFileHandle file);
}
