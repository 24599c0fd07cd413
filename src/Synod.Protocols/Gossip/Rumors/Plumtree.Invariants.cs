using Synod.Core;

namespace Synod.Protocols.Gossip;

public sealed partial class Plumtree
{
    /// <summary>Each neighbour is eager or lazy, and nobody else is either.</summary>
    public const string OneSet = nameof(OneSet);

    /// <summary>What is known is not missing.</summary>
    public const string MissingIsUnknown = nameof(MissingIsUnknown);

    public override void CheckInvariants()
    {
        Invariant.Check(
            !_eager.Overlaps(_lazy) && _eager.Count + _lazy.Count == _peers.Nodes.Length - (_peers.Contains(_self) ? 1 : 0),
            OneSet,
            $"{_self} has {_eager.Count} eager and {_lazy.Count} lazy of {_peers}");
        Invariant.Check(_tickets.Count == _missing.Count, MissingIsUnknown, $"{_self} has {_tickets.Count} tickets for {_missing.Count}");
        foreach (var (announcer, count) in _awaited)
        {
            Invariant.Check(count <= _options.MostMissing, Rumors.Bounded, $"{_self} waits for {count} of {announcer}");
        }

        foreach (var id in _missing.Keys)
        {
            Invariant.Check(!_known.Knows(id), MissingIsUnknown, $"{_self} knows {id}");
        }
    }
}
