using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Contacts: whom a round goes to, what is said, and what is believed.</summary>
public sealed partial class Rumors
{
    private void Round(StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        _round++;
        CloseContacts();
        EndCycle();
        var style = _options.Style;
        if (style == RumorStyle.Push && _hot.Count == 0)
        {
            return;
        }

        foreach (var peer in _peers.Draw(context, _self, _options.FanOut))
        {
            var rumors = style == RumorStyle.Pull ? [] : Pack([]);
            var contact = Open(peer, rumors, isOffer: false);
            Say(peer, style == RumorStyle.Push ? new Message.Push(contact, rumors) : new Message.Pull(contact, rumors), outbox);
            Sent(rumors, context);
        }
    }

    private void On(
        NodeId from, Message.Push push, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (Take(push.Rumors, outbox) is not { } known)
        {
            return;
        }

        if (UsesFeedback)
        {
            Say(from, new Message.Feedback(push.Contact, known), outbox);
        }
    }

    private void On(
        NodeId from, Message.Pull pull, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        // What is offered is what was new before this contact: the rest came from there.
        ImmutableArray<Rumor> rumors = _options.Mutation == RumorsMutation.OfferWithheld ? [] : Pack(pull.Rumors);
        if (Take(pull.Rumors, outbox) is not { } known)
        {
            return;
        }

        if (rumors.IsEmpty && (pull.Rumors.IsEmpty || !UsesFeedback))
        {
            return;
        }

        var contact = rumors.IsEmpty ? 0 : Open(from, rumors, isOffer: true);
        Say(from, new Message.Offer(pull.Contact, UsesFeedback ? known : [], contact, rumors), outbox);
        Sent(rumors, context);
    }

    private void On(
        NodeId from, Message.Offer offer, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!TryClose(from, offer.Pulled, offer.Known, isOffer: false, out var contact))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (Take(offer.Rumors, outbox) is not { } known)
        {
            return;
        }

        Hear(contact, offer.Known, context);
        if (UsesFeedback && !offer.Rumors.IsEmpty)
        {
            Say(from, new Message.Feedback(offer.Contact, known), outbox);
        }
    }

    private void On(
        NodeId from, Message.Feedback feedback, StepContext context, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (!TryClose(from, feedback.Contact, feedback.Known, isOffer: null, out var contact))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        Hear(contact, feedback.Known, context);
    }

    private bool UsesFeedback => _options.Loss is InterestLoss.FeedbackCounter or InterestLoss.FeedbackCoin;

    /// <summary>A rumor of one's own waits for its record; others were durable at their origins before they left there.</summary>
    private void Say(NodeId to, Message message, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_options.Mutation == RumorsMutation.SpreadBeforeDurable)
        {
            outbox.SendEarly(to, message);
            return;
        }

        outbox.Send(to, message);
    }

    /// <summary>
    /// Hot rumors for one message, those with the fewest sends first (§11), without those that the receiver has just shown to know.
    /// </summary>
    private ImmutableArray<Rumor> Pack(ImmutableArray<Rumor> told)
    {
        if (_hot.Count == 0)
        {
            return [];
        }

        var left = _options.MostBytes;
        var packed = ImmutableArray.CreateBuilder<Rumor>();
        var hot = _hot.Count == 1 ? (IEnumerable<HotRumor>)_hot.Values : _hot.Values.OrderBy(item => item.Sends).ThenBy(item => item.Rumor.Id);
        foreach (var item in hot)
        {
            if (told.Any(rumor => rumor.Id == item.Rumor.Id))
            {
                continue;
            }

            left -= item.Rumor.Body.Length + Overhead;
            if (left < 0)
            {
                break;
            }

            packed.Add(item.Rumor);
        }

        return packed.ToImmutable();
    }

    /// <summary>Takes what is new. The places of what was not; null if the whole is refused.</summary>
    private ImmutableArray<int>? Take(ImmutableArray<Rumor> rumors, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (rumors.Sum(rumor => rumor.Body.Length + Overhead) > _options.MostBytes && _options.Mutation != RumorsMutation.SizeUnchecked)
        {
            outbox.Refuse(Refusal.Malformed);
            return null;
        }

        var known = ImmutableArray.CreateBuilder<int>();
        for (var place = 0; place < rumors.Length; place++)
        {
            if (!TakeOne(rumors[place], outbox))
            {
                known.Add(place);
            }
        }

        return known.ToImmutable();
    }

    private bool TakeOne(Rumor rumor, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_known.Judge(rumor, _peers) is { } refusal)
        {
            outbox.Refuse(refusal);
            return false;
        }

        if (_known.Knows(rumor.Id) && (_options.Mutation != RumorsMutation.DeliveredAgain || _hot.ContainsKey(rumor.Id)))
        {
            if (_hot.TryGetValue(rumor.Id, out var hot) && !hot.Rumor.Body.Span.SequenceEqual(rumor.Body.Span))
            {
                outbox.Refuse(Refusal.Equivocation);
            }

            return false;
        }

        if (!TryTake(rumor, isHot: true, outbox))
        {
            outbox.Refuse(Refusal.NotReady);
            return false;
        }

        return true;
    }

    private long Open(NodeId peer, ImmutableArray<Rumor> rumors, bool isOffer)
    {
        var contact = new Contact { Peer = peer, Round = _round, IsOffer = isOffer };
        foreach (var rumor in rumors)
        {
            contact.Ids.Add(rumor.Id);
        }

        _contacts.Add(++_lastContact, contact);
        if (_contacts.Count > MostContacts)
        {
            _contacts.Remove(_contacts.First().Key);
        }

        return _lastContact;
    }

    /// <summary>An answer counts once, from whom was asked, about what was said.</summary>
    private bool TryClose(NodeId from, long number, ImmutableArray<int> known, bool? isOffer, out Contact contact)
    {
        if (!_contacts.TryGetValue(number, out contact!) || contact.Peer != from || (isOffer is { } kind && contact.IsOffer != kind)
            || !AreAscending(known, contact.Ids.Count))
        {
            return false;
        }

        if (_options.Mutation != RumorsMutation.FeedbackRepeats)
        {
            _contacts.Remove(number);
        }

        return true;
    }

    private static bool AreAscending(ImmutableArray<int> places, int count)
    {
        var last = -1;
        foreach (var place in places)
        {
            if (place <= last || place >= count)
            {
                return false;
            }

            last = place;
        }

        return true;
    }

    private void CloseContacts()
    {
        while (_contacts.Count > 0 && _contacts.First() is var (number, contact) && contact.Round + ContactRounds <= _round)
        {
            _contacts.Remove(number);
        }
    }
}
