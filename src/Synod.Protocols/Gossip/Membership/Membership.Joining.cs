using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// How a node comes and goes. A newcomer asks for a table before it says anything of itself, so that it sees whether its name is taken;
/// and it begins above every incarnation that it may have used: by its durable reservation, by the clock, and by what the table says.
/// </summary>
public sealed partial class Membership
{
    private const long NoRequest = -1;

    private readonly List<NodeId> _contacts = [];
    private long _joinRequest = NoRequest;
    private long _leaveRequest = NoRequest;

    // What the table that was asked for says of this node's name, and the last holder that the host was told of.
    private long _claim = MemberKey.Absent;
    private MemberDescription _claimant = MemberDescription.Nowhere;
    private MemberDescription _holder = MemberDescription.Nowhere;

    private void JoiningState(StateVisitor visitor)
    {
        visitor.Visit("contacts", _contacts, static (v, ref contact) => v.Visit("", ref contact));
        visitor.Visit("joinRequest", ref _joinRequest);
        visitor.Visit("leaveRequest", ref _leaveRequest);
        visitor.Visit("claim", ref _claim);
        Visit(visitor, "claimant", ref _claimant);
        Visit(visitor, "holder", ref _holder);
    }

    private static void Visit(StateVisitor visitor, string name, ref MemberDescription description)
    {
        var (address, tags) = (description.Address, description.Tags);
        visitor.Visit(name, ref address);
        visitor.Visit("", ref tags);
        description = new MemberDescription(address, tags);
    }

    /// <summary>The incarnation that a clock gives: its latest time in milliseconds, or 0 if it is not to be trusted.</summary>
    private static long ClockIncarnation(StepContext context) =>
        context.TrueTime.IsTrusted ? context.TrueTime.Latest.Nanoseconds / 1_000_000 : 0;

    private void Start(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var place = _table.Find(_self);
        var isFirst = _reserved == 0;

        // The roster says under which incarnation its members begin, so the first start of one is no news.
        _incarnation = isFirst && place >= 0
            ? MemberKey.Incarnation(_table.KeyAt(place))
            : Math.Max(_reserved + 1, ClockIncarnation(context));
        Reserve(outbox);
        if (place >= 0)
        {
            _standing = Standing.Member;
            StartTimers(context, outbox);
            if (!isFirst || !_description.Equals(_table.DescriptionAt(place)))
            {
                Raise(isFirst ? _incarnation + 1 : _incarnation, context, outbox);
            }
        }
        else if (!_options.Seeds.IsEmpty)
        {
            BeginToJoin(_options.Seeds, context, outbox);
        }
    }

    private void StartTimers(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        // Somewhere in a period each: nodes that start together shall not act together.
        outbox.SetTimer(ToTimer(Timer.Period), SomewhereIn(_options.Period, context));
        outbox.SetTimer(ToTimer(Timer.Sync), SomewhereIn(_options.SyncInterval, context));
        outbox.SetTimer(ToTimer(Timer.Contact), SomewhereIn(_options.ContactInterval, context));
        _beatDue = context.Now + _options.Period;
    }

    private static Instant SomewhereIn(Duration length, StepContext context) =>
        context.Now + Duration.FromMicroseconds(1 + context.Choose((int)(length.Nanoseconds / 1_000)));

    private void On(RequestId request, Command.Join join, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing == Standing.Outside && _joinRequest == NoRequest)
        {
            _joinRequest = request.Value;
            BeginToJoin(join.Contacts, context, outbox);
            return;
        }

        if (_standing != Standing.Member)
        {
            outbox.Answer(request, new Result.Refused());
            return;
        }

        // Two clusters may become one.
        foreach (var contact in join.Contacts)
        {
            if (contact != _self)
            {
                Tell(contact, new Message.Digest(_table.Digest), outbox);
            }
        }

        outbox.Answer(request, new Result.Joined(_incarnation));
    }

    private void BeginToJoin(ImmutableArray<NodeId> contacts, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var contact in contacts)
        {
            AddContact(contact);
        }

        if (_contacts.Count == 0)
        {
            // Nobody to ask: this is the first of all.
            Admit(context, outbox);
        }
        else
        {
            AskToJoin(context, outbox);
        }
    }

    private void AddContact(NodeId contact)
    {
        if (contact != _self && contact != NodeId.None && !_contacts.Contains(contact))
        {
            _contacts.Add(contact);
        }
    }

    private void AskToJoin(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing == Standing.Outside)
        {
            Tell(_contacts[context.Choose(_contacts.Count)], new Message.Sync(SyncKind.Join), outbox);
            outbox.SetTimer(ToTimer(Timer.Join), context.Now + _options.JoinRetry);
        }
    }

    private void NoteClaim(in Update update)
    {
        var key = MemberKey.Of(update.Incarnation, update.Status);
        if (key > _claim)
        {
            _claim = key;
            _claimant = update.Description?.Copy() ?? _claimant;
        }
    }

    /// <summary>A table has come. The name is free if nobody has it, if its holder is gone, or if the holder was at this very address.</summary>
    private void Decide(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (MemberKey.IsLive(_claim) && !_claimant.HasAddressOf(_description) && _options.Mutation != MembershipMutation.NameClaimed)
        {
            NameIsTaken(_claimant, outbox);
            return;
        }

        if (_claim != MemberKey.Absent)
        {
            _incarnation = Math.Max(_incarnation, MemberKey.Incarnation(_claim) + 1);
        }

        Admit(context, outbox);
    }

    private void NameIsTaken(MemberDescription holder, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Refuse(Refusal.Equivocation);
        if (!_holder.Equals(holder))
        {
            _holder = holder;
            Emit(new Command.NameTaken(_self, holder, _description), outbox);
        }

        if (_joinRequest != NoRequest)
        {
            outbox.Answer(new RequestId(_joinRequest), new Result.NameTaken(holder));
            _joinRequest = NoRequest;
        }
    }

    private void Admit(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var place = _table.Find(_self);
        var held = place >= 0 ? MemberKey.Incarnation(_table.KeyAt(place)) : 0;
        _incarnation = Math.Max(held + 1, _incarnation);
        Reserve(outbox);
        _standing = Standing.Member;
        (_claim, _claimant, _holder) = (MemberKey.Absent, MemberDescription.Nowhere, MemberDescription.Nowhere);
        var key = MemberKey.Of(_incarnation, MemberStatus.Alive);
        if (place >= 0)
        {
            _table.Raise(place, key);
            _table.Describe(place, _description, _incarnation);
        }
        else
        {
            _table.Add(_self, key, _description, _incarnation);
        }

        outbox.CancelTimer(ToTimer(Timer.Join));
        StartTimers(context, outbox);
        Spread(_self, context, outbox);
        if (_joinRequest != NoRequest)
        {
            outbox.Answer(new RequestId(_joinRequest), new Result.Joined(_incarnation));
            _joinRequest = NoRequest;
        }
    }

    /// <summary>
    /// Another process goes by this node's name: both joined where they could not see each other. The one whose announcement overrides
    /// keeps it, as everybody else decides by the same rule; the other steps back until the name is free.
    /// </summary>
    private void MeetNamesake(in Update update, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var order = update.Described.CompareTo(_incarnation);
        order = order != 0 ? order : update.Description!.CompareTo(_description);
        if (order < 0)
        {
            outbox.Refuse(Refusal.Equivocation);
            Emit(new Command.NameTaken(_self, _description, update.Description!.Copy()), outbox);
            Spread(_self, context, outbox);
            return;
        }

        StepBack(update, context, outbox);
    }

    private void StepBack(in Update update, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _standing = Standing.Outside;
        _probe.Close();
        foreach (var kind in (ReadOnlySpan<Timer>)[Timer.Period, Timer.Timeout, Timer.Sync, Timer.Contact, Timer.Gossip])
        {
            outbox.CancelTimer(ToTimer(kind));
        }

        _isGossiping = false;
        _news.Remove(_self);
        var place = _table.Find(_self);
        _table.Describe(place, update.Description!.Copy(), update.Described);
        _table.Raise(place, Math.Max(MemberKey.Of(update.Incarnation, update.Status), _table.KeyAt(place)));
        NameIsTaken(update.Description!.Copy(), outbox);
        foreach (var member in Members.Where(member => member.IsLive))
        {
            AddContact(member.Id);
        }

        foreach (var seed in _options.Seeds)
        {
            AddContact(seed);
        }

        outbox.SetTimer(ToTimer(Timer.Join), context.Now + _options.JoinRetry);
    }

    private void On(RequestId request, Command.Describe describe, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!describe.Description.IsSound || _standing is Standing.Leaving or Standing.Left)
        {
            outbox.Answer(request, new Result.Refused());
            return;
        }

        _description = describe.Description;
        if (_standing == Standing.Member)
        {
            Raise(_incarnation + 1, context, outbox);
        }

        outbox.Answer(request, new Result.Described(_incarnation));
    }

    private void Leave(RequestId request, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing is Standing.Leaving or Standing.Left)
        {
            outbox.Answer(request, new Result.Refused());
            return;
        }

        var wasMember = _standing == Standing.Member;
        _leaveRequest = request.Value;
        _standing = Standing.Leaving;
        if (wasMember && _options.Mutation != MembershipMutation.LeaveUntold)
        {
            _table.Raise(_table.Find(_self), MemberKey.Of(_incarnation, MemberStatus.Left));
            Spread(_self, context, outbox);
        }

        if (!wasMember || _table.Live == 0 || _options.Mutation == MembershipMutation.LeaveUntold)
        {
            FinishLeaving(outbox);
            return;
        }

        outbox.SetTimer(ToTimer(Timer.Leave), context.Now + _options.LeaveTimeout);
    }

    private void FinishLeaving(Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing != Standing.Leaving)
        {
            return;
        }

        _standing = Standing.Left;
        outbox.CancelTimer(ToTimer(Timer.Leave));
        outbox.Answer(new RequestId(_leaveRequest), new Result.Gone());
    }
}
