using System.Net;
using System.Net.Sockets;

namespace Synod.App.Processes;

/// <summary>Ports of this machine for processes that are about to start.</summary>
internal static class LoopbackPorts
{
    /// <summary>Ports that were free a moment ago, all bound at once so that they differ.</summary>
    public static int[] Free(int count)
    {
        var sockets = Enumerable.Range(0, count).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        try
        {
            sockets.ForEach(socket => socket.Bind(new IPEndPoint(IPAddress.Loopback, 0)));
            return [.. sockets.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Port)];
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }
}
