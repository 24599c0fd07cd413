using System.Net.Sockets;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// The sending end of a connection. In the clear whoever steps hands frames to the kernel itself; what the kernel does not
/// take at once, and everything under TLS, goes through a bounded queue and a pump. A frame that finds it full is dropped whole.
/// Long frames always take that way, part by part, and the others pass between the parts.
/// </summary>
internal sealed partial class OutgoingConnection(Socket socket, Stream stream, bool isPlain, int maxQueued) : IDisposable
{
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int TryAgain = 11;
    private const int Interrupted = 4;

    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _long = new();
    private long _longBytes;
    private int _longSent;
    private CodecWriter _queue = new();
    private CodecWriter _writing = new();
    private bool _pumping;
    private bool _closed;

    /// <summary>Never blocks. Null if the frame was sent or queued.</summary>
    public DropReason? Send(ReadOnlySpan<byte> frame)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return DropReason.Disconnected;
            }

            if (isPlain && !_pumping && frame.Length <= FrameParts.LongestWhole)
            {
                var sent = SendNow(frame);
                if (sent < 0)
                {
                    Close();
                    return DropReason.Disconnected;
                }

                if (sent == frame.Length)
                {
                    return null;
                }

                // The head is on the wire, so the tail must follow whatever its length.
                Enqueue(frame[sent..]);
                return null;
            }

            // What waits already, not what comes: a frame that is longer than the bound would never be sent else.
            if (_queue.Length + _longBytes > maxQueued)
            {
                return DropReason.QueueFull;
            }

            if (frame.Length > FrameParts.LongestWhole)
            {
                _long.Enqueue(frame.ToArray());
                _longBytes += frame.Length;
                frame = [];
            }

            Enqueue(frame);
            return null;
        }
    }

    /// <summary>Returns when the other end has closed: it never sends after the handshake.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        var one = new byte[1];
        _ = await stream.ReadAsync(one, cancellation);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            Close();
        }
    }

    private void Enqueue(ReadOnlySpan<byte> bytes)
    {
        _queue.Raw(bytes);
        if (!_pumping)
        {
            _pumping = true;
            ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.PumpAsync(), this, preferLocal: false);
        }
    }

    private async Task PumpAsync()
    {
        try
        {
            while (TakeQueue())
            {
                await stream.WriteAsync(_writing.Memory);
            }
        }
        catch (Exception cause) when (cause is IOException or ObjectDisposedException or SocketException)
        {
            // The watcher sees the closed socket, tells and dials again.
            Dispose();
        }
    }

    private bool TakeQueue()
    {
        lock (_lock)
        {
            _writing.Clear();
            if (_closed || (_queue.Length == 0 && _long.Count == 0))
            {
                _pumping = false;
                return false;
            }

            (_queue, _writing) = (_writing, _queue);
            if (_long.TryPeek(out var frame))
            {
                var count = FrameParts.Write(_writing, frame, _longSent);
                _longBytes -= count;
                _longSent += count;
                if (_longSent == frame.Length)
                {
                    _ = _long.Dequeue();
                    _longSent = 0;
                }
            }

            return true;
        }
    }

    private int SendNow(ReadOnlySpan<byte> frame)
    {
        var sent = SendBytes(socket.SafeHandle, frame, frame.Length, DontWait | NoSignal);
        if (sent >= 0)
        {
            return (int)sent;
        }

        return Marshal.GetLastPInvokeError() is TryAgain or Interrupted ? 0 : -1;
    }

    private void Close()
    {
        if (!_closed)
        {
            _closed = true;
            stream.Dispose();
            socket.Dispose();
        }
    }

    // Socket.Send would either block or leave open how much of a frame it took; MSG_DONTWAIT does neither.
    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint SendBytes(SafeHandle socket, ReadOnlySpan<byte> data, nint length, int flags);
}
