using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// The other detector: every node expects regular answers from the few members that follow it in the order of names, so that each member
/// is watched by as many (gossip.md §3). What it finds is an accusation like any other.
/// </summary>
public sealed partial class Membership
{
    private readonly SortedDictionary<NodeId, Neighbour> _neighbours = [];
    private bool _ringIsOld = true;
    private Instant _beatDue;

    /// <summary>How much this node doubts a neighbour now; 0 for others.</summary>
    public double Doubt(NodeId member, Instant now) => _neighbours.TryGetValue(member, out var neighbour) ? neighbour.Beats.Phi(now) : 0;

    private Neighbour NewNeighbour(Instant now) => new(_options.Phi, _options.Period, now);

    private void Beat(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var hasPaused = context.Now - _beatDue > _options.Phi.LocalPause && NoticesPauses;
        _beatDue = context.Now + _options.Period;
        outbox.SetTimer(ToTimer(Timer.Period), _beatDue);
        if (_ringIsOld)
        {
            FindNeighbours(context);
        }

        _sequence++;
        foreach (var (member, neighbour) in _neighbours)
        {
            if (hasPaused)
            {
                neighbour.Beats.Skip(context.Now);
            }
            else if (neighbour.Beats.Phi(context.Now) >= _options.Phi.Threshold)
            {
                Accuse(member, context, outbox);
            }

            Tell(member, new Message.Ping(member, _sequence) { Updates = Pack(member) }, outbox);
        }
    }

    /// <summary>An answer to one of the last pings of this detector, later than the last one that counted.</summary>
    private bool IsBeat(NodeId from, Message.Ack ack, StepContext context)
    {
        if (!_neighbours.TryGetValue(from, out var neighbour) || ack.Sequence > _sequence || ack.Sequence <= neighbour.Last
            || _relays.ContainsKey(ack.Sequence))
        {
            return false;
        }

        neighbour.Last = ack.Sequence;
        neighbour.Beats.Heartbeat(context.Now);
        return true;
    }

    private void FindNeighbours(StepContext context)
    {
        _ringIsOld = false;
        var ring = Members.Where(member => member.IsLive && member.Id != _self).Select(member => member.Id)
            .OrderBy(id => id < _self).ThenBy(id => id).Take(_options.Neighbours).ToList();
        foreach (var former in _neighbours.Keys.Except(ring).ToList())
        {
            _neighbours.Remove(former);
        }

        foreach (var member in ring.Where(member => !_neighbours.ContainsKey(member)))
        {
            var neighbour = NewNeighbour(context.Now);
            neighbour.Last = _sequence;
            _neighbours.Add(member, neighbour);
        }
    }

    private sealed class Neighbour(PhiAccrualOptions options, Duration expected, Instant now)
    {
        private long _last;

        public PhiAccrual Beats { get; } = new(options, expected, now);

        /// <summary>The number of the last answer that counted.</summary>
        public long Last { get => _last; set => _last = value; }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _last);
            Beats.State(visitor);
        }

        public override string ToString() => $"#{_last}";
    }
}
