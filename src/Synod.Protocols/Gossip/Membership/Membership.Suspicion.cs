using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>From a missed answer to a death, or to a refutation (gossip.md §2.3, §2.4).</summary>
public sealed partial class Membership
{
    /// <summary>How long a suspicion lasts with <paramref name="confirmations"/> others of one mind, among <paramref name="members"/> members.</summary>
    public static Duration SuspicionTime(MembershipOptions options, int members, int confirmations)
    {
        var least = options.Period.Nanoseconds * options.SuspicionPeriods * Math.Max(1, Math.Log10(members));

        // Where too few others are there to confirm, nobody waits for them.
        if (options.Confirmations == 0 || members - 2 < options.Confirmations)
        {
            return new Duration((long)least);
        }

        var most = least * options.UnconfirmedFactor;
        var share = Math.Log(confirmations + 1) / Math.Log(options.Confirmations + 1);
        return new Duration((long)Math.Max(least, most - (most - least) * share));
    }

    /// <summary>This node's own detector says that a member does not answer: it is suspected, or a suspicion is confirmed.</summary>
    private void Accuse(NodeId member, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_table.Find(member) is not (>= 0 and var place) || !_table.IsLive(place))
        {
            return;
        }

        var key = _table.KeyAt(place);
        if (MemberKey.Status(key) == MemberStatus.Suspect)
        {
            Confirm(member, [_self], context, outbox);
            return;
        }

        var incarnation = MemberKey.Incarnation(key) + (_options.Mutation == MembershipMutation.OthersRaise ? 1 : 0);
        var suspect = MemberKey.Of(incarnation, MemberStatus.Suspect);
        if (Overrides(suspect, key))
        {
            Move(place, suspect, [_self], context, outbox);
        }
    }

    private void BeginSuspicion(
        NodeId member, ImmutableArray<NodeId> accusers, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var suspicion = new Suspicion { Since = context.Now };
        suspicion.Add(accusers, member, _options.Confirmations + 1, false);
        _suspicions[member] = suspicion;
        Arm(member, suspicion, outbox);
    }

    /// <summary>
    /// Others found the same, each by probes of its own. Each of them counts once, the first accuser for nothing, and news of it is told
    /// on while it shortens the suspicion.
    /// </summary>
    private void Confirm(
        NodeId member, ImmutableArray<NodeId> accusers, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var suspicion = _suspicions[member];
        if (suspicion.Add(accusers, member, _options.Confirmations + 1, _options.Mutation == MembershipMutation.SameAccuserCounts))
        {
            Arm(member, suspicion, outbox);
            Spread(member, context, outbox);
        }
    }

    private void Arm(NodeId member, Suspicion suspicion, Outbox<Message, Record, Command, Result> outbox)
    {
        var confirmations = _options.Mutation == MembershipMutation.ConfirmationsIgnored ? 0 : Math.Max(0, suspicion.Accusers.Count - 1);
        outbox.SetTimer(
            ToTimer(Timer.Suspicion, member.Value), suspicion.Since + SuspicionTime(_options, _table.Live, confirmations));
    }

    private void EndSuspicion(NodeId member, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_suspicions.Remove(member) && _options.Mutation != MembershipMutation.SuspicionNotCancelled)
        {
            outbox.CancelTimer(ToTimer(Timer.Suspicion, member.Value));
        }
    }

    private void SuspicionIsOver(NodeId member, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing == Standing.Left || _table.Find(member) is not (>= 0 and var place) || !_table.IsLive(place))
        {
            return;
        }

        Invariant.Check(
            _suspicions.ContainsKey(member) || _options.Mutation == MembershipMutation.SuspicionNotCancelled, SuspectsAreSuspected);
        Move(place, MemberKey.Of(MemberKey.Incarnation(_table.KeyAt(place)), MemberStatus.Dead), [], context, outbox);
    }

    /// <summary>Somebody says something of this node. Whatever is not as good as the truth is refuted, by an incarnation that exceeds it.</summary>
    private void AboutSelf(NodeId from, in Update update, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_standing is Standing.Leaving or Standing.Left)
        {
            return;
        }

        if (_standing == Standing.Outside)
        {
            NoteClaim(update);
            return;
        }

        if (update.Description is { } claimed && !claimed.HasAddressOf(_description))
        {
            MeetNamesake(update, context, outbox);
            return;
        }

        var isTruth = update.Incarnation < _incarnation || _description.Equals(update.Description);
        if (update.Status == MemberStatus.Alive && update.Incarnation <= _incarnation && isTruth)
        {
            return;
        }

        if (update.Incarnation < _incarnation)
        {
            // It was refuted already, and whoever tells it has not heard.
            Tell(from, new Message.Gossip { Updates = [ToUpdate(_table.Find(_self), false)] }, outbox);
            return;
        }

        if (_options.Mutation == MembershipMutation.NoRefutation)
        {
            return;
        }

        if (update.Status is MemberStatus.Suspect or MemberStatus.Dead)
        {
            // Others do not hear this node in time: a reason to doubt itself.
            ChangeHealth(1);
        }

        Raise(update.Incarnation + (_options.Mutation == MembershipMutation.RefuteWithoutRaising ? 0 : 1), context, outbox);
    }

    /// <summary>This node goes to an incarnation, and says so.</summary>
    private void Raise(long incarnation, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _incarnation = incarnation;
        Reserve(outbox);
        var place = _table.Find(_self);
        var key = MemberKey.Of(incarnation, MemberStatus.Alive);
        _table.Raise(place, Math.Max(key, _table.KeyAt(place)));
        _table.Describe(place, _description, incarnation);
        Spread(_self, context, outbox);
    }

    private void Reserve(Outbox<Message, Record, Command, Result> outbox)
    {
        if (_incarnation > _reserved)
        {
            _reserved = _incarnation + _options.IncarnationReserve - 1;
            outbox.Persist(new Record.Reserved(_reserved));
        }
    }

    /// <summary>A suspicion, and who is of this mind by probes of its own; the first of them began it.</summary>
    private sealed class Suspicion
    {
        private Instant _since;

        public Instant Since { get => _since; init => _since = value; }

        public List<NodeId> Accusers { get; } = [];

        /// <summary>Adds who is not among them, up to a number; whether there was anyone.</summary>
        public bool Add(ImmutableArray<NodeId> accusers, NodeId suspect, int most, bool again)
        {
            var before = Accusers.Count;
            foreach (var accuser in accusers)
            {
                if (Accusers.Count < most && accuser != suspect && (again || !Accusers.Contains(accuser)))
                {
                    Accusers.Add(accuser);
                }
            }

            return Accusers.Count > before;
        }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("", ref _since);
            visitor.Visit("", Accusers, static (v, ref accuser) => v.Visit("", ref accuser));
        }

        public override string ToString() => string.Join(",", Accusers);
    }
}
