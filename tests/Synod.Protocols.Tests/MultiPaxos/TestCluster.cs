using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>
/// Replicas by hand: messages lie on the wire until delivered, records are durable at once unless told otherwise, timers fire as time
/// is advanced.
/// </summary>
internal sealed class TestCluster(QuorumSystem quorums, MultiPaxosOptions? options = null)
    : ReplicaGroup(quorums, options ?? new MultiPaxosOptions(), seed: 1)
{
    private readonly QuorumSystem _quorums = quorums;

    public static TestCluster Majority(int count, MultiPaxosOptions? options = null) =>
        new(SizedQuorums.Majority(Members(count)), options);

    /// <summary>Whether records become durable in the step that persists them.</summary>
    public bool AutoFsync { get; set; } = true;

    /// <summary>What was sent and neither delivered nor lost.</summary>
    public List<(NodeId From, NodeId To, Message Message)> Wire { get; } = [];

    /// <summary>Delivers the oldest message that fits; it must exist.</summary>
    public Message Deliver(int from, int to, Func<Message, bool>? which = null)
    {
        var index = Wire.FindIndex(
            sent => sent.From.Value == from && sent.To.Value == to && (which is null || which(sent.Message)));
        Assert.True(index >= 0, $"nothing from {from} to {to} on the wire");
        var (source, target, message) = Wire[index];
        Wire.RemoveAt(index);
        Replicas[target].Receive(source, message);
        return message;
    }

    /// <summary>Delivers everything, and what it causes, among <paramref name="among"/>; the rest is lost.</summary>
    public void Settle(params int[] among)
    {
        var nodes = among.Length == 0 ? _quorums.Members : NodeSet.Of([.. among.Select(id => new NodeId(id))]);
        while (Wire.Count > 0)
        {
            var (from, to, message) = Wire[0];
            Wire.RemoveAt(0);
            if (nodes.Contains(from) && nodes.Contains(to) && Replicas[to].IsUp)
            {
                Replicas[to].Receive(from, message);
            }
        }
    }

    /// <summary>Lets time pass and fires what falls due, settling in between.</summary>
    public void Advance(Duration time, params int[] among)
    {
        var end = Now + time.Nanoseconds;
        while (NextTimer() is var (replica, timer, due) && replica is not null && due <= end)
        {
            Now = Math.Max(Now, due);
            replica.Fire(timer);
            Settle(among);
        }

        Now = end;
    }

    /// <summary>Makes <paramref name="id"/> the ready leader, with the votes of <paramref name="among"/>.</summary>
    public void Elect(int id, params int[] among)
    {
        Submit(id, new Command.Campaign());
        Settle(among);
        Assert.Equal(PaxosRole.Leader, this[id].Paxos.Role);
        Assert.True(this[id].Paxos.IsReady);
    }

    /// <summary>Elects in time: waits for leases to pass and timers to fire.</summary>
    public Replica AwaitLeader(params int[] among)
    {
        for (var tries = 0; tries < 400; tries++)
        {
            if (Replicas.Values.FirstOrDefault(replica => replica.IsUp && replica.Paxos.IsReady
                && (among.Length == 0 || among.Contains(replica.Id.Value))) is { } leader)
            {
                return leader;
            }

            Advance(Duration.FromMilliseconds(50), among);
        }

        throw new Xunit.Sdk.XunitException("no leader");
    }

    public override void Send(NodeId from, NodeId to, Message message) => Wire.Add((from, to, message));

    public override void Stepped(Replica replica)
    {
        base.Stepped(replica);
        if (AutoFsync && replica.UndurableCount > 0)
        {
            replica.Fsync();
        }
    }

    private (Replica? Replica, TimerId Timer, long Due) NextTimer()
    {
        (Replica?, TimerId, long Due) next = (null, default, long.MaxValue);
        foreach (var replica in Replicas.Values.Where(replica => replica.IsUp))
        {
            foreach (var (timer, due) in replica.Timers)
            {
                var at = due.Nanoseconds - (replica.Monotonic.Nanoseconds - Now);
                if (at < next.Due)
                {
                    next = (replica, timer, at);
                }
            }
        }

        return next;
    }
}
