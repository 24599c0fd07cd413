using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Command = Membership.Command;
using Message = Membership.Message;
using Record = Membership.Record;
using Result = Membership.Result;

/// <summary>
/// Watches what members believe of each other and what they send, and objects to what no schedule of faults excuses: beliefs that go
/// back, incarnations that the member never used, deaths without a suspicion, packets that are too large.
/// </summary>
internal sealed class MembershipJudge(SimulatedWorld world, MembershipOptions options) : NodeWatcher<Message, Record, Command, Result>
{
    private readonly SortedDictionary<(NodeId Observer, NodeId Member), Member> _beliefs = [];
    private readonly SortedDictionary<NodeId, long> _used = [];
    private readonly SortedDictionary<NodeId, long> _believed = [];
    private readonly SortedSet<NodeId> _restarting = [];
    private readonly SortedSet<NodeId> _wiped = [];
    private readonly SortedDictionary<(NodeId Member, long Incarnation), Duration> _suspected = [];
    private readonly SortedDictionary<NodeId, SortedDictionary<NodeId, long>> _probes = [];
    private readonly SortedDictionary<NodeId, long> _periods = [];
    private readonly SortedDictionary<NodeId, (Duration At, int Health)> _lastPeriod = [];
    private readonly CodecWriter _writer = new();
    private readonly Membership.MessageWire _wire = new();
    private NodeId _inPeriod;

    /// <summary>The protocol that runs on a node.</summary>
    public required Func<NodeId, Membership?> Protocol { get; init; }

    /// <summary>Called with everything that a node comes to believe.</summary>
    public Action<NodeId, Member>? Believed { get; set; }

    /// <summary>Called for each message that leaves.</summary>
    public Action<NodeId, NodeId, Message>? Sent { get; set; }

    /// <summary>Nobody else exists.</summary>
    public required int Nodes { get; init; }

    /// <summary>So many are named by the roster, at incarnation 1.</summary>
    public required int Named { get; init; }

    public long Suspicions { get; private set; }

    public long Deaths { get; private set; }

    /// <summary>What a node's disk held is lost on purpose: its next start may not exceed its past.</summary>
    public void Wiped(NodeId node) => _wiped.Add(node);

    public override void OnBoot(NodeId node, long boot)
    {
        _ = boot > 1 && _restarting.Add(node);
        _lastPeriod.Remove(node);
        _probes.Remove(node);
        foreach (var belief in _beliefs.Keys.Where(key => key.Observer == node).ToList())
        {
            _beliefs.Remove(belief);
        }
    }

    public override void OnFiring(NodeId node, TimerId timer)
    {
        var isPeriod = timer.Kind == (int)Membership.Timer.Period && options.Detector == FailureDetector.Probes;
        _inPeriod = isPeriod ? node : NodeId.None;
    }

    public override void OnReceiving(NodeId node, NodeId from, byte[] frame, Message message) => _inPeriod = NodeId.None;

    public override void OnStepped(NodeId node, Outbox<Message, Record, Command, Result> outbox)
    {
        var protocol = Protocol(node);
        if (protocol is null)
        {
            return;
        }

        if (_restarting.Remove(node))
        {
            Check(
                _wiped.Remove(node) || protocol.Incarnation > _believed.GetValueOrDefault(node),
                "RestartExceedsPast",
                node,
                $"starts at {protocol.Incarnation}, but {_believed.GetValueOrDefault(node)} is known");
        }

        _used[node] = Math.Max(_used.GetValueOrDefault(node), protocol.Incarnation);
        foreach (ref readonly var executed in outbox.Executions)
        {
            if (executed.Command is Command.Changed changed)
            {
                Judge(node, changed.Member);
            }
        }

        foreach (ref readonly var sent in outbox.Messages)
        {
            Judge(node, protocol, sent.To, sent.Message);
        }

        _inPeriod = NodeId.None;
    }

    private long Used(NodeId member) => _used.GetValueOrDefault(member, member.Value <= Named ? 1 : 0);

    private void Judge(NodeId observer, Member member)
    {
        Check(member.Id.Value <= Nodes, "NoGhosts", observer, $"believes in {member}");
        Check(
            member.Incarnation <= Used(member.Id),
            Membership.OnlySelfRaises,
            observer,
            $"believes {member}, who is at {Used(member.Id)} itself");
        if (_beliefs.TryGetValue((observer, member.Id), out var held))
        {
            Check(
                (member.Incarnation, member.Status).CompareTo((held.Incarnation, held.Status)) >= 0,
                Membership.PrecedenceHolds,
                observer,
                $"goes from {held} to {member}");
        }

        _beliefs[(observer, member.Id)] = member;
        _believed[member.Id] = Math.Max(_believed.GetValueOrDefault(member.Id), member.Incarnation);
        _probes.Remove(observer);
        if (member.Status == MemberStatus.Suspect)
        {
            Suspicions++;
            _suspected.TryAdd((member.Id, member.Incarnation), world.Elapsed);
        }
        else if (member.Status == MemberStatus.Dead)
        {
            // Clocks may run fast by a little.
            Deaths++;
            var least = new Duration(options.Period.Nanoseconds * options.SuspicionPeriods / 1_000 * 999);
            Check(
                _suspected.TryGetValue((member.Id, member.Incarnation), out var since) && world.Elapsed - since >= least,
                "DeadWasSuspect",
                observer,
                $"believes {member}, suspected {(since == Duration.Zero ? "never" : $"at {since}")}");
        }

        Believed?.Invoke(observer, member);
    }

    private void Judge(NodeId from, Membership protocol, NodeId to, Message message)
    {
        Sent?.Invoke(from, to, message);
        if (message.Transport == Transport.Datagram)
        {
            _writer.Clear();
            _wire.Write(_writer, message);
            Check(_writer.Length <= options.DatagramBytes, "DatagramsFit", from, $"{_writer.Length} bytes: {message}");
        }

        if (message is Message.Ping ping && options.Buddy && protocol.Find(to)?.Status == MemberStatus.Suspect)
        {
            Check(ping.Updates.Any(update => update.Member == to), "SuspectIsTold", from, $"{ping}");
        }

        if (message is Message.Ping { Transport: Transport.Datagram } && _inPeriod == from)
        {
            CountProbe(from, protocol, to);
        }
    }

    /// <summary>
    /// Periods as long as health says, and at most 2N-1 of them from one probe of a member to the next (gossip.md §2.2), for as long as the
    /// view stays the same.
    /// </summary>
    private void CountProbe(NodeId from, Membership protocol, NodeId to)
    {
        // A node of bad health takes its time.
        if (_lastPeriod.TryGetValue(from, out var before))
        {
            Check(
                (world.Elapsed - before.At).Nanoseconds >= options.Period.Nanoseconds * 94 / 100 * (before.Health + 1),
                "HealthSlowsProbes",
                from,
                $"a period of {world.Elapsed - before.At} at health {before.Health}");
        }

        _lastPeriod[from] = (world.Elapsed, protocol.Health);
        var number = _periods[from] = _periods.GetValueOrDefault(from) + 1;
        if (!_probes.TryGetValue(from, out var last))
        {
            last = _probes[from] = [];
            foreach (var member in protocol.Members.Where(member => member.IsLive && member.Id != from))
            {
                last[member.Id] = number - 1;
            }
        }

        last[to] = number;
        var others = last.Count;
        foreach (var (member, at) in last)
        {
            Check(number - at <= 2 * others - 1, "ProbesTakeTurns", from, $"{member} was not probed in {number - at} periods of {others} others");
        }
    }

    private void Check(bool holds, string name, NodeId node, string detail)
    {
        if (!holds)
        {
            throw world.Failure(name, node, detail);
        }
    }
}
