using Synod.Api;
using Synod.Client.Routing;

namespace Synod.Client.Transactions;

/// <summary>
/// A session: a random client id and a sequence that grows with every attempt. Strictly sequential: one transaction at a time,
/// so that the cluster remembers one outcome per session and no more.
/// </summary>
internal sealed class Lane(ulong client)
{
    private ulong _sequence;

    public ulong Client => client;

    public TransactionId Next() => new() { Client = client, Sequence = ++_sequence };
}

/// <summary>
/// The lanes not in use. A lane whose last outcome is unknown never comes back: its next attempt could overtake a commit that is
/// still on its way.
/// </summary>
internal sealed class LanePool(Chance chance)
{
    private readonly Lock _gate = new();
    private readonly Stack<Lane> _idle = [];

    public Lane Rent()
    {
        lock (_gate)
        {
            if (_idle.TryPop(out var lane))
            {
                return lane;
            }
        }

        return new Lane(chance.SessionId());
    }

    public void Return(Lane lane)
    {
        lock (_gate)
        {
            _idle.Push(lane);
        }
    }
}
