using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Node;

/// <summary>The machine's clocks, as a seam: tests bend it, everything else reads <see cref="SystemTime"/>.</summary>
public interface ISystemTime
{
    /// <summary>Nanoseconds since the Unix epoch, as the kernel believes.</summary>
    long Realtime();

    /// <summary>Nanoseconds since boot, suspend included; never steps.</summary>
    long Boottime();

    /// <summary>What the kernel knows about the error of <see cref="Realtime"/>.</summary>
    KernelError Error();
}

/// <summary>The kernel's own view of its clock's error (adjtimex(2)).</summary>
/// <param name="Synchronized">Whether a time daemon stands behind the clock.</param>
/// <param name="MaxError">The greatest possible error as of the kernel's last whole second.</param>
/// <param name="Slewing">The part of a known offset that is not yet corrected.</param>
public readonly record struct KernelError(bool Synchronized, Duration MaxError, Duration Slewing);

/// <summary>
/// Linux clocks. CLOCK_BOOTTIME and not CLOCK_MONOTONIC, on which .NET's Stopwatch stands: the latter stops in suspend, and a
/// lease that was held before must be seen to have run out (time.md §6).
/// </summary>
public sealed partial class SystemTime : ISystemTime
{
    private const int RealtimeClock = 0;
    private const int ThreadClock = 3;
    private const int BoottimeClock = 7;
    private const int TimeError = 5;
    private const int StatusUnsynchronized = 0x40;
    private const int StatusClockError = 0x1000;
    private const int StatusNanoseconds = 0x2000;

    private SystemTime()
    {
    }

    public static SystemTime Instance { get; } = new();

    /// <summary>The monotonic clock as the instants that steps see.</summary>
    public static Instant Now => new(Read(BoottimeClock));

    /// <summary>Processor time that the calling thread has had, in nanoseconds.</summary>
    public static long ThreadTime => Read(ThreadClock);

    public long Realtime() => Read(RealtimeClock);

    public long Boottime() => Read(BoottimeClock);

    public unsafe KernelError Error()
    {
        // struct timex is 208 bytes on every 64-bit Linux; modes = 0 reads and needs no privilege.
        var timex = stackalloc long[32];
        new Span<long>(timex, 32).Clear();
        var state = Adjust(timex);
        if (state < 0)
        {
            return new KernelError(false, Duration.Zero, Duration.Zero);
        }

        var status = (int)timex[5];
        var unsynchronized = state == TimeError || (status & (StatusUnsynchronized | StatusClockError)) != 0;
        var offset = Math.Abs(timex[1]);
        var slewing = (status & StatusNanoseconds) != 0 ? new Duration(offset) : Duration.FromMicroseconds(offset);
        return new KernelError(!unsynchronized, Duration.FromMicroseconds(timex[3]), slewing);
    }

    private static unsafe long Read(int clock)
    {
        Timespec time;
        if (GetTime(clock, &time) != 0)
        {
            throw new PlatformNotSupportedException($"clock_gettime({clock}) failed.");
        }

        return checked(time.Seconds * 1_000_000_000 + time.Nanoseconds);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    // The vDSO, or a short system call for the thread's time, answers without blocking, which is what suppressing the transition asks for.
    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static unsafe partial int GetTime(int clock, Timespec* time);

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static unsafe partial int Adjust(long* timex);
}
