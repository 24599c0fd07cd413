using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Lab.Worlds;

/// <summary>
/// A cluster whose every delay and fault is drawn from a seed: loss, duplication, reordering, partitions, crashes that lose a
/// suffix of what is not yet durable, pauses, lagging and unflushed state, checkpoints, clocks anywhere inside their bound.
/// Checked throughout: agreement and validity of what is executed, disjoint leases in true time, reads that see everything
/// acknowledged before.
/// </summary>
internal sealed partial class MultiPaxosWorld : ReplicaGroup
{
    private const long Millisecond = 1_000_000;

    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly Dictionary<RequestId, Slot> _reads = [];
    private readonly HashSet<NodeId> _paused = [];
    private readonly HashSet<NodeId> _syncing = [];
    private readonly HashSet<(NodeId, int)> _checkpointing = [];
    private readonly HashSet<(NodeId, NodeId)> _cutLinks = [];
    private NodeSet _side;
    private bool _faults = true;
    private long _order;
    private int _values;
    private readonly bool _stormy;
    private readonly AcceptorHistory _acceptors;

    /// <param name="quorums">The members and their quorums.</param>
    /// <param name="options">Those of every replica.</param>
    /// <param name="seed">Everything is drawn from it.</param>
    /// <param name="stormy">Slow disks, very late messages, a crash or an election every few milliseconds.</param>
    public MultiPaxosWorld(QuorumSystem quorums, MultiPaxosOptions options, ulong seed, bool stormy = false)
        : base(quorums, options, seed)
    {
        _acceptors = new AcceptorHistory(quorums);
        _stormy = stormy;
        foreach (var replica in Replicas.Values)
        {
            replica.Skew = DrawSkew();
        }

        StartAll();
    }

    public int LeasesSeen { get; private set; }

    public int ReadsAnswered { get; private set; }

    public int SnapshotsSent { get; private set; }

    public int Crashes { get; private set; }

    public static MultiPaxosOptions Options(MultiPaxosMutation mutation = MultiPaxosMutation.None) => new()
    {
        HeartbeatInterval = Duration.FromMilliseconds(20),
        ElectionTimeout = Duration.FromMilliseconds(100),
        LeaseDuration = Duration.FromMilliseconds(300),
        RetainedSlots = 12,
        ChunkEntries = 3,
        ChunkBytes = 64,
        IdleHeartbeats = 5,
        Mutation = mutation,
    };

    /// <summary>Without leases and pre-votes, so that leaders change as fast as they can.</summary>
    public static MultiPaxosOptions Duelling(MultiPaxosMutation mutation) => Options(mutation) with
    {
        HeartbeatInterval = Duration.FromMilliseconds(10),
        ElectionTimeout = Duration.FromMilliseconds(40),
        LeasesEnabled = false,
        PreVoteEnabled = false,
    };

    /// <summary>Runs with faults for <paramref name="length"/>, then without, and demands that everyone agrees on something new.</summary>
    public void Run(Duration length)
    {
        In(0, Client);
        In(5 * Millisecond, Fault);
        RunFor(length);
        Heal();
        RunFor(Duration.FromSeconds(3));
        Converge();
    }

    /// <summary>As <see cref="Run"/>, but leaves only a moment for what went wrong to show.</summary>
    public void RunBriefly(Duration length)
    {
        In(0, Client);
        In(5 * Millisecond, Fault);
        RunFor(length);
        Heal();
        RunFor(Duration.FromMilliseconds(500));
    }

    public override void Send(NodeId from, NodeId to, Message message)
    {
        _acceptors.Told(from, Replicas[from].Life, message);
        SnapshotsSent += message is Message.InstallSnapshot ? 1 : 0;
        if (from == to)
        {
            // The host delivers these itself: not lost, but like all else at a later step.
            var life = Replicas[to].Life;
            In(1, () => Receive(from, to, message, life));
            return;
        }

        if (_faults && (Cut(from, to) || Random.Below(100) < 3))
        {
            return;
        }

        var copies = _faults && Random.Below(100) < 5 ? 2 : 1;
        for (; copies > 0; copies--)
        {
            var delay = Random.Between(100, 2_999) * 1_000L;
            delay = _faults && Random.Below(100) < (_stormy ? 12 : 3) ? delay * Random.Between(10, _stormy ? 59 : 199) : delay;
            In(delay, () => Receive(from, to, message, 0));
        }
    }

    public override void TimerSet(Replica replica, TimerId timer, Instant due)
    {
        var life = replica.Life;
        var wait = Math.Max(0, due.Nanoseconds - replica.Monotonic.Nanoseconds);
        In(wait, () => Fire(replica, timer, due, life));
    }

    public override void Stepped(Replica replica)
    {
        base.Stepped(replica);
        if (replica.UndurableCount > 0 && _syncing.Add(replica.Id))
        {
            var life = replica.Life;
            In(Random.Between(20, !_faults ? 499 : _stormy ? 14_999 : 3_999) * 1_000L, () => Sync(replica, life));
        }

        CheckLeases();
    }

    public override void Hardened(NodeId node, Record record) => _acceptors.Wrote(node, record);

    public override void Answered(Replica replica, RequestId request, Result result)
    {
        base.Answered(replica, request, result);
        if (result is Result.ReadReady ready)
        {
            ReadsAnswered++;
            var least = _reads[request];
            Invariant.Check(ready.Slot >= least, "ReadSeesAcknowledged", $"a read at {ready.Slot} misses {least}, acknowledged before it began");
        }
    }

    /// <summary>Validity: accepted by a replicating quorum in one ballot, on disks; whatever they forgot since.</summary>
    protected override void FirstExecuted(Replica replica, Slot slot, string text) => Invariant.Check(
        _acceptors.IsChosen(slot, text), "ExecutedIsChosen", $"{replica.Id} executed '{text}' in {slot}, which no quorum accepted");

    private void In(long delay, Action action) => _events.Enqueue(action, (Now + delay, _order++));

    private void RunFor(Duration length)
    {
        var end = Now + length.Nanoseconds;
        while (Now < end)
        {
            Next();
        }
    }

    private void Next()
    {
        _events.TryDequeue(out var action, out var at);
        Now = Math.Max(Now, at.At);
        action!();
    }

    private void Receive(NodeId from, NodeId to, Message message, int life)
    {
        var replica = Replicas[to];
        if (_paused.Contains(to))
        {
            In(5 * Millisecond, () => Receive(from, to, message, life));
        }
        else if (replica.IsUp && (life == 0 || life == replica.Life))
        {
            replica.Receive(from, message);
        }
    }

    private void Fire(Replica replica, TimerId timer, Instant due, int life)
    {
        if (_paused.Contains(replica.Id))
        {
            In(5 * Millisecond, () => Fire(replica, timer, due, life));
        }
        else if (replica.IsUp && replica.Life == life && replica.Timers.TryGetValue(timer, out var set) && set == due)
        {
            replica.Fire(timer);
        }
    }

    private void Sync(Replica replica, int life)
    {
        if (replica.IsUp && replica.Life == life)
        {
            _syncing.Remove(replica.Id);
            replica.Fsync(Random.Below(4) == 0 ? Random.Below(replica.UndurableCount + 1) : int.MaxValue);
            Stepped(replica);
        }
    }

    private void Client()
    {
        In(Random.Below(!_faults ? 60_000 : _stormy ? 3_000 : 12_000) * 1_000L, Client);
        var up = Replicas.Values.Where(replica => replica.IsUp && !_paused.Contains(replica.Id)).ToList();
        if (up.Count == 0)
        {
            return;
        }

        var leaders = up.FindAll(replica => replica.Paxos.Role == PaxosRole.Leader);
        var pool = leaders.Count > 0 && Random.Below(4) > 0 ? leaders : up;
        var target = pool[Random.Below(pool.Count)];
        switch (Random.Below(_faults ? 12 : 4))
        {
            case 0:
                var least = Slot.None;
                foreach (var replica in up.Where(replica => replica.Paxos.Role == PaxosRole.Leader))
                {
                    least = Slot.Max(least, replica.Paxos.LastCommand);
                }

                SubmitRead(target, least);
                break;
            case 1:
                Submit(target.Id.Value, new Command.AcquireLease());
                break;
            case 4 when Random.Below(10) == 0:
                Submit(target.Id.Value, new Command.Transfer(up[Random.Below(up.Count)].Id));
                break;
            default:
                Propose(target.Id.Value, $"v{++_values}");
                break;
        }
    }

    // The read must be known before it is submitted: it may be answered in the same step.
    private void SubmitRead(Replica target, Slot least)
    {
        _reads[Peek()] = least;
        Submit(target.Id.Value, new Command.ReadIndex());
    }

    private Duration DrawSkew() => new(Random.Between(-ClockBound.Nanoseconds, ClockBound.Nanoseconds));

    private void CheckLeases()
    {
        var holders = Replicas.Values.Where(replica => replica.HoldsLease).ToList();
        LeasesSeen += holders.Count;
        Invariant.Check(holders.Count <= 1, "LeasesAreDisjoint", $"{string.Join(", ", holders.Select(replica => replica.Id))}");
        if (holders.Count == 1)
        {
            var known = Agreed.Count == 0 ? Slot.None : Agreed.Keys.Last();
            Invariant.Check(
                holders[0].Paxos.Executed >= known, "LeaseholderIsCurrent", $"the holder of the lease is at {holders[0].Paxos.Executed}, but {known} is executed");
        }
    }

    private void Heal()
    {
        _faults = false;
        _side = NodeSet.Empty;
        _cutLinks.Clear();
        _paused.Clear();
        foreach (var replica in Replicas.Values)
        {
            Revive(replica);
        }
    }

    private void Converge()
    {
        // Without pre-votes a leader may still be unseated at this moment, so the client tries again.
        for (var tries = 0; tries < 5 && !Agreed.ContainsValue("last"); tries++)
        {
            var leader = Replicas.Values.FirstOrDefault(replica => replica.Paxos.IsReady);
            Invariant.Check(leader is not null, "LeaderAfterFaults", $"{string.Join('\n', Replicas.Values)}");
            Propose(leader.Id.Value, "last");
            RunFor(Duration.FromSeconds(1));
        }

        Invariant.Check(Agreed.ContainsValue("last"), "ProgressAfterFaults");
        foreach (var replica in Replicas.Values)
        {
            Invariant.Check(replica.State.Commands.Values.Contains("last"), "EveryoneCatchesUp", $"{replica}");
        }
    }
}
