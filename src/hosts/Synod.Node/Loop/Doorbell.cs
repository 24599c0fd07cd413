using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Lets one thread sleep until another rings or a time comes. A futex: ringing costs a system call only if the sleeper sleeps,
/// and waiting takes nanoseconds, which timers need and .NET's waits do not.
/// </summary>
internal sealed unsafe partial class Doorbell
{
    private const int Quiet = 0;
    private const int Rung = 1;
    private const int Asleep = 2;
    private const int WaitPrivate = 128;
    private const int WakePrivate = 129;

    private static readonly nint FutexCall = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 => 98,
        var other => throw new PlatformNotSupportedException($"The number of the futex call on {other} is not known here."),
    };

    // Pinned, and as long as a cache line: no neighbour slows the exchanges down.
    private readonly int[] _memory = GC.AllocateArray<int>(16, pinned: true);
    private readonly int* _state;

    public Doorbell() => _state = (int*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _memory[0]);

    /// <summary>Wakes the sleeper, or lets its next wait return at once. From any thread.</summary>
    public void Ring()
    {
        if (Interlocked.Exchange(ref *_state, Rung) == Asleep)
        {
            _ = Futex(FutexCall, _state, WakePrivate, 1, null, 0, 0);
        }
    }

    /// <summary>Returns after a ring since the last wait, after <paramref name="atMost"/>, or now and then for no reason.</summary>
    public void Wait(Duration atMost)
    {
        if (atMost > Duration.Zero && Interlocked.CompareExchange(ref *_state, Asleep, Quiet) == Quiet)
        {
            var timeout = stackalloc long[2];
            timeout[0] = atMost.Nanoseconds / 1_000_000_000;
            timeout[1] = atMost.Nanoseconds % 1_000_000_000;
            _ = Futex(FutexCall, _state, WaitPrivate, Asleep, timeout, 0, 0);
        }

        _ = Interlocked.Exchange(ref *_state, Quiet);
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Futex(nint call, int* address, nint operation, nint value, long* timeout, nint unused, nint unused2);
}
