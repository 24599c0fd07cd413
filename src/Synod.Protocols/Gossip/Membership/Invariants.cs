using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Membership
{
    /// <summary>A member's own row says what it is.</summary>
    public const string SelfIsKnown = nameof(SelfIsKnown);

    /// <summary>No incarnation is used that a restart would not exceed.</summary>
    public const string IncarnationIsReserved = nameof(IncarnationIsReserved);

    /// <summary>Nobody hears of an incarnation before its reservation is durable. Over several nodes, so hosts check it.</summary>
    public const string IncarnationIsDurable = nameof(IncarnationIsDurable);

    /// <summary>A suspicion is about a suspect, and who becomes dead by its end was one.</summary>
    public const string SuspectsAreSuspected = nameof(SuspectsAreSuspected);

    /// <summary>Nobody counts twice among those who confirm a suspicion, and not the suspect.</summary>
    public const string AccusersAreDistinct = nameof(AccusersAreDistinct);

    /// <summary>A member's incarnation is raised by the member alone. Over several nodes, so hosts check it.</summary>
    public const string OnlySelfRaises = nameof(OnlySelfRaises);

    /// <summary>What a node believes of a member only goes up in the order of precedence while it knows it. Hosts check it by the events.</summary>
    public const string PrecedenceHolds = nameof(PrecedenceHolds);

    public override void CheckInvariants()
    {
        if (_standing == Standing.Member)
        {
            var place = _table.Find(_self);
            Invariant.Check(
                place >= 0 && (_table.KeyAt(place) == MemberKey.Of(_incarnation, MemberStatus.Alive)),
                SelfIsKnown,
                $"{_self} at {_incarnation}");
        }

        Invariant.Check(_incarnation <= _reserved || _standing == Standing.Outside, IncarnationIsReserved);
        Invariant.Check(_health >= 0 && _health <= _options.WorstHealth, "HealthIsInRange");
        foreach (var (member, suspicion) in _suspicions)
        {
            var place = _table.Find(member);
            Invariant.Check(
                place >= 0 && MemberKey.Status(_table.KeyAt(place)) == MemberStatus.Suspect, SuspectsAreSuspected, $"{member}");
            for (var index = 0; index < suspicion.Accusers.Count; index++)
            {
                Invariant.Check(
                    suspicion.Accusers[index] != member && suspicion.Accusers.IndexOf(suspicion.Accusers[index]) == index,
                    AccusersAreDistinct,
                    $"{member} by {suspicion}");
            }
        }
    }
}
