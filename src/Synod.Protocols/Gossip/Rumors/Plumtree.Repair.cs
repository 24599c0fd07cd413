using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Ids: announced along lazy links, missed, asked for; and neighbours that come and go.</summary>
public sealed partial class Plumtree
{
    private void Announce(Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        foreach (var (peer, waiting) in _waiting)
        {
            Tell(peer, waiting.Ids, isGreeting: false, outbox);
        }

        _waiting.Clear();
    }

    /// <summary>Everything that may still be asked for: whoever was no neighbour when it passed may have missed it.</summary>
    private void TellAll(NodeId peer, bool isGreeting, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_options.Mutation != RumorsMutation.NewcomerNotTold)
        {
            Tell(peer, [.. _payloads.Select(item => new Announced(item.Key, item.Value.Round + 1))], isGreeting, outbox);
        }
    }

    private void Tell(
        NodeId peer, List<Announced> ids, bool isGreeting, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        for (var at = 0; at < ids.Count || (at == 0 && isGreeting); at += _options.MostAnnounced)
        {
            var some = ids.GetRange(at, Math.Min(_options.MostAnnounced, ids.Count - at));
            outbox.Send(peer, new Message.IHave([.. some], isGreeting && at == 0));
        }
    }

    private void On(
        NodeId from, Message.IHave have, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (have.Ids.Length > _options.MostAnnounced || have.Ids.Any(item => item.Round is < 1 or > MostHops))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        foreach (var announced in have.Ids)
        {
            if (_known.Judge(announced.Id, _peers) is { } refusal)
            {
                outbox.Refuse(refusal);
            }
            else if (_known.Knows(announced.Id))
            {
                Optimise(from, announced, outbox);
            }
            else if (!TryAwait(from, announced, context, outbox))
            {
                outbox.Refuse(Refusal.NotReady);
            }
        }

        if (have.IsGreeting)
        {
            TellAll(from, isGreeting: false, outbox);
        }
    }

    /// <summary>
    /// Waits for a payload; false if this neighbour has already announced more than is waited for. The bound is each announcer's own, so
    /// that one who announces what does not exist keeps nobody from hearing the others.
    /// </summary>
    private bool TryAwait(
        NodeId from, Announced announced, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!_missing.TryGetValue(announced.Id, out var missing))
        {
            var awaited = _awaited.GetValueOrDefault(from);
            if (awaited >= _options.MostMissing && _options.Mutation != RumorsMutation.MissingUnbounded)
            {
                return false;
            }

            _awaited[from] = awaited + 1;
            _missing.Add(announced.Id, missing = new Missing { FirstFrom = from, Ticket = ++_lastTicket });
            _tickets.Add(missing.Ticket, announced.Id);
            outbox.SetTimer(ToTimer(missing), context.Now + _options.FirstWait);
        }

        if (missing.Announcers.All(announcer => announcer.From != from))
        {
            missing.Announcers.Add(new Announcer(from, announced.Round));
        }

        return true;
    }

    /// <summary>The payload did not come in time: its path is broken, and the link to the first who has it mends the tree.</summary>
    private void AskNext(long ticket, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!_tickets.TryGetValue(ticket, out var id))
        {
            return;
        }

        var missing = _missing[id];
        var isOver = missing.Announcers.Count == 0
            || (missing.WasAsked && _options.Mutation == RumorsMutation.FirstAnnouncerOnly);
        if (isOver)
        {
            StopWaiting(id, outbox);
            return;
        }

        var next = missing.Announcers[0].From;
        missing.Announcers.RemoveAt(0);
        missing.WasAsked = true;
        if (_options.Mutation != RumorsMutation.NoGraft)
        {
            BeEager(next);
            outbox.Send(next, new Message.Graft(id));
        }

        outbox.SetTimer(ToTimer(missing), context.Now + _options.NextWait);
    }

    private void StopWaiting(RumorId id, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_missing.Remove(id, out var missing))
        {
            _tickets.Remove(missing.Ticket);
            if (--_awaited[missing.FirstFrom] == 0)
            {
                _awaited.Remove(missing.FirstFrom);
            }

            outbox.CancelTimer(ToTimer(missing));
        }
    }

    private void Meet(PeerView peers, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        _known.Meet(_peers, peers);
        _peers = peers;
        foreach (var gone in _eager.Concat(_lazy).Where(node => !peers.Contains(node)).ToList())
        {
            Drop(gone);
        }

        foreach (var neighbour in peers.Nodes)
        {
            if (neighbour != _self && !_lazy.Contains(neighbour) && _eager.Add(neighbour))
            {
                TellAll(neighbour, isGreeting: true, outbox);
            }
        }
    }

    private void Drop(NodeId gone)
    {
        if (_options.Mutation == RumorsMutation.DownKept)
        {
            return;
        }

        _eager.Remove(gone);
        _lazy.Remove(gone);
        _waiting.Remove(gone);
        foreach (var missing in _missing.Values)
        {
            missing.Announcers.RemoveAll(announcer => announcer.From == gone);
        }
    }

    private static TimerId ToTimer(Missing missing) => new((int)Timer.Graft, missing.Ticket);

    /// <summary>Ids that go to a lazy peer with the next batch.</summary>
    private sealed class Waiting
    {
        public List<Announced> Ids { get; } = [];

        public void State(StateVisitor visitor) => visitor.Visit("", Ids, static (v, ref item) =>
        {
            var (id, round) = (item.Id, item.Round);
            v.Visit("", ref id, RumorId.Wire.Instance);
            v.Visit("@", ref round);
            item = new Announced(id, round);
        });
    }

    /// <summary>A neighbour that has a missing payload, and at how many hops.</summary>
    private readonly record struct Announcer(NodeId From, int Round);

    /// <summary>An id whose payload is waited for, and who can still be asked, in the order of their announcements.</summary>
    private sealed class Missing
    {
        private NodeId _firstFrom;
        private long _ticket;
        private bool _wasAsked;

        public NodeId FirstFrom { get => _firstFrom; init => _firstFrom = value; }

        public long Ticket { get => _ticket; init => _ticket = value; }

        public bool WasAsked { get => _wasAsked; set => _wasAsked = value; }

        public List<Announcer> Announcers { get; } = [];

        public void State(StateVisitor visitor)
        {
            visitor.Visit("by", ref _firstFrom);
            visitor.Visit("ticket", ref _ticket);
            visitor.Visit("asked", ref _wasAsked);
            visitor.Visit("announcers", Announcers, static (v, ref item) =>
            {
                var (from, round) = (item.From, item.Round);
                v.Visit("", ref from);
                v.Visit("@", ref round);
                item = new Announcer(from, round);
            });
        }
    }
}
