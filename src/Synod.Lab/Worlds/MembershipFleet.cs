using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Command = Membership.Command;
using Message = Membership.Message;
using Record = Membership.Record;
using Result = Membership.Result;

/// <summary>
/// Many members that know each other from the start, to be measured: what they send, how soon they know of deaths, and whom they
/// take for dead without reason.
/// </summary>
public sealed class MembershipFleet : NodeWatcher<Message, Record, Command, Result>, IRoute, IEventTarget
{
    private readonly SimulatedCluster<Message, Record, Command, Result> _cluster;
    private readonly SeededRandom _random;
    private readonly bool[] _isDead;
    private readonly bool[] _wasStarved;
    private readonly long[] _busyUntil;
    private readonly int[] _deathsSeen;
    private readonly Duration?[] _suspectedAt;
    private (Duration Busy, Duration Free) _starving;

    /// <param name="nodes">How many there are, numbered from 1.</param>
    /// <param name="lossPerMillion">Packets that are lost.</param>
    public MembershipFleet(ulong seed, int nodes, MembershipOptions options, int lossPerMillion = 0)
    {
        (Count, LossPerMillion) = (nodes, lossPerMillion);
        World = new SimulatedWorld(seed);
        _random = World.Random.Fork();
        (_isDead, _wasStarved, _busyUntil, _deathsSeen) = (new bool[nodes + 1], new bool[nodes + 1], new long[nodes + 1], new int[nodes + 1]);
        _suspectedAt = new Duration?[nodes + 1];
        var roster = Roster.Numbered(nodes);
        _cluster = new(World, new SimulatedNetwork(World) { Route = this }, new()
        {
            Nodes = [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))],
            Create = start => new Membership(start.Self, MembershipWorld.Address(start.Self), options, roster),
            Messages = new Membership.MessageWire(),
            Records = new Membership.RecordWire(),
            Machine = new MachineConditions { SlowSyncPerMillion = 0 },
            SegmentBytes = 8 << 10,
            Watcher = this,
        });
        foreach (var node in _cluster.Nodes)
        {
            _cluster.StartAfter(node, Duration.Zero);
        }

        World.RunUntil(Duration.Zero);
    }

    public SimulatedWorld World { get; }

    public int Count { get; }

    public int LossPerMillion { get; set; }

    /// <summary>Bytes of messages that left, without headers of the network.</summary>
    public long Bytes { get; private set; }

    public long Messages { get; private set; }

    /// <summary>Times that somebody took a member for dead that was there, and had time, all along.</summary>
    public long FalseDeaths { get; private set; }

    /// <summary>Of these, by members that had time all along themselves.</summary>
    public long FalseDeathsAtHealthy { get; private set; }

    /// <summary>Times that somebody came to suspect a member that was there, and had time, all along.</summary>
    public long FalseSuspicions { get; private set; }

    public void Run(Duration time) => World.RunUntil(World.Elapsed + time);

    /// <summary>A member dies for good.</summary>
    public void Kill(int number)
    {
        _cluster.Crash(new NodeId(number));
        _isDead[number] = true;
    }

    /// <summary>When somebody first suspected a member; null if nobody did.</summary>
    public Duration? SuspectedAt(int number) => _suspectedAt[number];

    /// <summary>Whether every live member knows that these are dead.</summary>
    public bool AllKnow(params ReadOnlySpan<int> dead)
    {
        var live = Count - _isDead.Count(isDead => isDead);
        foreach (var number in dead)
        {
            if (_deathsSeen[number] < live)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Runs until every live member knows of these deaths; how long it took, or null.</summary>
    public Duration? AwaitDeath(Duration deadline, params ReadOnlySpan<int> dead)
    {
        var (start, step) = (World.Elapsed, Duration.FromMilliseconds(100));
        while (!AllKnow(dead))
        {
            if (World.Elapsed - start > deadline)
            {
                return null;
            }

            Run(step);
        }

        return World.Elapsed - start;
    }

    /// <summary>
    /// From now on these members are starved of time: busy for a while, with their mail waiting and their timers late, then free for a
    /// moment, and so on.
    /// </summary>
    public void Starve(Duration busy, Duration free, params ReadOnlySpan<int> numbers)
    {
        _starving = (busy, free);
        foreach (var number in numbers)
        {
            _wasStarved[number] = true;
            World.After(_random.Between(Duration.Zero, busy), this, 0, number);
        }
    }

    public void Handle(in SimulatedEvent happened)
    {
        var busy = _random.Between(_starving.Busy / 2, _starving.Busy * 3 / 2);
        _busyUntil[happened.Argument] = World.Now + busy.Nanoseconds;
        _cluster.Pause(new NodeId((int)happened.Argument), busy);
        World.After(busy + _random.Between(Duration.Zero, _starving.Free), this, 0, happened.Argument);
    }

    public Duration? Delay(int from, int to, byte[] frame)
    {
        Messages++;
        Bytes += frame.Length - sizeof(ulong);
        var isDatagram = Membership.MessageWire.TransportOf(frame) == Transport.Datagram;
        if (isDatagram && _random.Chance(LossPerMillion))
        {
            return null;
        }

        // A stream sends again what is lost, and is late by that.
        var delay = 200_000 + _random.Below(800_000L);
        for (var retry = 0; !isDatagram && retry < 5 && _random.Chance(LossPerMillion); retry++)
        {
            delay += 200_000_000L << retry;
        }

        // When it has time again, its timers come first and its mail after that.
        var free = _busyUntil[to] - World.Now;
        return new Duration(delay < free ? free + 1_000_000 + _random.Below(20_000_000L) : delay);
    }

    public override void OnStepped(NodeId node, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (ref readonly var executed in outbox.Executions)
        {
            if (executed.Command is Command.Changed { Member: var member })
            {
                Note(node, member);
            }
        }
    }

    private void Note(NodeId observer, Member member)
    {
        var number = member.Id.Value;
        if (member.Status == MemberStatus.Suspect)
        {
            FalseSuspicions += _isDead[number] || _wasStarved[number] ? 0 : 1;
            _suspectedAt[number] ??= _isDead[number] ? World.Elapsed : null;
        }
        else if (member.Status == MemberStatus.Dead && _isDead[number])
        {
            _deathsSeen[number]++;
        }
        else if (member.Status == MemberStatus.Dead && !_wasStarved[number])
        {
            FalseDeaths++;
            FalseDeathsAtHealthy += _wasStarved[observer.Value] ? 0 : 1;
        }
    }
}
