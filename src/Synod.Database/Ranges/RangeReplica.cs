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

    public RangeState State { get; }

    public MultiPaxos Paxos { get; }

    /// <summary>The leader's part, from the time that it may serve until its term ends.</summary>
    public RangeLeader? Leader { get; private set; }

    public bool HoldsLease =>
        Paxos.HoldsLease(_step.Context.TrueTime)
        || (Paxos.Role == PaxosRole.Leader && _options.Mutation.HasFlag(DatabaseMutation.ReadWithoutLease));

    public Timestamp LeaseEnd => _options.Mutation.HasFlag(DatabaseMutation.ReadWithoutLease) ? Timestamp.MaxValue : Paxos.Lease.End;

    /// <summary>When a slot should be proposed, if anything waits for one.</summary>
    public Instant? ProposalDue => _proposals.Due(_step.Context.Now);

    /// <summary>The value of the next slot, if any; consensus takes one at a time.</summary>
    public bool TryTakeProposal(out ReadOnlyMemory<byte> value) => _proposals.TryTake(Paxos.Ballot, out value);

    /// <summary>Proposes in this turn's slot, under the present term: chosen in a later one, it may have no effect.</summary>
    public void Propose(RangeCommand command) => _proposals.Add(Paxos.Ballot, command);

    /// <summary>Proposes what nobody waits for: with the next slot, or after a moment.</summary>
    public void ProposePatiently(RangeCommand command) =>
        _proposals.AddPatient(Paxos.Ballot, command, _step.Context.Now + _options.Patience);

    /// <summary>Somebody began to wait.</summary>
    public void Hurry() => _proposals.Hurry();

    public void OnExecuted(Slot slot, ReadOnlyMemory<byte> value) => _executed.Enqueue(ExecutedSlot.Parse(slot, value));

    /// <summary>The keys a read asks for.</summary>
    public KeySpan SpanOf(Api.Read read) => read.Single
        ? KeySpan.Only(new Key(read.Start.Memory))
        : new KeySpan(new Key(read.Start.Memory), new Key(read.End.Memory));

    public Api.Response NotLeader()
    {
        var leader = Paxos.Leader == _options.Self ? NodeId.None : Paxos.Leader;
        return new Api.Response
        {
            NotLeader = new Api.NotLeader
            {
                Leader = leader.Value,
                Address = _step.Nodes.ClientAddressOf(leader),
            },
        };
    }

    /// <summary>Serves a client's request, now or as soon as the lease is held.</summary>
    public void Handle(RequestId request, Api.Request body)
    {
        if (State.IsAbsent || Paxos.Role != PaxosRole.Leader)
        {
            _step.Answer(request, NotLeader());
        }
        else if (Leader is null || !HoldsLease)
        {
            _waiting.Add((request, body, null));
        }
        else
        {
            Serve(Leader, request, body);
        }
    }

    /// <summary>Serves a message about a transaction, now or as soon as the lease is held. False if this is not the leader.</summary>
    public bool Handle(NodeMessage.ToLeader message)
    {
        if (State.IsAbsent || Paxos.Role != PaxosRole.Leader)
        {
            return false;
        }

        if (Leader is null || !HoldsLease)
        {
            _waiting.Add((default, null, message));
        }
        else
        {
            Serve(Leader, message);
        }

        return true;
    }

    /// <summary>
    /// Applies what may be exposed. Every replica checks with its own clock that a version's timestamp has passed (time.md §3), so
    /// neither a new leader nor a recovering node can show it early. Returns the splits that were applied.
    /// </summary>
    public IReadOnlyList<RangeCommand.Split> ApplyReady()
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
                OnSplit();
            }
        }

        return splits ?? (IReadOnlyList<RangeCommand.Split>)[];
    }

    /// <summary>Begins or ends the leader's part as its term does, and serves what waited for it.</summary>
    public void UpdateLeader()
    {
        if (Leader is { } old && (Paxos.Role != PaxosRole.Leader || Paxos.Ballot != old.Term))
        {
            Leader = null;
            old.End();
            EndClosing("The range's leader changed.");
        }

        if (Paxos.Role != PaxosRole.Leader)
        {
            _leaseAsked = false;
            foreach (var (request, body, _) in Taken(_waiting))
            {
                if (body is not null)
                {
                    _step.Answer(request, NotLeader());
                }
            }

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
    /// At a tick: asks for a lease if transactions are left that only a leader with one can bring to their end. One that fell
    /// asleep over them would leave their locks in everybody's way until somebody happened to ask for the range.
    /// </summary>
    public bool WakesForBusiness()
    {
        _hasBusiness = Paxos.Role == PaxosRole.Leader && !HoldsLease
            && (State.Prepared.Count + State.Staged.Count > 0 || Leader is { IsBusy: true });
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

    private void Serve(RangeLeader leader, RequestId request, Api.Request body)
    {
        switch (body.BodyCase)
        {
            case Api.Request.BodyOneofCase.Read when !Serves(SpanOf(body.Read)):
            case Api.Request.BodyOneofCase.Commit when !Serves(body.Commit.Parts[0]) && !leader.AnswersDecided(request, body.Commit):
            case Api.Request.BodyOneofCase.Split when !Serves(KeySpan.Only(new Key(body.Split.At.Memory))):
                _step.Answer(request, WrongRange());
                break;
            case Api.Request.BodyOneofCase.Read:
                leader.Read(request, body);
                break;
            case Api.Request.BodyOneofCase.Commit when Serves(body.Commit.Parts[0]):
                leader.Commit(request, body.Commit);
                break;
            case Api.Request.BodyOneofCase.Rollback:
                leader.OnRollback(Responses.Identify(body.Rollback.Transaction));
                _step.Answer(request, Responses.Done());
                break;
            case Api.Request.BodyOneofCase.KeepAlive:
                _step.Answer(request, leader.OnKeepAlive(Responses.Identify(body.KeepAlive.Transaction))
                    ? Responses.Done()
                    : Responses.Aborted("The transaction holds nothing here any more."));
                break;
            case Api.Request.BodyOneofCase.Split:
                BeginSplit(leader, request, body.Split);
                break;
            case Api.Request.BodyOneofCase.TransferLeadership:
                BeginTransfer(leader, request, new NodeId(body.TransferLeadership.To));
                break;
        }
    }

    private static void Serve(RangeLeader leader, NodeMessage.ToLeader message)
    {
        switch (message)
        {
            case NodeMessage.Prepare m:
                leader.OnPrepare(m);
                break;
            case NodeMessage.Vote m:
                leader.OnVote(m);
                break;
            case NodeMessage.Resolve m:
                leader.OnResolve(m);
                break;
            case NodeMessage.Resolved m:
                leader.OnResolvedBy(m);
                break;
            case NodeMessage.Inquire m:
                leader.OnInquire(m);
                break;
            case NodeMessage.QueryPrepare m:
                leader.OnQueryPrepare(m);
                break;
            case NodeMessage.Prevented m:
                leader.OnPrevented(m);
                break;
        }
    }

    /// <summary>Whether the range serves all of the keys.</summary>
    public bool Serves(KeySpan keys) => !State.Descriptor.IsRetired && State.Descriptor.Span.Contains(keys);

    private bool Serves(Api.Part part) => part.Writes.All(write => Serves(KeySpan.Only(new Key(write.Key.Memory))));

    private Api.Response WrongRange() => new() { WrongRange = _directory() };

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
