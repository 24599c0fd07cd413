using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Message = Membership.Message;

/// <summary>Short stories about members, each of which a rule is needed for (gossip.md §2.5).</summary>
public static class MembershipPlots
{
    private static readonly Duration s_deadline = Duration.FromSeconds(60);

    /// <summary>Drawn faults, replays, crashes and lost disks; then the truth must be found.</summary>
    public static MembershipWorld Storm(ulong seed, MembershipOptions options, int nodes = 6, int newcomers = 1)
    {
        var world = new MembershipWorld(seed, new MembershipCast
        {
            Nodes = nodes, Newcomers = newcomers, Options = options, Plan = FaultPlan.Swarm(seed), IsHostile = true, MayLoseDisks = true,
        });
        world.Run(Duration.FromSeconds(6), s_deadline);
        return world;
    }

    /// <summary>One of eight dies in calm weather: it is found by a probe, confirmed by others, told to all, and nobody doubts himself.</summary>
    public static void OneDies(ulong seed, MembershipOptions options)
    {
        var (world, _) = Begin(seed, options, 8);
        world.Crash(Any(world));
        var crashed = world.World.Elapsed;
        world.Judge.Believed = (node, _) => world.Expect(world.At(node)!.Health == 0, "HealthyStayHealthy", $"{node}");
        world.Await("all see a crash", s_deadline);

        // Unconfirmed it takes 30 periods, confirmed five, and finding it a few. Neither waits for the next comparison of tables.
        var most = options.Period * 24;
        world.Expect(world.World.Elapsed - crashed <= most, "DeathIsKnownSoon", $"after {world.World.Elapsed - crashed}");
    }

    /// <summary>Two cannot reach each other, and the others can reach both: nobody is suspected.</summary>
    public static void TwoAreApart(ulong seed, MembershipOptions options) => Calm(
        Begin(seed, options, 5), links => links.IsCut = (from, to) => (from.Value, to.Value) is (1, 2) or (2, 1), options.Period * 60);

    /// <summary>No packet gets through between two, as behind a bad firewall, and nobody can help: the stream says that they live.</summary>
    public static void PacketsAreLost(ulong seed, MembershipOptions options) =>
        Calm(Begin(seed, options, 2), links => links.IsDeaf = static (_, _) => true, options.Period * 20);

    /// <summary>
    /// A process sleeps over its own time-outs, with answers waiting for it: it must not blame others, and refutes in time what they say of
    /// it.
    /// </summary>
    public static void OneSleeps(ulong seed, MembershipOptions options)
    {
        var (world, links) = Begin(seed, options, 5);
        var (sleeper, until) = (Any(world), Duration.Zero);
        links.BusyUntil = node => node == sleeper ? until : Duration.Zero;
        for (var nap = 0; nap < 40; nap++)
        {
            until = world.World.Elapsed + options.Period * 3;
            world.Cluster.Pause(sleeper, options.Period * 3);
            world.Judge.Believed = (node, member) => world.Expect(
                node != sleeper || member.Status != MemberStatus.Suspect || IsHearsay(world, node, member.Id),
                "SleepersBlameNobody",
                $"{node} believes {member}");
            world.World.RunUntil(until + options.Period * 4 + new Duration(world.World.Random.Below(options.Period.Nanoseconds)));
        }

        world.Judge.Believed = null;
        world.Await("all see all", s_deadline);
        world.Expect(world.Deaths == 0, "SleepersRefute", $"{world.Deaths} deaths");
    }

    /// <summary>Halves are cut off until each has buried the other; then the links work again.</summary>
    public static void HalvesPart(ulong seed, MembershipOptions options, int nodes = 6, Duration? apart = null)
    {
        var (world, links) = Begin(seed, options, nodes);
        links.IsCut = (from, to) => from.Value <= nodes / 2 != to.Value <= nodes / 2;
        world.World.RunUntil(world.World.Elapsed + (apart ?? options.Period * 80));
        foreach (var node in world.Cluster.Nodes)
        {
            world.Expect(world.At(node)!.LiveCount == nodes / 2, "HalvesBuryEachOther", $"{node} sees {world.At(node)!.LiveCount}");
        }

        links.IsCut = static (_, _) => false;
        world.Await("the halves are one again", s_deadline);
    }

    /// <summary>A newcomer is told of while one member is cut off; its news is old when that one is back.</summary>
    public static void OneMissesNews(ulong seed, MembershipOptions options)
    {
        var world = new MembershipWorld(seed, new MembershipCast { Nodes = 5, Newcomers = 1, Options = options });
        var links = new MembershipLinks(world);
        world.Cluster.Network.Route = links;
        var (newcomer, deaf) = (new NodeId(6), new NodeId(3));
        for (var number = 1; number <= 5; number++)
        {
            world.Cluster.StartAfter(new NodeId(number), Duration.Zero);
        }

        world.World.RunUntil(options.Period * 2);

        // Whatever gossip says of the newcomer does not reach it; all else does.
        links.IsKept = (_, to, message) => to == deaf && message is not Message.Sync && message.Updates.Any(update => update.Member == newcomer);
        world.Cluster.StartAfter(newcomer, Duration.Zero);
        world.World.RunUntil(options.Period * 8);
        links.IsKept = null;
        world.Await("the one who missed it knows", options.SyncInterval * 20);
    }

    /// <summary>A few join at once and say much of themselves, in packets that hold little.</summary>
    public static void ManyJoin(ulong seed, MembershipOptions options, int newcomers = 8)
    {
        var world = new MembershipWorld(seed, new MembershipCast { Nodes = 2, Newcomers = newcomers, Options = options });
        world.Cluster.Network.Route = new MembershipLinks(world);
        world.Cluster.Start();
        world.Await("all see all", s_deadline);
    }

    /// <summary>One says goodbye: nobody suspects it, and nobody holds it for dead.</summary>
    public static void OneLeaves(ulong seed, MembershipOptions options)
    {
        var (world, _) = Begin(seed, options, 5);
        var leaver = Any(world);
        world.Judge.Believed = (node, member) =>
            world.Expect(member.Status == MemberStatus.Left, "LeaverHasLeft", $"{node} believes {member}");
        world.Leave(leaver);
        world.Await("all see a goodbye", s_deadline);
        world.World.RunUntil(world.World.Elapsed + options.Period * 40);
    }

    /// <summary>One is dead to the others before a sleeper wakes up, who has not heard: the sleeper must not bring it back.</summary>
    public static void OneSleepsOverADeath(ulong seed, MembershipOptions options)
    {
        var (world, links) = Begin(seed, options, 6);
        var (dead, sleeper) = (new NodeId(2), new NodeId(5));
        world.Crash(dead);
        var until = world.World.Elapsed + options.Period * 60;
        links.BusyUntil = node => node == sleeper ? until : Duration.Zero;
        world.Cluster.Pause(sleeper, options.Period * 60);
        var buried = new SortedSet<NodeId>();
        world.Judge.Believed = (node, member) =>
        {
            if (member.Id == dead)
            {
                world.Expect(member.Status == MemberStatus.Dead || !buried.Contains(node), "DeadStayDead", $"{node} believes {member}");
                _ = member.Status == MemberStatus.Dead && buried.Add(node);
            }
        };
        world.World.RunUntil(until);
        world.Await("all see the truth", s_deadline);
    }

    /// <summary>Liars who have the key: strangers, absurd incarnations, old answers of the dead, answers in the name of others.</summary>
    public static void SomeLie(ulong seed, MembershipOptions options)
    {
        var (world, _) = Begin(seed, options, 5);
        var (dead, liar, ghost) = (new NodeId(2), new NodeId(4), new NodeId(77));
        Message? lastAck = null;
        world.Judge.Sent = (from, to, message) =>
        {
            lastAck = from == dead && message is Message.Ack ? message : lastAck;
            if (message is Message.Ping { Target: var target, Sequence: var sequence, Transport: Transport.Datagram } && target == dead && !world.Cluster.IsUp(dead))
            {
                // No helper was asked yet, so the answer could come from the dead alone.
                world.Cluster[from].Receive(from == liar ? new NodeId(5) : liar, new Message.Ack(sequence));
                if (lastAck is not null)
                {
                    world.Cluster[from].Receive(dead, lastAck);
                }
            }
        };
        world.World.RunUntil(world.World.Elapsed + options.Period * 10);
        world.Crash(dead);
        var victim = new NodeId(1);
        var absurd = world.World.TrueTime.Nanoseconds / 1_000_000 + 2 * options.IncarnationLead.Milliseconds;
        Tell(new Update(ghost, MemberStatus.Suspect, 1, null, 0, [liar]));
        Tell(new Update(ghost, MemberStatus.Dead, 1, null, 0, []));
        Tell(new Update(new NodeId(3), MemberStatus.Suspect, absurd, null, 0, [liar]));
        Tell(new Update(new NodeId(3), MemberStatus.Dead, absurd, null, 0, []));
        Tell(new Update(victim, MemberStatus.Alive, absurd, MembershipWorld.Address(victim), absurd, []));
        world.Await("all see the truth", s_deadline);

        void Tell(Update update) => world.Cluster[victim].Receive(liar, new Message.Gossip { Updates = [update] });
    }

    private static bool IsHearsay(MembershipWorld world, NodeId node, NodeId suspect) =>
        world.At(node)!.Accusers(suspect) is { Count: > 0 } accusers && accusers[0] != node;

    private static (MembershipWorld World, MembershipLinks Links) Begin(ulong seed, MembershipOptions options, int nodes)
    {
        var world = new MembershipWorld(seed, new MembershipCast { Nodes = nodes, Options = options });
        var links = new MembershipLinks(world);
        world.Cluster.Network.Route = links;
        world.Cluster.Start();
        world.World.RunUntil(options.Period * 2);
        return (world, links);
    }

    private static void Calm((MembershipWorld World, MembershipLinks Links) stage, Action<MembershipLinks> trouble, Duration length)
    {
        trouble(stage.Links);
        stage.World.World.RunUntil(stage.World.World.Elapsed + length);
        stage.World.Expect(stage.World.Suspicions == 0, "NobodyIsSuspected", $"{stage.World.Suspicions} suspicions");
    }

    private static NodeId Any(MembershipWorld world) => world.Cluster.Nodes[world.World.Random.Below(world.Cluster.Nodes.Count)];
}
