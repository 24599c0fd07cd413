using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Aggregation
{
    /// <summary>
    /// What all who take part in an epoch put in is what they hold, what is on its way, and what crashed with its holder: to the last
    /// unit. Hosts check it.
    /// </summary>
    public const string MassConservation = nameof(MassConservation);

    /// <summary>A node puts its readings into an epoch once, in all of its lives. Hosts check it.</summary>
    public const string PutInOnce = nameof(PutInOnce);

    /// <summary>What a node holds could be a part of what honest nodes put in.</summary>
    public const string MassIsSound = nameof(MassIsSound);

    /// <summary>A node without a part in an epoch holds nothing of it.</summary>
    public const string OutsideIsEmpty = nameof(OutsideIsEmpty);

    public override void CheckInvariants()
    {
        Invariant.Check(_held.IsSound, MassIsSound, $"{_self} holds {_held}");
        Invariant.Check(_takesPart || (_held.Nodes == 0 && _unacknowledged.Count == 0), OutsideIsEmpty, $"{_self} holds {_held}");
    }
}
