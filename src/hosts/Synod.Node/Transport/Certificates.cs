using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Synod.Core;

namespace Synod.Node;

/// <summary>Makes a cluster's certificates as PEM files: an authority, and nodes and clients signed by it (ECDSA P-256).</summary>
public static class Certificates
{
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";

    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);
    private static readonly TimeSpan LeafLife = TimeSpan.FromDays(825);

    // Clocks differ by more than our bounds where certificates are first made.
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(10);

    /// <summary>Makes <c>ca.crt</c> and <c>ca.key</c> in <paramref name="folder"/>. The key signs nodes: keep it off them.</summary>
    /// <exception cref="IOException">One of the files exists: replacing an authority would lock every node out.</exception>
    public static void CreateAuthority(string folder, string cluster)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Named($"synod-ca-{cluster}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now - Backdate, now + AuthorityLife);
        Write(folder, "ca", certificate, key);
    }

    /// <summary>
    /// Makes <c>node-&lt;id&gt;.crt</c> and <c>.key</c>, signed by the authority in <paramref name="folder"/>.
    /// <paramref name="hosts"/> are the names and addresses that clients reach the node under, besides localhost.
    /// </summary>
    public static TlsOptions CreateNode(string folder, NodeId node, params ReadOnlySpan<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(NodeTls.NameOf(node));
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        return CreateLeaf(folder, $"node-{node.Value}", NodeTls.NameOf(node), names.Build(), ServerPurpose, ClientPurpose);
    }

    /// <summary>Makes <c>client-&lt;name&gt;.crt</c> and <c>.key</c>. A client's certificate never passes for a node's.</summary>
    public static TlsOptions CreateClient(string folder, string name) =>
        CreateLeaf(folder, $"client-{name}", $"synod-client-{name}", null, ClientPurpose);

    /// <summary>Writes a new cluster key into <paramref name="file"/>, which must not exist.</summary>
    public static void CreateClusterKey(string file)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        WriteNew(file, ClusterKeys.Draw(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static TlsOptions CreateLeaf(
        string folder, string file, string subject, X509Extension? alternativeNames, params ReadOnlySpan<string> purposes)
    {
        var authorityFile = Path.Combine(folder, "ca.crt");
        using var authority = X509Certificate2.CreateFromPemFile(authorityFile, Path.Combine(folder, "ca.key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Named(subject), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        var oids = new OidCollection();
        foreach (var purpose in purposes)
        {
            oids.Add(new Oid(purpose));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        if (alternativeNames is not null)
        {
            request.CertificateExtensions.Add(alternativeNames);
        }

        var now = DateTimeOffset.UtcNow;
        var end = now + LeafLife < authority.NotAfter ? now + LeafLife : authority.NotAfter;
        using var certificate = request.Create(authority, now - Backdate, end, RandomNumberGenerator.GetBytes(16));
        var (certificateFile, keyFile) = Write(folder, file, certificate, key);
        return new TlsOptions(authorityFile, certificateFile, keyFile);
    }

    private static X500DistinguishedName Named(string name)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(name);
        return builder.Build();
    }

    private static (string Certificate, string Key) Write(string folder, string name, X509Certificate2 certificate, ECDsa key)
    {
        Directory.CreateDirectory(folder);
        var certificateFile = Path.Combine(folder, $"{name}.crt");
        var keyFile = Path.Combine(folder, $"{name}.key");
        WriteNew(keyFile, key.ExportPkcs8PrivateKeyPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        WriteNew(certificateFile, certificate.ExportCertificatePem(),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return (certificateFile, keyFile);
    }

    private static void WriteNew(string path, string text, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        using var writer = new StreamWriter(path, options);
        writer.Write(text);
        writer.Write('\n');
    }
}
