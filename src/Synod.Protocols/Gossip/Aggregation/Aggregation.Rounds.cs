using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Epochs, and the mass that moves in them.</summary>
public sealed partial class Aggregation
{
    private void Round(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _round++;
        if (_round > (_epoch == 0 ? _options.ListenRounds : _options.EpochRounds) && _epoch < MostEpochs)
        {
            Enter(_epoch + 1, putsIn: true, outbox);
        }

        if (!_takesPart)
        {
            return;
        }

        Resend(outbox);
        foreach (var peer in _peers.Draw(context, _self, 1))
        {
            var (kept, sent) = _held.Halve();
            _held = _options.Mutation switch
            {
                AggregationMutation.SentIsKept => _held,
                AggregationMutation.HalvesRoundedDown => sent,
                _ => kept,
            };
            var number = ++_number;
            _unacknowledged.Add(number, new Transfer { To = peer, Mass = sent, Round = _round });
            Send(peer, number, sent, outbox);
            if (_options.Mutation == AggregationMutation.SentOnce)
            {
                _unacknowledged.Remove(number);
            }
        }
    }

    /// <summary>What left a node is nowhere until it is known to have arrived, so it is sent until then. Who left the view is not waited for.</summary>
    private void Resend(Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var (number, transfer) in _unacknowledged)
        {
            if (transfer.Round + _options.ResendRounds <= _round && _peers.Contains(transfer.To))
            {
                transfer.Round = _round;
                Send(transfer.To, number, transfer.Mass, outbox);
            }
        }
    }

    private void Send(NodeId to, long number, Mass mass, Outbox<Message, Record, Command, Result> outbox)
    {
        var message = new Message.Transfer(_epoch, number, mass);
        if (_options.Mutation == AggregationMutation.SentBeforeDurable)
        {
            outbox.SendEarly(to, message);
            return;
        }

        outbox.Send(to, message);
    }

    private void On(NodeId from, Message.Transfer transfer, Outbox<Message, Record, Command, Result> outbox)
    {
        if ((!transfer.Mass.IsSound || transfer.Number < 1) && _options.Mutation != AggregationMutation.MassUnchecked)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        if (transfer.Epoch < _epoch && _options.Mutation != AggregationMutation.StaleAdded)
        {
            outbox.Refuse(Refusal.StaleBallot);
            outbox.Send(from, new Message.Ahead(_epoch));
            return;
        }

        Follow(transfer.Epoch, outbox);
        if (!_takesPart || transfer.Epoch > _epoch)
        {
            // The epoch that this node sits out is the running one: the next it sees from the start.
            _isListening = false;
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        if (_added.Contains((from, transfer.Number)) && _options.Mutation != AggregationMutation.DuplicatesAdded)
        {
            outbox.Refuse(Refusal.Duplicate);
            outbox.Send(from, new Message.Ack(transfer.Epoch, transfer.Number));
            return;
        }

        var sum = _held.Plus(transfer.Mass);
        if ((!sum.IsSound && _options.Mutation != AggregationMutation.MassUnchecked) || _added.Count >= _options.MostTransfers)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        _held = _options.Mutation == AggregationMutation.CollapseLosesWeight ? Shortened(sum) : sum;
        _added.Add((from, transfer.Number));
        outbox.Send(from, new Message.Ack(transfer.Epoch, transfer.Number));
    }

    private void On(NodeId from, Message.Ack ack, Outbox<Message, Record, Command, Result> outbox)
    {
        if (ack.Epoch != _epoch || !_unacknowledged.TryGetValue(ack.Number, out var transfer) || transfer.To != from)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        _unacknowledged.Remove(ack.Number);
    }

    private void On(Message.Ahead ahead, Outbox<Message, Record, Command, Result> outbox)
    {
        if (ahead.Epoch <= _epoch)
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        Follow(ahead.Epoch, outbox);
    }

    /// <summary>
    /// Somebody is in a later epoch, so this node's is over. It puts its readings into the next one, but not into one that it finds under
    /// way when it joins or has been away: there it only carries what others put in.
    /// </summary>
    private void Follow(long epoch, Outbox<Message, Record, Command, Result> outbox)
    {
        if (epoch <= _epoch || _options.Mutation == AggregationMutation.EpochNotFollowed)
        {
            return;
        }

        Enter(epoch, putsIn: epoch == _epoch + 1 && (!_isListening || epoch == 1), outbox);
    }

    private void Enter(long epoch, bool putsIn, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_takesPart)
        {
            _latest = Current;
        }

        var carried = _options.Mutation == AggregationMutation.ExtremesKept ? _held : Mass.Zero;
        (_epoch, _round, _number, _takesPart, _isListening) = (epoch, 0, 0, true, false);
        _unacknowledged.Clear();
        _added.Clear();
        outbox.Persist(new Record.Entered(epoch));
        _putIn = putsIn ? Own() : Mass.Zero;
        _held = _putIn.Plus(Extremes(carried));
    }

    /// <summary>The weight 1 of this node, its readings, and the root's weight if there is nobody before it.</summary>
    private Mass Own()
    {
        var isRoot = _peers.Nodes.IsEmpty || _self.CompareTo(_peers.Nodes[0]) <= 0 || _options.Mutation == AggregationMutation.EverybodyIsRoot;
        var root = _options.Mutation == AggregationMutation.EverybodyIsRoot && !_peers.Nodes.IsEmpty ? _peers.Nodes[0] : _self;
        return new Mass(
            Mass.Unit,
            isRoot ? [new RootWeight(root, Mass.RootUnit)] : [],
            [.. _readings.Select(item => MetricMass.Of(item.Key, [.. item.Value]))]);
    }

    private void Meet(PeerView peers, Outbox<Message, Record, Command, Result> outbox)
    {
        _peers = peers;
        if (_options.Mutation != AggregationMutation.TakenBack)
        {
            return;
        }

        foreach (var (number, transfer) in _unacknowledged.Where(item => !peers.Contains(item.Value.To)).ToList())
        {
            _unacknowledged.Remove(number);
            _held = _held.Plus(transfer.Mass);
        }
    }

    private static Mass Extremes(Mass mass) => new(0, [], [.. mass.Metrics.Select(metric => metric with { Sum = 0, Buckets = [] })]);

    private static Mass Shortened(Mass mass) =>
        mass with { Metrics = [.. mass.Metrics.Select(metric => metric with { Buckets = [.. metric.Buckets.TakeLast(Sketch.MostBuckets / 16)] })] };

    /// <summary>Mass on its way to a peer.</summary>
    private sealed class Transfer
    {
        private NodeId _to;
        private Mass _mass = Mass.Zero;
        private int _round;

        public NodeId To { get => _to; init => _to = value; }

        public Mass Mass { get => _mass; init => _mass = value; }

        /// <summary>The round in which it was last sent.</summary>
        public int Round { get => _round; set => _round = value; }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("to", ref _to);
            visitor.Visit("", ref _mass, Mass.Wire.Instance);
            visitor.Visit("round", ref _round);
        }
    }
}
