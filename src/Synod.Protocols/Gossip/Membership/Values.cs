using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>What is believed of a member. At one incarnation a later one of these overrides an earlier one (gossip.md §2.3).</summary>
public enum MemberStatus : byte
{
    Alive,

    /// <summary>It did not answer somebody. It is a member all the same, and may refute.</summary>
    Suspect,

    /// <summary>It did not refute in time. This is no proof: fencing is the task of consensus.</summary>
    Dead,

    /// <summary>It said goodbye.</summary>
    Left,
}

/// <summary>Where a member is reached and what it says of itself. It changes only with the member's incarnation.</summary>
public sealed class MemberDescription : IEquatable<MemberDescription>, IComparable<MemberDescription>
{
    /// <summary>The longest address that is accepted, in bytes.</summary>
    public const int MaxAddressBytes = 128;

    /// <summary>The most bytes of tags that are accepted.</summary>
    public const int MaxTagBytes = 512;

    private readonly ReadOnlyMemory<byte> _address;
    private readonly ReadOnlyMemory<byte> _tags;
    private ulong _fingerprint;

    /// <param name="address">Whatever the host reaches it by. Two processes never have the same one at a time.</param>
    /// <param name="tags">A few bytes that mean something to whoever uses the membership.</param>
    public MemberDescription(ReadOnlyMemory<byte> address, ReadOnlyMemory<byte> tags = default) => (_address, _tags) = (address, tags);

    public static MemberDescription Nowhere { get; } = new(default);

    public ReadOnlyMemory<byte> Address => _address;

    public ReadOnlyMemory<byte> Tags => _tags;

    /// <summary>Whether it is within its limits.</summary>
    public bool IsSound => _address.Length <= MaxAddressBytes && _tags.Length <= MaxTagBytes;

    /// <summary>The same number for equal descriptions on every machine; it finds differences, and proves nothing.</summary>
    internal ulong Fingerprint
    {
        get
        {
            if (_fingerprint == 0)
            {
                _fingerprint = Mix(Mix(14_695_981_039_346_656_037, _address.Span) * 31, _tags.Span);
            }

            return _fingerprint;
        }
    }

    public static MemberDescription At(string address) => new(Encoding.UTF8.GetBytes(address));

    public bool HasAddressOf(MemberDescription other) => _address.Span.SequenceEqual(other._address.Span);

    /// <summary>The same in memory of its own, which a frame's buffer does not take with it.</summary>
    public MemberDescription Copy() => new(_address.ToArray(), _tags.ToArray());

    public bool Equals(MemberDescription? other) =>
        other is not null && (ReferenceEquals(this, other) || (HasAddressOf(other) && _tags.Span.SequenceEqual(other._tags.Span)));

    public override bool Equals(object? obj) => Equals(obj as MemberDescription);

    public override int GetHashCode() => _address.Length * 31 + _tags.Length;

    public int CompareTo(MemberDescription? other)
    {
        var order = other is null ? 1 : _address.Span.SequenceCompareTo(other._address.Span);
        return order != 0 ? order : _tags.Span.SequenceCompareTo(other!._tags.Span);
    }

    /// <summary>FNV-1a: descriptions are short, and seldom new.</summary>
    private static ulong Mix(ulong mixed, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            mixed = unchecked((mixed ^ value) * 1_099_511_628_211);
        }

        return mixed;
    }

    public override string ToString() => _tags.IsEmpty
        ? Encoding.UTF8.GetString(_address.Span)
        : $"{Encoding.UTF8.GetString(_address.Span)} ({_tags.Length} bytes)";
}

/// <summary>A member as a node sees it.</summary>
/// <param name="Incarnation">Raised by the member alone; larger is later.</param>
public readonly record struct Member(NodeId Id, MemberStatus Status, long Incarnation, MemberDescription Description)
{
    /// <summary>Whether it counts as a member: alive or suspected.</summary>
    public bool IsLive => Status <= MemberStatus.Suspect;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Status} {Id}@{Incarnation}");
}

/// <summary>What one node tells another about a member, as gossip or as a row of a table.</summary>
/// <param name="Described">The incarnation under which <paramref name="Description"/> was announced; 0 without one.</param>
/// <param name="Accusers">Of a suspicion: who found by probes of their own that the member does not answer.</param>
public readonly record struct Update(
    NodeId Member,
    MemberStatus Status,
    long Incarnation,
    MemberDescription? Description,
    long Described,
    ImmutableArray<NodeId> Accusers)
{
    public override string ToString()
    {
        var accusers = Accusers.IsEmpty ? "" : $" by {string.Join(",", Accusers)}";
        return string.Create(CultureInfo.InvariantCulture, $"{Status} {Member}@{Incarnation}{accusers}");
    }
}
