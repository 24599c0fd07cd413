using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Bytes that prove who said something. Equal by content.</summary>
public readonly struct Signature(ReadOnlyMemory<byte> bytes) : IEquatable<Signature>
{
    /// <summary>The longest that is read, in bytes.</summary>
    public const int MaxLength = 128;

    public ReadOnlySpan<byte> Span => bytes.Span;

    public void Write(CodecWriter writer) => writer.Bytes(bytes.Span);

    public static Signature Read(ref CodecReader reader)
    {
        var read = reader.Bytes();
        if (read.Length > MaxLength)
        {
            reader.Fail();
        }

        return new(read);
    }

    public bool Equals(Signature other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is Signature other && Equals(other);

    /// <summary>For lookups in hash tables only.</summary>
    public override int GetHashCode() => new Key(bytes).GetHashCode();

    public static bool operator ==(Signature left, Signature right) => left.Equals(right);

    public static bool operator !=(Signature left, Signature right) => !left.Equals(right);

    public override string ToString() => bytes.IsEmpty ? "unsigned" : "signed";
}

/// <summary>One member's signature under a statement that is known from elsewhere.</summary>
public readonly record struct Endorsement(NodeId Signer, Signature Signature)
{
    public override string ToString() => Signer.ToString();
}

/// <summary>Checks signatures. Pure: the same answer whenever it is asked, and none that throws.</summary>
public interface IVerifier
{
    /// <summary>Whether <paramref name="signer"/> signed exactly these bytes.</summary>
    bool Verify(NodeId signer, ReadOnlySpan<byte> statement, Signature signature);
}

/// <summary>Signs in one node's name. Deterministic: the same statement always gets the same signature.</summary>
public interface ISigner : IVerifier
{
    NodeId Self { get; }

    Signature Sign(ReadOnlySpan<byte> statement);
}

/// <summary>A message authentication code: it convinces one receiver, and that one can show it to nobody else.</summary>
public readonly record struct Mac(UInt128 Value)
{
    public void Write(CodecWriter writer)
    {
        writer.Fixed64((ulong)Value);
        writer.Fixed64((ulong)(Value >> 64));
    }

    public static Mac Read(ref CodecReader reader)
    {
        var low = reader.Fixed64();
        return new(new UInt128(reader.Fixed64(), low));
    }
}

/// <summary>Authenticates with keys that each pair of nodes shares (Castro and Liskov 2002, §3.2): cheap, and not transferable.</summary>
public interface IMacs
{
    /// <summary>The code that convinces <paramref name="receiver"/> of these bytes.</summary>
    Mac Authenticate(NodeId receiver, ReadOnlySpan<byte> statement);

    /// <summary>Whether the code shows that <paramref name="sender"/> made these bytes for this node.</summary>
    bool Check(NodeId sender, ReadOnlySpan<byte> statement, Mac mac);
}

/// <summary>
/// What every signature of a group is bound to, so that none can be replayed in another protocol, cluster, epoch or kind of message.
/// </summary>
/// <param name="Protocol">The protocol's name.</param>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Epoch">The configuration's number.</param>
public sealed record SigningDomain(string Protocol, string Cluster, long Epoch)
{
    /// <summary>Begins a statement of one kind in an emptied writer; the fields that follow are the caller's.</summary>
    public void Begin(CodecWriter writer, byte kind)
    {
        writer.Clear();
        writer.String(Protocol);
        writer.String(Cluster);
        writer.Signed(Epoch);
        writer.Byte(kind);
    }
}
