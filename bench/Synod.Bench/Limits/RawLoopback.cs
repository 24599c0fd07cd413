using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using HdrHistogram;

namespace Synod.Bench.Limits;

/// <summary>What a round trip over loopback TCP costs at best: 64 bytes there and back, two threads that block in the kernel.</summary>
internal static class RawLoopback
{
    private const int MessageBytes = 64;

    public static Limit Measure(TimeSpan duration)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.Connect(listener.LocalEndPoint!);
        using var far = listener.Accept();
        far.NoDelay = true;
        var echo = new Thread(() => Echo(far)) { IsBackground = true };
        echo.Start();

        var latencies = new LongHistogram(1, 60_000_000, 3);
        var message = new byte[MessageBytes];
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            var start = Stopwatch.GetTimestamp();
            near.Send(message);
            if (!Fill(near, message))
            {
                throw new IOException("The echo ended.");
            }

            latencies.RecordValue(Math.Max(1, (long)Stopwatch.GetElapsedTime(start).TotalMicroseconds));
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        near.Shutdown(SocketShutdown.Both);
        echo.Join();
        return new Limit("loopback TCP ping-pong, 64 B", latencies, seconds);
    }

    private static void Echo(Socket socket)
    {
        var message = new byte[MessageBytes];
        while (Fill(socket, message))
        {
            socket.Send(message);
        }
    }

    private static bool Fill(Socket socket, Span<byte> message)
    {
        while (!message.IsEmpty)
        {
            var read = socket.Receive(message);
            if (read == 0)
            {
                return false;
            }

            message = message[read..];
        }

        return true;
    }
}
