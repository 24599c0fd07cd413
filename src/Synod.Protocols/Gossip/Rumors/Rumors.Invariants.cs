using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Rumors
{
    /// <summary>A rumor is handed up at most once in the life of a process, and never where it was started. Hosts check it.</summary>
    public const string DeliveredOnce = nameof(DeliveredOnce);

    /// <summary>What is handed up was started by the origin that it names, with that body. Hosts check it.</summary>
    public const string OneBody = nameof(OneBody);

    /// <summary>A node spreads only what it knows.</summary>
    public const string SpreadsWhatItKnows = nameof(SpreadsWhatItKnows);

    /// <summary>What a node keeps of rumors and contacts is bounded, whatever it is sent.</summary>
    public const string Bounded = nameof(Bounded);

    public override void CheckInvariants()
    {
        foreach (var (id, hot) in _hot)
        {
            Invariant.Check(_known.Knows(id), SpreadsWhatItKnows, $"{_self} spreads {id}");
            Invariant.Check(
                hot.Rumor.Body.Length <= _options.Limits.MostBodyBytes, Bounded, $"{_self} keeps {hot.Rumor.Body.Length} bytes of {id}");
        }

        Invariant.Check(_hot.Count <= _options.MostHot && _contacts.Count <= MostContacts, Bounded, $"{_self} spreads {_hot.Count} to {_contacts.Count}");
    }
}
