using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>The failure detector of SWIM with Lifeguard's local health (gossip.md §2.2, §2.4).</summary>
public sealed partial class Membership
{
    private const int MostRelays = 256;

    private readonly ProbeOrder _order = new();
    private readonly Probe _probe = new();
    private int _health;

    // Pings on behalf of others, by their sequence numbers.
    private readonly SortedDictionary<long, Relay> _relays = [];

    private bool NoticesPauses => _options.NoticesPauses && _options.Mutation != MembershipMutation.PausesCount;

    private void ProbingState(StateVisitor visitor)
    {
        _order.State(visitor);
        _probe.State(visitor);
        visitor.Visit("health", ref _health);
        visitor.Visit("relays", _relays, static (v, ref number) => v.Visit("", ref number), static (v, ref relay) => (relay ??= new()).State(v));
    }

    private Duration Scaled(Duration time) => _options.Mutation == MembershipMutation.HealthIgnored ? time : time * (_health + 1);

    private void PeriodIsOver(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing != Standing.Member)
        {
            return;
        }

        if (_options.Detector == FailureDetector.PhiAccrual)
        {
            Beat(context, outbox);
            return;
        }

        if (_probe.IsOpen && _probe.Helpers is null)
        {
            // Its time-out is late, so this node is: nobody was asked yet.
            AskHelpers(context, outbox);
            if (NoticesPauses)
            {
                return;
            }
        }

        if (_probe.IsOpen)
        {
            Conclude(context, outbox);
        }

        BeginProbe(context, outbox);
    }

    private void BeginProbe(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var period = Scaled(_options.Period);
        _probe.Due = context.Now + (period - period / 20) + Duration.FromMicroseconds(context.Choose((int)(period.Nanoseconds / 10_000) + 1));
        outbox.SetTimer(ToTimer(Timer.Period), _probe.Due);
        var target = _options.Mutation == MembershipMutation.RandomTargets ? DrawOne(context) : _order.Next(_table, _self, context);
        if (target == NodeId.None)
        {
            return;
        }

        _probe.Open(target, ++_sequence);
        Tell(target, new Message.Ping(target, _sequence) { Updates = Pack(target) }, outbox);
        outbox.SetTimer(ToTimer(Timer.Timeout), context.Now + Scaled(_options.PingTimeout));
    }

    /// <summary>
    /// No answer in time: others are asked to ping the target, and it is tried over a stream. They get the rest of the period for it, also
    /// if this node noticed late, for a pause of its own proves nothing about others.
    /// </summary>
    private void AskHelpers(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_probe.IsOpen || _probe.Helpers is not null || _standing != Standing.Member)
        {
            return;
        }

        Span<NodeId> helpers = stackalloc NodeId[_options.Mutation == MembershipMutation.NoIndirectProbes ? 0 : _options.Helpers];
        _probe.Helpers = [.. helpers[..Draw(helpers, _probe.Target, context)]];
        foreach (var helper in _probe.Helpers)
        {
            Tell(helper, new Message.PingReq(_probe.Target, _probe.Sequence) { Updates = Pack(helper) }, outbox);
        }

        if (_options.Mutation is not (MembershipMutation.NoFallback or MembershipMutation.NoIndirectProbes))
        {
            Tell(_probe.Target, new Message.Ping(_probe.Target, _probe.Sequence, Transport.Stream) { Updates = Pack(_probe.Target) }, outbox);
        }

        var rest = context.Now + Scaled(_options.Period - _options.PingTimeout);
        if (rest > _probe.Due && NoticesPauses)
        {
            _probe.Due = rest;
        }

        outbox.SetTimer(ToTimer(Timer.Period), _probe.Due);
    }

    /// <summary>The period is over without an answer: the target is suspected, and so is this node's own health where helpers were silent too.</summary>
    private void Conclude(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var missing = _options.Nacks && _probe.Helpers!.Length > 0 ? _probe.Helpers.Length - _probe.Nacks : 1;
        ChangeHealth(missing);
        _probe.Close();
        Accuse(_probe.Target, context, outbox);
    }

    private void ChangeHealth(int by) => _health = Math.Clamp(_health + by, 0, _options.WorstHealth);

    private NodeId DrawOne(StepContext context)
    {
        Span<NodeId> one = stackalloc NodeId[1];
        return Draw(one, NodeId.None, context) == 1 ? one[0] : NodeId.None;
    }

    private void On(NodeId from, Message.Ping ping, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (ping.Target != _self)
        {
            // This address had another name once.
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (_standing == Standing.Outside)
        {
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        Merge(from, ping.Updates, context, outbox);
        Tell(from, new Message.Ack(ping.Sequence, ping.Carrier) { Updates = Pack(from) }, outbox);
    }

    private void On(NodeId from, Message.Ack ack, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_options.Detector == FailureDetector.PhiAccrual && IsBeat(from, ack, context))
        {
            Merge(from, ack.Updates, context, outbox);
            return;
        }

        var isCurrent = ack.Sequence == _probe.Sequence || _options.Mutation == MembershipMutation.OldAckCounts;
        if (_probe.IsOpen && isCurrent && (_probe.IsAsked(from) || _options.Mutation == MembershipMutation.AckFromAnyone))
        {
            ChangeHealth(-1);
            _probe.Close();
            outbox.CancelTimer(ToTimer(Timer.Timeout));
        }
        else if (_relays.TryGetValue(ack.Sequence, out var relay) && relay.Target == from)
        {
            _relays.Remove(ack.Sequence);
            outbox.CancelTimer(ToTimer(Timer.Relay, ack.Sequence));
            Tell(relay.Asker, new Message.Ack(relay.Sequence) { Updates = Pack(relay.Asker) }, outbox);
        }
        else
        {
            // Late, repeated or made up: it counts for nothing, and neither does what it says.
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        Merge(from, ack.Updates, context, outbox);
    }

    private void On(NodeId from, Message.PingReq request, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing != Standing.Member || _relays.Count >= MostRelays)
        {
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        Merge(from, request.Updates, context, outbox);
        if (request.Target == _self || _table.Find(request.Target) < 0)
        {
            outbox.Refuse(Refusal.Unknown);
            return;
        }

        _relays.Add(++_sequence, new Relay { Asker = from, Target = request.Target, Sequence = request.Sequence });
        Tell(request.Target, new Message.Ping(request.Target, _sequence) { Updates = Pack(request.Target) }, outbox);
        outbox.SetTimer(ToTimer(Timer.Relay, _sequence), context.Now + _options.PingTimeout * 4 / 5);
    }

    /// <summary>At 80 % of the time-out the asker hears that it is not alone in hearing nothing. A late answer is still relayed for a period.</summary>
    private void RelayIsLate(long sequence, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_relays.TryGetValue(sequence, out var relay))
        {
            return;
        }

        if (relay.IsLate)
        {
            _relays.Remove(sequence);
            return;
        }

        relay.IsLate = true;
        outbox.SetTimer(ToTimer(Timer.Relay, sequence), context.Now + _options.Period);
        if (_options.Nacks && _options.Mutation != MembershipMutation.NoNacks)
        {
            Tell(relay.Asker, new Message.Nack(relay.Sequence) { Updates = Pack(relay.Asker) }, outbox);
        }
    }

    private void On(NodeId from, Message.Nack nack, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_probe.IsOpen || nack.Sequence != _probe.Sequence || !_probe.TakeNack(from))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        Merge(from, nack.Updates, context, outbox);
    }

    /// <summary>A ping that this node sends for <see cref="Asker"/>.</summary>
    private sealed class Relay
    {
        private NodeId _asker;
        private NodeId _target;
        private long _sequence;
        private bool _isLate;

        public NodeId Asker { get => _asker; init => _asker = value; }

        public NodeId Target { get => _target; init => _target = value; }

        /// <summary>The asker's number.</summary>
        public long Sequence { get => _sequence; init => _sequence = value; }

        public bool IsLate { get => _isLate; set => _isLate = value; }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _asker);
            visitor.Visit("", ref _target);
            visitor.Visit("", ref _sequence);
            visitor.Visit("", ref _isLate);
        }

        public override string ToString() => $"{Target} for {Asker}";
    }
}
