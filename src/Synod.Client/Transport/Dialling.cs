using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Synod.Client.Transport;

/// <summary>How a connection to a node comes to be.</summary>
internal static class Dialling
{
    private const int UserTimeout = 18;

    // After a partition heals, the kernel's own retransmission timer may sleep for minutes more; a new connection does not.
    private const int UnacknowledgedMilliseconds = 10_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Connects, and proves over TLS who is there if the options ask for it.</summary>
    /// <param name="onConnected">Called when somebody answers, before anything is said.</param>
    /// <exception cref="AuthenticationException">It is not of the cluster whose authority the options name.</exception>
    /// <exception cref="OperationCanceledException">Nobody answered in time.</exception>
    public static async Task<Stream> ConnectAsync(
        string address, SynodClientOptions options, Action onConnected, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var endpoint = new Uri($"tcp://{address}");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            NoticeSilence(socket);
            await socket.ConnectAsync(endpoint.IdnHost.Trim('[', ']'), endpoint.Port, either.Token);
            onConnected();
            stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Tls is { } tls)
            {
                var secure = new SslStream(stream);
                stream = secure;
                await secure.AuthenticateAsClientAsync(Terms(endpoint.IdnHost, tls), either.Token);
            }

            return stream;
        }
        catch
        {
            socket.Dispose();
            await (stream?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }
    }

    private static void NoticeSilence(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 2);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, BitConverter.GetBytes(UnacknowledgedMilliseconds));
        }
    }

    private static SslClientAuthenticationOptions Terms(string host, ClientTls tls)
    {
        var terms = new SslClientAuthenticationOptions { TargetHost = host, EnabledSslProtocols = SslProtocols.Tls13 };
        if (tls.Authorities is { } authorities)
        {
            terms.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            terms.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return terms;
    }
}
