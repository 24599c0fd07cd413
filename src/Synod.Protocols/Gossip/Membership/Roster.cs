using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// The members that a cluster begins with, by configuration: all alive, and known to each other without a word. Immutable, so that many
/// nodes in one process share it; a node's own table holds only what has become different.
/// </summary>
public sealed class Roster
{
    private readonly NodeId[] _ids;
    private readonly long[] _incarnations;
    private readonly MemberDescription[] _descriptions;

    /// <exception cref="ArgumentException">A member is named twice, or one has no sound incarnation or description.</exception>
    public Roster(IEnumerable<Member> members)
    {
        var ordered = members.OrderBy(member => member.Id).ToArray();
        _ids = [.. ordered.Select(member => member.Id)];
        _incarnations = [.. ordered.Select(member => member.Incarnation)];
        _descriptions = [.. ordered.Select(member => member.Description)];
        if (ordered.Any(member => member.Id.Value <= 0 || member.Incarnation < 1 || !member.Description.IsSound)
            || _ids.Distinct().Count() != _ids.Length)
        {
            throw new ArgumentException("A roster names each member once, with an incarnation of at least 1.", nameof(members));
        }

        Keys = new MemberPages<long>([.. _incarnations.Select(incarnation => MemberKey.Of(incarnation, MemberStatus.Alive))]);
        Descriptions = new MemberPages<MemberDescription?>(_descriptions);
        foreach (var member in ordered)
        {
            Digest += MemberKey.Digest(member.Id, member.Incarnation, member.Description);
        }
    }

    public static Roster Empty { get; } = new([]);

    public int Count => _ids.Length;

    internal MemberPages<long> Keys { get; }

    internal MemberPages<MemberDescription?> Descriptions { get; }

    internal ulong Digest { get; }

    /// <summary>Members 1 to <paramref name="count"/>, each at incarnation 1 and at an address that is its number.</summary>
    public static Roster Numbered(int count) => new(Enumerable.Range(1, count).Select(number =>
        new Member(new NodeId(number), MemberStatus.Alive, 1, MemberDescription.At($"{number}"))));

    /// <summary>The place of a member, or a negative number.</summary>
    internal int IndexOf(NodeId id) => Array.BinarySearch(_ids, id);

    internal NodeId this[int index] => _ids[index];
}
