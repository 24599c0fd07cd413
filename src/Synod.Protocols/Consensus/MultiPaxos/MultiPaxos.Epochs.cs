using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>What a group above which epochs change needs of a replica.</summary>
public sealed partial class MultiPaxos
{
    /// <summary>
    /// Makes durable that everything up to here is chosen, and tells the others of it if this replica leads. The last that a replica does
    /// in an epoch that ended, and the first before others give up their state for one sent from here.
    /// </summary>
    internal void Attest(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        if (_recordedChosen < Chosen)
        {
            RecordChosen();
        }

        if (Role == PaxosRole.Leader)
        {
            Beat(askLease: false);
        }
    }
}
