using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>News comes in and goes out (gossip.md §2.3).</summary>
public sealed partial class Membership
{
    /// <summary>Whether a key takes the place of the one held: the larger one does.</summary>
    private bool Overrides(long offered, long held) => _options.Mutation switch
    {
        MembershipMutation.AliveAtEqualWins when MemberKey.Status(offered) == MemberStatus.Alive && MemberKey.Status(held) == MemberStatus.Suspect =>
            MemberKey.Incarnation(offered) >= MemberKey.Incarnation(held),
        MembershipMutation.SuspectNeedsMore when MemberKey.Status(offered) == MemberStatus.Suspect && MemberKey.Status(held) == MemberStatus.Alive =>
            MemberKey.Incarnation(offered) > MemberKey.Incarnation(held),
        MembershipMutation.DeadIsNotSticky when MemberKey.Status(offered) == MemberStatus.Alive && !MemberKey.IsLive(held) =>
            MemberKey.Incarnation(offered) >= MemberKey.Incarnation(held),
        MembershipMutation.DeadAtAnyIncarnation when MemberKey.Status(offered) == MemberStatus.Dead && MemberKey.IsLive(held) => true,
        _ => offered > held,
    };

    private void Merge(
        NodeId from, ImmutableArray<Update> updates, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (ref readonly var update in updates.AsSpan())
        {
            Merge(from, update, context, outbox);
        }
    }

    private void Merge(NodeId from, in Update update, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!IsCredible(update, context))
        {
            outbox.Refuse(Refusal.Forged);
        }
        else if (update.Member == _self)
        {
            AboutSelf(from, update, context, outbox);
        }
        else if (_table.Find(update.Member) is >= 0 and var place)
        {
            Merge(place, update, context, outbox);
        }
        else
        {
            Meet(update, context, outbox);
        }
    }

    /// <summary>
    /// Whether an honest member could have such an incarnation by now. Without a trusted clock nothing is known about that, and only
    /// what does not fit into a key is refused.
    /// </summary>
    private bool IsCredible(in Update update, StepContext context)
    {
        var most = context.TrueTime.IsTrusted && _options.Mutation != MembershipMutation.AbsurdIncarnations
            ? ClockIncarnation(context) + _options.IncarnationLead.Milliseconds
            : MemberKey.MaxIncarnation;
        return update.Incarnation >= 1 && update.Incarnation <= most && update.Described <= update.Incarnation;
    }

    private void Merge(int place, in Update update, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var held = _table.KeyAt(place);
        var offered = MemberKey.Of(update.Incarnation, update.Status);
        var isDescribed = MergeDescription(place, update, outbox);
        if (Overrides(offered, held))
        {
            Move(place, offered, update.Accusers, context, outbox);
        }
        else if (isDescribed)
        {
            // The news overtook the description that belongs to it.
            Spread(update.Member, context, outbox);
            Emit(new Command.Changed(_table.MemberAt(place)), outbox);
        }
        else if (offered == held && update.Status == MemberStatus.Suspect)
        {
            Confirm(update.Member, update.Accusers, context, outbox);
        }
    }

    /// <summary>
    /// The description of the larger incarnation stands. Two of one incarnation mean two processes of one name: every node keeps the same
    /// one of them, and says so.
    /// </summary>
    private bool MergeDescription(int place, in Update update, Outbox<Message, Record, Command, Result> outbox)
    {
        if (update.Description is not { } offered || update.Described < _table.DescribedAt(place))
        {
            return false;
        }

        var held = _table.DescriptionAt(place);
        var isNewer = update.Described > _table.DescribedAt(place);
        if (offered.Equals(held))
        {
            if (isNewer)
            {
                _table.Describe(place, held, update.Described);
            }

            return false;
        }

        if (!isNewer && !offered.HasAddressOf(held))
        {
            outbox.Refuse(Refusal.Equivocation);
            var (holder, refused) = offered.CompareTo(held) > 0 ? (offered, held) : (held, offered);
            Emit(new Command.NameTaken(update.Member, holder.Copy(), refused.Copy()), outbox);
        }

        if (isNewer || offered.CompareTo(held) > 0)
        {
            _table.Describe(place, offered.Copy(), update.Described);
            return true;
        }

        return false;
    }

    /// <summary>
    /// News of a member that is not known. Only what says where it is makes a member: hearsay about strangers is refused, and
    /// nobody takes over the dead that he never knew, or they would be remembered for ever.
    /// </summary>
    private void Meet(in Update update, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var description = update.Description
            ?? (_options.Mutation == MembershipMutation.GhostsTaken ? MemberDescription.Nowhere : null);
        if (update.Status > MemberStatus.Suspect || description is null || update.Member == NodeId.None)
        {
            outbox.Refuse(Refusal.Unknown);
            return;
        }

        if (_table.Known >= _options.MaxMembers)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        var alive = MemberKey.Of(update.Incarnation, MemberStatus.Alive);
        var place = _table.Add(update.Member, alive, description.Copy(), update.Description is null ? update.Incarnation : update.Described);
        _order.Insert(update.Member);
        _ringIsOld = true;
        if (update.Status == MemberStatus.Suspect)
        {
            Move(place, MemberKey.Of(update.Incarnation, MemberStatus.Suspect), update.Accusers, context, outbox);
            return;
        }

        Spread(update.Member, context, outbox);
        Emit(new Command.Changed(_table.MemberAt(place)), outbox);
    }

    /// <summary>Believes something else of a member, tells it on, and does what follows from it.</summary>
    private void Move(
        int place, long key, ImmutableArray<NodeId> accusers, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var member = _table.IdAt(place);
        var wasLive = _table.IsLive(place);
        EndSuspicion(member, outbox);
        _table.Raise(place, key);
        if (MemberKey.IsLive(key) != wasLive)
        {
            _ringIsOld = true;
            if (wasLive)
            {
                _order.Remove(member);
                Bury(member, context, outbox);
            }
            else
            {
                _gone.Remove(member);
                _order.Insert(member);
            }
        }

        if (MemberKey.Status(key) == MemberStatus.Suspect)
        {
            BeginSuspicion(member, accusers, context, outbox);
        }

        Spread(member, context, outbox);
        Emit(new Command.Changed(_table.MemberAt(place)), outbox);
    }

    /// <summary>
    /// There is news of a member: it rides on what is sent. Whoever was silent for an interval tells it at once, so that it crosses the
    /// fleet in a few network delays instead of as many intervals; how often it is told in all, and to how many in an interval, stays the
    /// same. What a newcomer learns is no news, since all but him know it.
    /// </summary>
    private void Spread(NodeId member, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing == Standing.Outside || (_options.Mutation == MembershipMutation.NewsKept && member != _self))
        {
            return;
        }

        _news.Add(member);
        if (!_isGossiping)
        {
            _isGossiping = true;
            outbox.SetTimer(ToTimer(Timer.Gossip), context.Now);
        }
    }

    private void Gossip(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        Span<NodeId> peers = stackalloc NodeId[_options.GossipFanOut];
        _isGossiping = _news.Count > 0;
        foreach (var peer in peers[..(_isGossiping ? Draw(peers, NodeId.None, context) : 0)])
        {
            if (_news.Count > 0)
            {
                Tell(peer, new Message.Gossip { Updates = Pack(peer) }, outbox);
            }
        }

        if (_standing == Standing.Leaving && !_news.Contains(_self))
        {
            FinishLeaving(outbox);
        }
        else if (_isGossiping)
        {
            // An interval on average, also if there is nothing more to tell. Those who heard together do not tell together again.
            outbox.SetTimer(ToTimer(Timer.Gossip), SomewhereIn(_options.GossipInterval, context) + _options.GossipInterval / 2);
        }
    }

    /// <summary>
    /// Fills a packet: first what is said of its receiver, if that is not good, then the news that was told least (gossip.md §2.4, §11).
    /// </summary>
    private ImmutableArray<Update> Pack(NodeId to)
    {
        _packet.Clear();
        _room = _options.Mutation == MembershipMutation.UnboundedPiggyback ? int.MaxValue : _options.DatagramBytes - Wire.MaxHeadBytes;
        if (_table.Find(to) is >= 0 and var place && MemberKey.Status(_table.KeyAt(place)) is var status && status != MemberStatus.Alive
            && (status != MemberStatus.Suspect || (_options.Buddy && _options.Mutation != MembershipMutation.NoBuddy)))
        {
            Put(ToUpdate(place, false));
        }

        if (_news.Count > 0)
        {
            _news.Take(TransmissionLimit(), _takeNews);
        }

        return _packet.Count == 0 ? [] : _packet.ToImmutable();
    }

    private bool TakeNews(NodeId member)
    {
        if (_packet.Count > 0 && _packet[0].Member == member)
        {
            return true;
        }

        return _table.Find(member) is >= 0 and var place && Put(ToUpdate(place, false));
    }

    private bool Put(in Update update)
    {
        var size = Wire.Size(update);
        if (size > _room)
        {
            return false;
        }

        _room -= size;
        _packet.Add(update);
        return true;
    }

    /// <summary>What the table says of a member. A row of a whole table also says where a suspect is.</summary>
    private Update ToUpdate(int place, bool isRow)
    {
        var (id, key) = (_table.IdAt(place), _table.KeyAt(place));
        var status = MemberKey.Status(key);
        var isDescribed = status == MemberStatus.Alive || (isRow && status == MemberStatus.Suspect);
        return new(
            id,
            status,
            MemberKey.Incarnation(key),
            isDescribed ? _table.DescriptionAt(place) : null,
            isDescribed ? _table.DescribedAt(place) : 0,
            status == MemberStatus.Suspect && _suspicions.TryGetValue(id, out var suspicion) ? [.. suspicion.Accusers] : []);
    }

    private int TransmissionLimit() => _options.Retransmissions * (int)Math.Ceiling(Math.Log10(_table.Live + 1));

    /// <summary>Draws distinct live members besides this node and <paramref name="not"/>; how many there were.</summary>
    private int Draw(Span<NodeId> drawn, NodeId not, StepContext context)
    {
        var (count, places) = (0, _table.Places);
        for (var tries = 3 * drawn.Length; tries > 0 && count < drawn.Length && places > 0; tries--)
        {
            // Where many are dead a draw may find nobody: the next live one is taken then.
            var place = context.Choose(places);
            for (var steps = 0; steps < places && !IsOther(place, not, drawn[..count]); steps++)
            {
                place = place + 1 == places ? 0 : place + 1;
            }

            if (!IsOther(place, not, drawn[..count]))
            {
                break;
            }

            drawn[count++] = _table.IdAt(place);
        }

        return count;
    }

    private bool IsOther(int place, NodeId not, Span<NodeId> drawn)
    {
        var id = _table.IdAt(place);
        return _table.IsLive(place) && id != _self && id != not && !drawn.Contains(id);
    }
}
