using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Payloads: along eager links, once to each node; and which links are eager.</summary>
public sealed partial class Plumtree
{
    /// <summary>What anti-entropy finds was missed by the tree, and is sent along it from here.</summary>
    private void Learn(
        RequestId request, Rumor rumor, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_known.AnswerToFound(rumor, _peers) is { } answer)
        {
            outbox.Answer(request, answer);
            return;
        }

        var isTaken = TryTake(rumor, 0, NodeId.None, context, outbox);
        outbox.Answer(request, isTaken ? new RumorResult.Learned(true) : new RumorResult.Refused(Refusal.NotReady));
    }

    private void On(
        NodeId from, Message.Gossip gossip, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        var (rumor, round) = (gossip.Rumor, gossip.Round);
        if (round is < 1 or > MostHops)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        if (_known.Judge(rumor, _peers) is { } refusal)
        {
            outbox.Refuse(refusal);
            return;
        }

        if (_known.Knows(rumor.Id) && _options.Mutation != RumorsMutation.DeliveredAgain)
        {
            Duplicate(from, rumor, outbox);
            return;
        }

        var announcers = _missing.TryGetValue(rumor.Id, out var missing) ? missing.Announcers : [];
        if (!TryTake(rumor, round, from, context, outbox))
        {
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        BeEager(from);
        foreach (var announcer in announcers)
        {
            Optimise(announcer.From, new Announced(rumor.Id, announcer.Round), outbox);
        }
    }

    /// <summary>A link that brings what came on another is not needed in the tree.</summary>
    private void Duplicate(NodeId from, Rumor rumor, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_payloads.TryGetValue(rumor.Id, out var payload) && !payload.Rumor.Body.Span.SequenceEqual(rumor.Body.Span))
        {
            outbox.Refuse(Refusal.Equivocation);
            return;
        }

        if (_options.Mutation != RumorsMutation.NoPrune)
        {
            BeLazy(from);
            outbox.Send(from, new Message.Prune());
        }
    }

    private void On(NodeId from, Message.Graft graft, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_options.Mutation != RumorsMutation.GraftStaysLazy)
        {
            BeEager(from);
        }

        if (graft.Id is not { } id)
        {
            return;
        }

        if (!_payloads.TryGetValue(id, out var payload))
        {
            outbox.Refuse(Refusal.Unknown);
            return;
        }

        Send(from, new Message.Gossip(payload.Rumor, payload.Round + 1), outbox);
    }

    private bool TryTake(
        Rumor rumor, int round, NodeId from, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!_known.TryAdd(rumor.Id))
        {
            return false;
        }

        StopWaiting(rumor.Id, outbox);
        var kept = rumor.Kept();
        outbox.Execute(new Slot(++_delivered), new RumorCommand.Learn(kept));
        Keep(kept, round, from, context, outbox);
        Forward(kept, round, context, outbox, from);
        return true;
    }

    private void Forward(
        Rumor rumor,
        int round,
        StepContext context,
        Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox,
        NodeId except = default)
    {
        var gossip = new Message.Gossip(rumor, round + 1);
        foreach (var peer in _eager.Where(peer => peer != except))
        {
            Send(peer, gossip, outbox);
        }

        if (_options.Mutation == RumorsMutation.NoAnnouncement)
        {
            return;
        }

        foreach (var peer in _lazy.Where(peer => peer != except))
        {
            if (!_waiting.TryGetValue(peer, out var waiting))
            {
                _waiting.Add(peer, waiting = new Waiting());
            }

            waiting.Ids.Add(new Announced(rumor.Id, round + 1));
        }

        if (!_batches && _waiting.Count > 0)
        {
            _batches = true;
            outbox.SetTimer(new TimerId((int)Timer.Batch), context.Now + _options.Batch);
        }
    }

    private void Send(NodeId to, Message message, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_options.Mutation == RumorsMutation.SpreadBeforeDurable)
        {
            outbox.SendEarly(to, message);
            return;
        }

        outbox.Send(to, message);
    }

    private void BeEager(NodeId peer)
    {
        if (_lazy.Remove(peer))
        {
            _eager.Add(peer);
        }
    }

    private void BeLazy(NodeId peer)
    {
        if (_eager.Remove(peer))
        {
            _lazy.Add(peer);
        }
    }

    /// <summary>A link that is closer to the origin by the threshold takes the place of the one that the payload came on.</summary>
    private void Optimise(NodeId from, Announced announced, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_options.Mutation == RumorsMutation.NoOptimisation
            || !_payloads.TryGetValue(announced.Id, out var payload)
            || payload.Round - announced.Round < _options.Threshold
            || !_lazy.Contains(from)
            || !_eager.Contains(payload.From))
        {
            return;
        }

        BeEager(from);
        outbox.Send(from, new Message.Graft(null));
        BeLazy(payload.From);
        outbox.Send(payload.From, new Message.Prune());
        payload.From = from;
        payload.Round = announced.Round;
    }

    private void Keep(
        Rumor rumor, int round, NodeId from, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        _payloads[rumor.Id] = new Payload { Rumor = rumor, Round = round, From = from, Until = context.Now + _options.Keep };
        ExpireLater(context, outbox);
    }

    private void ExpireLater(StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!_expires && _payloads.Count > 0)
        {
            _expires = true;
            var wait = _options.Mutation == RumorsMutation.CacheTooShort ? _options.Batch : _options.Keep / 2;
            outbox.SetTimer(new TimerId((int)Timer.Expire), context.Now + wait);
        }
    }

    private void Expire(StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        var now = _options.Mutation == RumorsMutation.CacheTooShort ? context.Now + _options.Keep : context.Now;
        foreach (var id in _payloads.Where(item => item.Value.Until <= now).Select(item => item.Key).ToList())
        {
            _payloads.Remove(id);
        }

        ExpireLater(context, outbox);
    }

    /// <summary>A payload kept for those who ask for it.</summary>
    private sealed class Payload
    {
        private Rumor _rumor = new(default, default);
        private int _round;
        private NodeId _from;
        private Instant _until;

        public Rumor Rumor { get => _rumor; init => _rumor = value; }

        public int Round { get => _round; set => _round = value; }

        /// <summary>The link that it came on, or the one that has taken its place; nobody for one's own.</summary>
        public NodeId From { get => _from; set => _from = value; }

        public Instant Until { get => _until; init => _until = value; }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _rumor, Rumor.Wire.Instance);
            visitor.Visit("round", ref _round);
            visitor.Visit("from", ref _from);
            visitor.Visit("until", ref _until);
        }
    }
}
