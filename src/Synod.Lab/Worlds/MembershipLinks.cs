using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// Links as a story needs them: cut in one direction, deaf to packets but not to streams, lossy, or with a receiver that has no time and
/// gets its mail after it woke up.
/// </summary>
internal sealed class MembershipLinks(MembershipWorld world) : IRoute
{
    private readonly SeededRandom _random = world.World.Random.Fork();
    private readonly Membership.MessageWire _wire = new();

    /// <summary>Whether nothing gets from one node to another now.</summary>
    public Func<NodeId, NodeId, bool> IsCut { get; set; } = static (_, _) => false;

    /// <summary>Whether packets do not get there, and streams do.</summary>
    public Func<NodeId, NodeId, bool> IsDeaf { get; set; } = static (_, _) => false;

    /// <summary>Whether such a message does not get there now.</summary>
    public Func<NodeId, NodeId, Membership.Message, bool>? IsKept { get; set; }

    /// <summary>Packets that are lost, in a million.</summary>
    public int LossPerMillion { get; set; }

    /// <summary>When a node that is starved now will have time again; past or zero if it is not.</summary>
    public Func<NodeId, Duration> BusyUntil { get; set; } = static _ => Duration.Zero;

    public long Bytes { get; set; }

    public long Messages { get; set; }

    public Duration? Delay(int from, int to, byte[] frame)
    {
        var (sender, receiver) = (new NodeId(from), new NodeId(to));
        SimulatedNetwork.TryOpen(frame, out var body);
        Bytes += body.Length;
        Messages++;
        var isDatagram = Membership.MessageWire.TransportOf(body.Span) == Transport.Datagram;
        if (IsCut(sender, receiver) || (isDatagram && (IsDeaf(sender, receiver) || _random.Chance(LossPerMillion))))
        {
            return null;
        }

        if (IsKept is not null)
        {
            var reader = new CodecReader(body);
            if (_wire.Read(ref reader) is { } message && IsKept(sender, receiver, message))
            {
                return null;
            }
        }

        // A stream sends again what is lost, and is late by that.
        var delay = _random.Between(Duration.FromMicroseconds(200), Duration.FromMilliseconds(2));
        var retries = isDatagram ? 0 : 3;
        while (retries-- > 0 && _random.Chance(LossPerMillion))
        {
            delay += Duration.FromMilliseconds(200);
        }

        var free = BusyUntil(receiver);
        return free > world.World.Elapsed + delay
            ? free - world.World.Elapsed + _random.Between(Duration.FromMilliseconds(1), Duration.FromMilliseconds(20))
            : delay;
    }
}
