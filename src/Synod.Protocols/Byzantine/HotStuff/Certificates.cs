using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>The rounds of votes that a block gets in its view. Rule sets with fewer of them use the first ones.</summary>
public enum VotePhase : byte
{
    Prepare,
    PreCommit,
    Commit,
}

/// <summary>What a certificate scheme makes of many signatures. Equal by content.</summary>
public readonly struct Proof(ReadOnlyMemory<byte> bytes) : IEquatable<Proof>
{
    public ReadOnlyMemory<byte> Memory => bytes;

    public bool Equals(Proof other) => bytes.Span.SequenceEqual(other.Memory.Span);

    public override bool Equals(object? obj) => obj is Proof other && Equals(other);

    /// <summary>For lookups in hash tables only.</summary>
    public override int GetHashCode() => new Key(bytes).GetHashCode();

    public static bool operator ==(Proof left, Proof right) => left.Equals(right);

    public static bool operator !=(Proof left, Proof right) => !left.Equals(right);
}

/// <summary>n - f members voted for this block in this phase of this view: no other block can have that (hotstuff.md §2).</summary>
public sealed record QuorumCertificate(VotePhase Phase, long View, Digest Block, Proof Proof)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"QC{View}{(Phase == VotePhase.Prepare ? "" : $".{Phase}")}");
}

/// <summary>One member's word that it votes no more in a view, bound to the view of the highest certificate that it knew then.</summary>
public readonly record struct TimeoutShare(NodeId Signer, long HighView, Signature Signature)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Signer}:{HighView}");
}

/// <summary>n - f members gave a view up (Gelashvili et al. 2022, "Jolteon"): it may be left for the next one.</summary>
/// <param name="View">0 means "none": view 1 is entered without.</param>
/// <param name="Shares">In the order of their signers.</param>
public sealed record TimeoutCertificate(long View, ImmutableArray<TimeoutShare> Shares)
{
    /// <summary>No view was given up.</summary>
    public static TimeoutCertificate None { get; } = new(0, []);

    /// <summary>The highest view of a certificate that one of its signers knew.</summary>
    public long HighView => Shares.IsEmpty ? 0 : Shares.Max(share => share.HighView);

    public bool Equals(TimeoutCertificate? other) =>
        other is not null && View == other.View && Shares.AsSpan().SequenceEqual(other.Shares.AsSpan());

    /// <summary>For lookups in hash tables only.</summary>
    public override int GetHashCode() => View.GetHashCode();

    public override string ToString() =>
        View == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"TC{View}({string.Join(" ", Shares)})");
}

/// <summary>
/// What a replica can show of how far the group has come; it travels with every message that moves others to a view, so that views are
/// entered by certificates only and a laggard needs one message (hotstuff.md §6).
/// </summary>
/// <param name="High">The highest certificate of a prepare phase.</param>
/// <param name="Decision">The highest certificate of a last phase; the root's where the prepare phase is the last.</param>
/// <param name="Timeout">Lets one into the view after it; none if a certificate does.</param>
public sealed record Certificates(QuorumCertificate High, QuorumCertificate Decision, TimeoutCertificate Timeout)
{
    public override string ToString() =>
        $"{High}{(Decision.View == 0 ? "" : $" {Decision}")}{(Timeout.View == 0 ? "" : $" {Timeout}")}";
}
