using System.Security.Cryptography;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Node.Tests.Signing;

public sealed class SigningTests
{
    private static readonly NodeId A = new(1);
    private static readonly NodeId B = new(2);
    private static readonly byte[] s_keyOfA = SHA256.HashData("a"u8);
    private static readonly byte[] s_keyOfB = SHA256.HashData("b"u8);
    private static readonly SortedDictionary<NodeId, byte[]> s_members = new()
    {
        [A] = Ed25519Signer.PublicKeyOf(s_keyOfA),
        [B] = Ed25519Signer.PublicKeyOf(s_keyOfB),
    };

    /// <summary>RFC 8032, §7.1, test 2.</summary>
    [Fact]
    public void The_signature_is_that_of_the_standard()
    {
        var key = Convert.FromHexString("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        using var signer = new Ed25519Signer(A, key, s_members);
        Assert.Equal(
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            Convert.ToHexStringLower(Ed25519Signer.PublicKeyOf(key)));
        Assert.Equal(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            Convert.ToHexStringLower(signer.Sign([0x72]).Span));
    }

    [Fact]
    public void A_signature_convinces_everyone_of_its_signer_and_content_only()
    {
        using var a = new Ed25519Signer(A, s_keyOfA, s_members);
        using var b = new Ed25519Signer(B, s_keyOfB, s_members);
        var signature = a.Sign("yes"u8);
        Assert.Equal(signature, a.Sign("yes"u8));
        Assert.True(b.Verify(A, "yes"u8, signature));
        Assert.False(b.Verify(B, "yes"u8, signature));
        Assert.False(b.Verify(A, "no"u8, signature));
        Assert.False(b.Verify(new NodeId(3), "yes"u8, signature));
        Assert.False(b.Verify(A, "yes"u8, default));
        Assert.False(b.Verify(A, "yes"u8, new Signature(new byte[64])));
    }

    [Fact]
    public void What_was_found_valid_ahead_is_not_checked_again_and_nothing_else_is_believed()
    {
        using var a = new Ed25519Signer(A, s_keyOfA, s_members);
        using var b = new Ed25519Signer(B, s_keyOfB, s_members);
        var checks = new Checks(b);
        var ahead = new VerifiedAhead(checks);
        Assert.True(ahead.Check(A, "yes"u8.ToArray(), a.Sign("yes"u8)));
        Assert.True(ahead.Verify(A, "yes"u8, a.Sign("yes"u8)));
        Assert.Equal(1, checks.Count);

        Assert.False(ahead.Verify(A, "no"u8, a.Sign("yes"u8)));
        Assert.False(ahead.Verify(A, "yes"u8, a.Sign("no"u8)));
        Assert.False(ahead.Verify(B, "yes"u8, a.Sign("yes"u8)));
        Assert.Equal(4, checks.Count);

        // Neither is what was refused remembered, nor more than the newest of each signer.
        Assert.False(ahead.Check(A, "no"u8.ToArray(), a.Sign("yes"u8)));
        Assert.False(ahead.Verify(A, "no"u8, a.Sign("yes"u8)));
        Assert.True(ahead.Check(A, "newer"u8.ToArray(), a.Sign("newer"u8)));
        Assert.True(ahead.Verify(A, "yes"u8, a.Sign("yes"u8)));
        Assert.Equal(8, checks.Count);
    }

    [Fact]
    public void A_key_that_is_none_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new Ed25519Signer(A, new byte[5], s_members));
        Assert.Throws<ArgumentException>(() => Ed25519Signer.PublicKeyOf(new byte[5]));
        Assert.Throws<ArgumentException>(
            () => new Ed25519Signer(A, s_keyOfA, new SortedDictionary<NodeId, byte[]> { [B] = new byte[5] }));
        Assert.Throws<ArgumentException>(() => new HmacMacs(A, new SortedDictionary<NodeId, byte[]> { [B] = new byte[5] }));
    }

    [Fact]
    public void A_code_convinces_its_receiver_and_nobody_else()
    {
        var (ab, bc) = (SHA256.HashData("ab"u8), SHA256.HashData("bc"u8));
        var c = new NodeId(3);
        var a = new HmacMacs(A, new SortedDictionary<NodeId, byte[]> { [B] = ab });
        var b = new HmacMacs(B, new SortedDictionary<NodeId, byte[]> { [A] = ab, [c] = bc });
        var third = new HmacMacs(c, new SortedDictionary<NodeId, byte[]> { [B] = bc });
        var code = a.Authenticate(B, "yes"u8);
        Assert.True(b.Check(A, "yes"u8, code));
        Assert.False(b.Check(A, "no"u8, code));
        Assert.False(b.Check(c, "yes"u8, code));
        Assert.False(third.Check(A, "yes"u8, code));
        Assert.False(b.Check(A, "yes"u8, new Mac(code.Value + 1)));
        Assert.Throws<ArgumentException>(() => a.Authenticate(c, "yes"u8));

        // What a node said is not taken for what it was told.
        Assert.False(a.Check(B, "yes"u8, code));
    }

    private sealed class Checks(ISigner signer) : ISigner
    {
        public int Count { get; private set; }

        public NodeId Self => signer.Self;

        public Signature Sign(ReadOnlySpan<byte> statement) => signer.Sign(statement);

        public bool Verify(NodeId by, ReadOnlySpan<byte> statement, Signature signature)
        {
            Count++;
            return signer.Verify(by, statement, signature);
        }
    }
}
