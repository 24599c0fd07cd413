using NSec.Cryptography;
using Synod.Core;
using Synod.Protocols.Byzantine;
using Signature = Synod.Protocols.Byzantine.Signature;
using SigningKey = NSec.Cryptography.Key;

namespace Synod.Node;

/// <summary>Ed25519 signatures (RFC 8032): deterministic, 64 bytes. Verifying costs about four times what signing does.</summary>
public sealed class Ed25519Signer : ISigner, IDisposable
{
    /// <summary>Bytes of a private key.</summary>
    public const int PrivateKeySize = 32;

    private static readonly SignatureAlgorithm s_algorithm = SignatureAlgorithm.Ed25519;

    private readonly SigningKey _key;
    private readonly SortedDictionary<NodeId, PublicKey> _members = [];

    /// <param name="self">The node that the private key belongs to.</param>
    /// <param name="privateKey">32 bytes that nobody else has.</param>
    /// <param name="members">The public key of every node whose signatures are to be believed, 32 bytes each.</param>
    /// <exception cref="ArgumentException">A key is not one.</exception>
    public Ed25519Signer(NodeId self, ReadOnlySpan<byte> privateKey, IReadOnlyDictionary<NodeId, byte[]> members)
    {
        Self = self;
        _key = Import(privateKey);
        foreach (var (node, bytes) in members)
        {
            if (!PublicKey.TryImport(s_algorithm, bytes, KeyBlobFormat.RawPublicKey, out var member) || member is null)
            {
                throw new ArgumentException($"Not an Ed25519 public key of {node}.", nameof(members));
            }

            _members.Add(node, member);
        }
    }

    public NodeId Self { get; }

    /// <summary>The public key of a private one.</summary>
    /// <exception cref="ArgumentException">The key is not one.</exception>
    public static byte[] PublicKeyOf(ReadOnlySpan<byte> privateKey)
    {
        using var key = Import(privateKey);
        return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    public Signature Sign(ReadOnlySpan<byte> statement) => new(s_algorithm.Sign(_key, statement));

    public bool Verify(NodeId signer, ReadOnlySpan<byte> statement, Signature signature) =>
        signature.Span.Length == s_algorithm.SignatureSize
        && _members.TryGetValue(signer, out var key)
        && s_algorithm.Verify(key, statement, signature.Span);

    public void Dispose() => _key.Dispose();

    private static SigningKey Import(ReadOnlySpan<byte> privateKey) =>
        SigningKey.TryImport(s_algorithm, privateKey, KeyBlobFormat.RawPrivateKey, out var key) && key is not null
            ? key
            : throw new ArgumentException("Not an Ed25519 private key.", nameof(privateKey));
}
