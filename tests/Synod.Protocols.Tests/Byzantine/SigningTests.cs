using Synod.Core;
using Synod.Protocols.Byzantine;
using Xunit;

namespace Synod.Protocols.Tests.Byzantine;

public sealed class SigningTests
{
    private static readonly NodeId A = new(1);
    private static readonly NodeId B = new(2);

    [Fact]
    public void A_signature_is_valid_only_if_that_node_signed_that_content()
    {
        var keys = new IdealSignatures();
        var signature = keys.SignerOf(A).Sign("yes"u8);
        Assert.Equal(signature, keys.SignerOf(A).Sign("yes"u8));
        Assert.True(keys.Verify(A, "yes"u8, signature));
        Assert.True(keys.SignerOf(B).Verify(A, "yes"u8, signature));
        Assert.False(keys.Verify(B, "yes"u8, signature));
        Assert.False(keys.Verify(A, "no"u8, signature));
        keys.SignerOf(A).Sign("no"u8);
        Assert.False(keys.Verify(A, "no"u8, signature));
        Assert.False(keys.Verify(A, "yes"u8, default));
    }

    [Fact]
    public void A_code_convinces_one_receiver()
    {
        var keys = new IdealSignatures();
        var code = keys.MacsOf(A).Authenticate(B, "yes"u8);
        Assert.True(keys.MacsOf(B).Check(A, "yes"u8, code));
        Assert.False(keys.MacsOf(B).Check(A, "no"u8, code));
        Assert.False(keys.MacsOf(new NodeId(3)).Check(A, "yes"u8, code));
        Assert.False(keys.MacsOf(A).Check(B, "yes"u8, code));
    }

    [Fact]
    public void Statements_of_different_protocols_clusters_epochs_and_kinds_differ()
    {
        static string Statement(string protocol, string cluster, long epoch, byte kind)
        {
            var writer = new CodecWriter();
            new SigningDomain(protocol, cluster, epoch).Begin(writer, kind);
            return Convert.ToHexString(writer.Span);
        }

        string[] statements =
        [
            Statement("a", "b", 1, 1), Statement("b", "b", 1, 1), Statement("a", "c", 1, 1), Statement("a", "b", 2, 1),
            Statement("a", "b", 1, 2), Statement("ab", "", 1, 1),
        ];
        Assert.Equal(statements.Length, statements.Distinct().Count());
    }

    /// <summary>FIPS 180-2, appendix B.1.</summary>
    [Fact]
    public void A_digest_survives_its_binary_form()
    {
        var digest = Digest.Of("abc"u8);
        var writer = new CodecWriter();
        digest.Write(writer);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Convert.ToHexStringLower(writer.Span));
        var reader = new CodecReader(writer.ToArray());
        Assert.Equal(digest, Digest.Read(ref reader));
        Assert.True(reader.IsComplete);
        Assert.Equal("ba7816bf", digest.ToString());
    }
}
