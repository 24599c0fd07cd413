using System.Collections.Concurrent;
using System.Net;
using Synod.Core;
using Synod.Protocols.Gossip;

namespace Synod.Node.Tests;

/// <summary>Members in this process on real loopback sockets, and what each of them believes of the others.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    public const string Cluster = "crowd";

    private readonly ConcurrentDictionary<(NodeId Observer, NodeId Member), MemberStatus> _beliefs = new();
    private readonly SemaphoreSlim _changed = new(0);

    public string Key { get; } = ClusterKeys.Draw();

    public LogBook Book { get; } = new();

    public SortedDictionary<int, MemberHost> Members { get; } = [];

    /// <summary>Four times as fast as on a real network: the tests wait for what happens, and not for how long it takes.</summary>
    public MembershipOptions Options { get; init; } = new()
    {
        Period = Duration.FromMilliseconds(250),
        PingTimeout = Duration.FromMilliseconds(120),
        GossipInterval = Duration.FromMilliseconds(50),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async Task<MemberHost> StartAsync(int id, string? key = null, TestDisk? disk = null)
    {
        var node = new NodeId(id);
        var member = new MemberHost(
            new MemberHostOptions
            {
                Cluster = Cluster,
                Id = node,
                Keys = new ClusterKeys(key ?? Key),
                Disk = disk ?? new TestDisk(),
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Membership = Options,
                Changed = news =>
                {
                    _beliefs[(node, news.Id)] = news.Status;
                    _ = _changed.Release();
                },
            },
            Book);
        Members[id] = member;
        await member.StartAsync();
        return member;
    }

    /// <summary>Starts the first member, or one that has <paramref name="contact"/> to join.</summary>
    public async Task<MemberHost> AddAsync(int id, MemberHost? contact = null, TestDisk? disk = null)
    {
        var member = await StartAsync(id, disk: disk);
        Assert.IsType<Membership.Result.Joined>(await member.JoinAsync(contact is null ? [] : [contact.EndPoint], Cancellation));
        return member;
    }

    public async Task KillAsync(int id)
    {
        Assert.True(Members.Remove(id, out var member));
        await member.DisposeAsync();
        foreach (var seen in _beliefs.Keys.Where(seen => seen.Observer.Value == id))
        {
            _ = _beliefs.TryRemove(seen, out _);
        }
    }

    /// <summary>Ends when every member sees exactly the members alive, and whoever else it knows as dead.</summary>
    public async Task AgreeAsync()
    {
        while (!Members.Keys.All(SeesTheTruth))
        {
            await _changed.WaitAsync(Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Members.Values.Select(member => member.DisposeAsync().AsTask()));
        _changed.Dispose();
    }

    private bool SeesTheTruth(int observer) =>
        Members.Keys.All(id => id == observer || (Believes(observer, id) is MemberStatus.Alive))
        && _beliefs.All(belief => belief.Key.Observer.Value != observer
            || Members.ContainsKey(belief.Key.Member.Value)
            || belief.Value is MemberStatus.Dead or MemberStatus.Left);

    private MemberStatus? Believes(int observer, int id) =>
        _beliefs.TryGetValue((new NodeId(observer), new NodeId(id)), out var status) ? status : null;
}
