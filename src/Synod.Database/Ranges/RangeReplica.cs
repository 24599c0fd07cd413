using Synod.Core;
using Synod.Database.Directory;
using Synod.Protocols.Consensus;
using Synod.Storage;

namespace Synod.Database.Ranges;

/// <summary>
/// One replica of a range: its group's consensus below, its state above, and the leader's part while it leads. What consensus
/// executes waits here until its timestamp has passed, and is then applied in order.
/// </summary>
internal sealed partial class RangeReplica
{
    private readonly StepScope _step;
    private readonly DatabaseOptions _options;
    private readonly Queue<ExecutedSlot> _executed = [];
    private readonly ProposalQueue _proposals = new();
    private readonly List<(RequestId Request, Api.Request? Body, NodeMessage.ToLeader? Message)> _waiting = [];
    private readonly Func<ulong> _drawGroup;
    private readonly Func<Api.Directory> _directory;
    private bool _leaseAsked;
    private bool _hasBusiness;
    private Ballot _leadProposed;
    private Ballot _leaderHeard;

    /// <param name="drawGroup">Draws the name of a new group, never used before in the cluster.</param>
    /// <param name="directory">What the node knows of the ranges.</param>
    public RangeReplica(
        ulong group, IStore store, StepScope step, DatabaseOptions options, Func<ulong> drawGroup, Func<Api.Directory> directory)
    {
        _directory = directory;
        _step = step;
        _options = options;
        _drawGroup = drawGroup;
        Group = group;
        State = new RangeState(store, group, options);
        Paxos = new MultiPaxos(
            options.Self,
            options.Quorums(State.Descriptor.Replicas),
            new MultiPaxosOptions
            {
                HeartbeatInterval = options.HeartbeatInterval,
                ElectionTimeout = options.ElectionTimeout,
                LeaseDuration = options.LeaseDuration,
                MaxInFlight = 1 << 16,
                RetainedSlots = options.RetainedCommands,
            },
            State);
    }

    public ulong Group { get; }

    /// <summary>Whether all that is known to be chosen is applied.</summary>
    public bool HasAppliedAll => _executed.Count == 0;

    /// <summary>For how many looks at it the group has been known to be retired.</summary>
    public int RetiredFor { get; set; }

    public RangeState State { get; }

    public MultiPaxos Paxos { get; }

    /// <summary>The leader's part, from the time that it may serve until its term ends.</summary>
    public RangeLeader? Leader { get; private set; }

    public bool HoldsLease =>
        Paxos.HoldsLease(_step.Context.TrueTime)
        || (Paxos.Role == PaxosRole.Leader && _options.Mutation.HasFlag(DatabaseMutation.ReadWithoutLease));

    public Timestamp LeaseEnd => _options.Mutation.HasFlag(DatabaseMutation.ReadWithoutLease) ? Timestamp.MaxValue : Paxos.Lease.End;

    /// <summary>When a slot should be proposed, if anything waits for one and consensus would take it.</summary>
    public Instant? ProposalDue => Paxos.HoldsBack ? null : _proposals.Due(_step.Context.Now);

    /// <summary>The value of the next slot, if any; consensus takes one at a time. What it refused would be lost to whoever waits for it.</summary>
    public bool TryTakeProposal(out ReadOnlyMemory<byte> value)
    {
        value = default;
        return !Paxos.HoldsBack && _proposals.TryTake(Paxos.Ballot, out value);
    }

    /// <summary>Proposes in this turn's slot, under the present term: chosen in a later one, it may have no effect.</summary>
    public void Propose(RangeCommand command) => _proposals.Add(Paxos.Ballot, command);

    /// <summary>Proposes what nobody waits for: with the next slot, or after a moment.</summary>
    public void ProposePatiently(RangeCommand command) =>
        _proposals.AddPatient(Paxos.Ballot, command, _step.Context.Now + _options.Patience);

    /// <summary>Somebody began to wait.</summary>
    public void Hurry() => _proposals.Hurry();

    public void OnExecuted(Slot slot, ReadOnlyMemory<byte> value) => _executed.Enqueue(ExecutedSlot.Parse(slot, value));

    /// <summary>
    /// Whether the group's own messages name another node as leader in a term not reported before. Whoever follows a leader need not
    /// wait for a rumor of it.
    /// </summary>
    public bool HearsOfLeader()
    {
        // A ballot names its leader: one that was promised to somebody else says nothing of when this leader began.
        if (Paxos.Leader == NodeId.None || Paxos.Leader == _options.Self || Paxos.Ballot.Node != Paxos.Leader || Paxos.Ballot == _leaderHeard)
        {
            return false;
        }

        _leaderHeard = Paxos.Ballot;
        return true;
    }

    /// <summary>
    /// Applies what may be exposed. Every replica checks with its own clock that a version's timestamp has passed (time.md §3), so
    /// neither a new leader nor a recovering node can show it early. Returns the splits that were applied, or null.
    /// </summary>
    public List<RangeCommand.Split>? ApplyReady()
    {
        List<RangeCommand.Split>? splits = null;
        while (_executed.TryPeek(out var next))
        {
            if (next.Slot <= State.Applied)
            {
                // A snapshot has brought its effect already.
                _executed.Dequeue();
                continue;
            }

            var visible = next.VisibleAfter;
            if (visible > Timestamp.Zero
                && !_step.Context.TrueTime.After(visible)
                && !_options.Mutation.HasFlag(DatabaseMutation.SkipCommitWait))
            {
                WaitUntilAfter(visible, NodeTimer.Apply);
                break;
            }

            _executed.Dequeue();
            if (State.Apply(next.Slot, next.Term, next.Commands) is not { } effects)
            {
                continue;
            }

            for (var index = 0; index < effects.Count; index++)
            {
                Leader?.OnApplied(next.Commands[index], effects[index]);
            }

            if (next.Commands[0] is RangeCommand.Split split)
            {
                (splits ??= []).Add(split);
                OnSplit(split);
            }
        }

        return splits;
    }

    /// <summary>Begins or ends the leader's part as its term does, and serves what waited for it.</summary>
    public void UpdateLeader()
    {
        if (Leader is { } old && (Paxos.Role != PaxosRole.Leader || Paxos.Ballot != old.Term))
        {
            EndTerm(old, "The range's leader changed.");
        }

        if (Paxos.Role != PaxosRole.Leader)
        {
            _leaseAsked = false;
            RefuseWaiting();
            return;
        }

        // Ready: the barrier is executed; what was executed before it must be applied too, prepared transactions above all.
        if (Leader is null && Paxos.IsReady && _executed.Count == 0 && HoldsLease)
        {
            if (State.Term != Paxos.Ballot && !_options.Mutation.HasFlag(DatabaseMutation.ApplyFormerTerms))
            {
                ProposeLead();
                return;
            }

            Leader = new RangeLeader(this, _step, _options, Paxos.Ballot, Paxos.Lease.Start);
            BecameLeader = true;
            _succeeds = false;
        }

        if (Leader?.AnswerPassed() is { } next)
        {
            WaitUntilAfter(next, NodeTimer.Answer);
        }

        if (Leader is { } leader && HoldsLease)
        {
            foreach (var (request, body, message) in Taken(_waiting))
            {
                if (body is not null)
                {
                    Handle(request, body);
                }
                else if (message is not null)
                {
                    Serve(leader, message);
                }
            }

            ContinueClosing(leader);
        }
    }

    /// <summary>The replica goes away: whoever waits for it has to ask its successor.</summary>
    public void End()
    {
        if (Leader is { } leader)
        {
            EndTerm(leader, "The range's members changed.");
        }

        RefuseWaiting();
        State.CloseSnapshots();
    }

    private void EndTerm(RangeLeader leader, string reason)
    {
        Leader = null;
        leader.End();
        EndClosing(reason);
    }

    private void RefuseWaiting()
    {
        foreach (var (request, body, _) in Taken(_waiting))
        {
            if (body is not null)
            {
                _step.Answer(request, NotLeader());
            }
        }
    }

    /// <summary>Ends the effect of earlier terms, once in each term, before anything is served in it.</summary>
    private void ProposeLead()
    {
        if (_leadProposed != Paxos.Ballot)
        {
            _leadProposed = Paxos.Ballot;
            Propose(new RangeCommand.Lead());
        }
    }

    /// <summary>Set when the leader's part began; whoever tells the others takes it back.</summary>
    public bool BecameLeader { get; set; }

    /// <summary>
    /// At a tick: asks for a lease if something is left that only a leader with one can bring to its end: transactions, or a successor
    /// group. One that fell asleep over them would leave their locks in everybody's way, or its range short of a replica, until somebody
    /// happened to ask for the range.
    /// </summary>
    public bool WakesForBusiness()
    {
        _hasBusiness = Paxos.Role == PaxosRole.Leader && !HoldsLease
            && (State.Prepared.Count + State.Staged.Count > 0 || Leader is { IsBusy: true } || NeedsSuccessor);
        return _hasBusiness;
    }

    /// <summary>Whether consensus should be asked for a lease: something waits for it. True once for each answer.</summary>
    public bool AsksForLease()
    {
        if (_leaseAsked || (_waiting.Count == 0 && !_hasBusiness) || Paxos.Role != PaxosRole.Leader || !Paxos.IsReady || HoldsLease)
        {
            return false;
        }

        _leaseAsked = true;
        _hasBusiness = false;
        return true;
    }

    public void OnLeaseAnswer(string? failure)
    {
        _leaseAsked = false;
        if (failure is null)
        {
            return;
        }

        foreach (var (request, body, _) in Taken(_waiting))
        {
            if (body is not null)
            {
                _step.Answer(request, Responses.Unavailable(failure));
            }
        }
    }

    /// <summary>What must hold after every step that touched the replica.</summary>
    public void CheckInvariants()
    {
        Invariant.Check(State.IsAbsent || State.Applied <= Paxos.Executed, "AppliedWasExecuted", $"{State.Applied} after {Paxos.Executed}");
        Invariant.Check(
            Leader is null || (Paxos.Role == PaxosRole.Leader && Paxos.Ballot == Leader.Term && !State.IsAbsent),
            "LeaderHasTheTerm",
            $"group {Group}");
    }

    public Api.Range Describe(RangeDescriptor range) => RangeDirectory.Describe(range, Paxos.Leader);

    private void WaitUntilAfter(Timestamp timestamp, NodeTimer timer)
    {
        var now = _step.Context.TrueTime;
        var wait = now.IsTrusted && timestamp >= now.Earliest
            ? timestamp - now.Earliest + Duration.FromMicroseconds(1)
            : Duration.FromMilliseconds(10);
        _step.Outbox.SetTimer(new TimerId((int)timer, (long)Group), _step.Context.Now + wait);
    }

    private static IReadOnlyList<T> Taken<T>(List<T> list)
    {
        if (list.Count == 0)
        {
            return [];
        }

        List<T> taken = [.. list];
        list.Clear();
        return taken;
    }
}
