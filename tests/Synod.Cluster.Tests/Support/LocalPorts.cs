using System.Net;
using System.Net.Sockets;

namespace Synod.Cluster.Tests.Support;

/// <summary>
/// Ports that nobody uses. They are below the range from which the kernel takes the ports of outgoing connections: a node that is down
/// for a while must find its own again.
/// </summary>
internal static class LocalPorts
{
    private const int First = 12_000;
    private const int Last = 32_000;

    private static readonly Lock Gate = new();
    private static int _next = Random.Shared.Next(First, Last);

    public static int[] Take(int count)
    {
        lock (Gate)
        {
            var found = new List<int>(count);
            while (found.Count < count)
            {
                _next = _next >= Last ? First : _next + 1;
                if (IsFree(_next))
                {
                    found.Add(_next);
                }
            }

            return [.. found];
        }
    }

    // For packets, too: nodes that gossip have both under one number.
    private static bool IsFree(int port) =>
        IsFree(port, SocketType.Stream, ProtocolType.Tcp) && IsFree(port, SocketType.Dgram, ProtocolType.Udp);

    private static bool IsFree(int port, SocketType type, ProtocolType protocol)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
