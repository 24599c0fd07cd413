using Synod.Core;

namespace Synod.Database.Nodes;

/// <summary>What becomes of the outputs of a protocol inside the node: a value of its own for each, so that nothing is allocated for it.</summary>
internal interface IFloor<in TMessage, in TRecord>
{
    NodeMessage Wrap(TMessage message);

    NodeRecord Keep(TRecord record);

    TimerId Name(TimerId timer);
}
