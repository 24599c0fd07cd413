using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Incarnation and status in one number, so that precedence (gossip.md §2.3) is the order of numbers and merging is their maximum: a
/// larger incarnation overrides, and at the same one Suspect overrides Alive, Dead both, Left all. A join-semilattice by construction.
/// </summary>
internal static class MemberKey
{
    /// <summary>No member.</summary>
    public const long Absent = -1;

    /// <summary>Room for the status, and for sums that do not overflow.</summary>
    public const long MaxIncarnation = 1L << 60;

    public static long Of(long incarnation, MemberStatus status) => incarnation << 2 | (long)status;

    public static long Incarnation(long key) => key >> 2;

    public static MemberStatus Status(long key) => (MemberStatus)(key & 3);

    public static bool IsLive(long key) => key >= 0 && (key & 3) <= (long)MemberStatus.Suspect;

    /// <summary>
    /// A live member's part of a table's digest, which is the sum of these. Suspicions come and go and have no part in it, nor have the
    /// dead: who has forgotten them has no other table for that. What a member says of itself has: two processes of one name may be at one
    /// incarnation, and whoever is not known by its address hears of the other by a comparison of tables alone.
    /// </summary>
    public static ulong Digest(NodeId id, long incarnation, MemberDescription description)
    {
        var mixed = unchecked((ulong)id.Value * 0x9e3779b97f4a7c15 ^ (ulong)incarnation * 0xc2b2ae3d27d4eb4f ^ description.Fingerprint);
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
        return mixed ^ mixed >> 31;
    }
}
