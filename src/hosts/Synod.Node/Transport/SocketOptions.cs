using System.Net.Sockets;

namespace Synod.Node;

internal static class SocketOptions
{
    private const int UserTimeout = 18;

    // After a partition heals, the kernel's own retransmission timer may sleep for minutes more; a new connection does not.
    private const int UnacknowledgedMilliseconds = 10_000;

    public static void Apply(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, BitConverter.GetBytes(UnacknowledgedMilliseconds));
        }
    }
}
