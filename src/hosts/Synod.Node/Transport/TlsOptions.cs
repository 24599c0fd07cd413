using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Synod.Core;

namespace Synod.Node;

/// <summary>The PEM files that a node proves itself with; <c>synod cert create</c> makes them.</summary>
/// <param name="Authority">The cluster's certificate authority.</param>
/// <param name="Certificate">The node's certificate, whose name is <c>synod-node-&lt;id&gt;</c>.</param>
/// <param name="Key">The private key of <paramref name="Certificate"/>.</param>
public sealed record TlsOptions(string Authority, string Certificate, string Key);

/// <summary>
/// TLS 1.3 between nodes, mutual: both ends must chain to the cluster's authority, and the name in the certificate must be that
/// of the node that the other end claims to be. Only the cluster's authority counts, never the machine's trust store.
/// </summary>
internal sealed class NodeTls : IDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _certificate;
    private readonly SslStreamCertificateContext _context;

    /// <exception cref="CryptographicException">A file is not what it should be.</exception>
    public NodeTls(TlsOptions options)
    {
        _authority = X509CertificateLoader.LoadCertificateFromFile(options.Authority);
        _certificate = X509Certificate2.CreateFromPemFile(options.Certificate, options.Key);
        _context = SslStreamCertificateContext.Create(_certificate, additionalCertificates: null, offline: true);
    }

    /// <summary>The name that a node's certificate carries.</summary>
    public static string NameOf(NodeId node) => $"synod-node-{node.Value}";

    /// <summary>Whether <paramref name="certificate"/> names <paramref name="node"/>, as an alternative name or its common one.</summary>
    public static bool Names(X509Certificate? certificate, NodeId node)
    {
        if (certificate is not X509Certificate2 full)
        {
            return false;
        }

        var name = NameOf(node);
        return full.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(extension => extension.EnumerateDnsNames())
                .Contains(name, StringComparer.OrdinalIgnoreCase)
            || string.Equals(full.GetNameInfo(X509NameType.SimpleName, false), name, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether this node's own certificate names <paramref name="node"/>.</summary>
    public bool IsFor(NodeId node) => Names(_certificate, node);

    /// <exception cref="AuthenticationException">The dialler has no certificate of the cluster.</exception>
    public SslStream Accept(Stream stream)
    {
        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        secure.AuthenticateAsServer(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _context,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate),
        });
        return secure;
    }

    /// <exception cref="AuthenticationException">The node at the other end is not <paramref name="peer"/> of the cluster.</exception>
    public async Task<SslStream> DialAsync(Stream stream, NodeId peer, CancellationToken cancellation)
    {
        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = NameOf(peer),
            ClientCertificateContext = _context,
            EnabledSslProtocols = SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate) && Names(certificate, peer),
        };
        await secure.AuthenticateAsClientAsync(options, cancellation);
        return secure;
    }

    public void Dispose()
    {
        _authority.Dispose();
        _certificate.Dispose();
    }

    private bool IsOurs(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 full)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(full);
    }
}
