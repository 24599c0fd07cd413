using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Storage;

namespace Synod.Node;

/// <summary>What a member by itself is told at its start.</summary>
public sealed record MemberHostOptions
{
    /// <summary>The cluster's name, at most 64 characters.</summary>
    public required string Cluster { get; init; }

    public required NodeId Id { get; init; }

    public required ClusterKeys Keys { get; init; }

    /// <summary>Keeps the member's incarnations. One process at a time.</summary>
    public required IDisk Disk { get; init; }

    /// <summary>Where packets and streams come in; port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    public MembershipOptions Membership { get; init; } = new();

    /// <summary>Told of every change in this member's view, between steps.</summary>
    public Action<Member>? Changed { get; init; }
}

/// <summary>
/// A member of a cluster and nothing else: <see cref="Membership"/> over real packets and streams. Many fit into one process, and any
/// process can embed one.
/// </summary>
public sealed class MemberHost : IAsyncDisposable
{
    // Room for what one member writes in years; it is made anew when it is full.
    private static readonly LogOptions ShortLog = new(64 << 10);

    private readonly MemberHostOptions _options;
    private readonly DurableLog _log;
    private readonly Transport _transport;
    private readonly NodeHost<Membership.Message, Membership.Record, Membership.Command, Membership.Result> _host;

    /// <exception cref="ConfigurationRefused">The options do not fit together.</exception>
    /// <exception cref="StorageRefusal">The disk holds another member's data or damage.</exception>
    public MemberHost(MemberHostOptions options, ILogger logger)
    {
        _options = options;
        var store = DurableLog.ReadIdentity(options.Disk)?.Store ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) >> 1;
        _log = DurableLog.Open(options.Disk, new LogIdentity(options.Cluster, options.Id, store), ShortLog);
        Metrics = new NodeMetrics(options.Id);
        var membership = new Membership(
            options.Id, Describe(options.Listen), options.Membership with { DatagramBytes = Packet.MaxMessageLength }, Roster.Empty);
        _host = new(
            new NodeHostOptions { Self = options.Id, CheckpointBytes = ShortLog.SegmentBytes },
            new(membership, new Membership.MessageWire(), new Membership.RecordWire()) { Executed = (_, happened) => Note(happened) },
            _log, store: null, new BoundedClock(Duration.Zero), Metrics, logger);
        _transport = new(
            new TransportOptions { Cluster = options.Cluster, Self = options.Id, Listen = options.Listen, Keys = options.Keys },
            _host, new NoPeers(), Metrics, logger);
    }

    public NodeMetrics Metrics { get; }

    /// <summary>Where it really listens.</summary>
    public IPEndPoint EndPoint => _transport.EndPoint!;

    /// <summary>Faults if the member had to stop by itself.</summary>
    public Task Completion => _host.Completion;

    /// <summary>Recovers and listens. It says nothing before it is told to join.</summary>
    public async Task StartAsync()
    {
        await _host.StartAsync(_transport);
        _transport.Start();
        if (!EndPoint.Equals(_options.Listen))
        {
            _ = await _host.SubmitAsync(new Membership.Command.Describe(Describe(EndPoint)));
        }
    }

    /// <summary>
    /// Becomes a member of the cluster that the first answering one of <paramref name="contacts"/> belongs to; without any, the first
    /// member of a new one.
    /// </summary>
    public async Task<Membership.Result> JoinAsync(IReadOnlyList<EndPoint> contacts, CancellationToken cancellation)
    {
        ImmutableArray<NodeId> found = contacts.Count == 0 ? [] : [await _transport.Packets!.FindAsync(contacts, cancellation)];
        return await _host.SubmitAsync(new Membership.Command.Join(found), cancellation);
    }

    /// <summary>Says goodbye, so that nobody takes this member for dead.</summary>
    public async Task LeaveAsync(CancellationToken cancellation) =>
        _ = await _host.SubmitAsync(new Membership.Command.Leave(), cancellation);

    /// <summary>Ends without a goodbye: to the others it is as if the process had died.</summary>
    public async ValueTask DisposeAsync()
    {
        _transport.CloseIncoming();
        await _host.StopAsync();
        await _transport.DisposeAsync();
        _log.Dispose();
        Metrics.Dispose();
    }

    private static MemberDescription Describe(IPEndPoint endPoint) => MemberDescription.At(endPoint.ToString());

    private void Note(Membership.Command happened)
    {
        if (happened is not Membership.Command.Changed { Member: var member })
        {
            return;
        }

        if (IPEndPoint.TryParse(Encoding.UTF8.GetString(member.Description.Address.Span), out var endPoint))
        {
            _transport.Packets!.SetAddress(member.Id, endPoint);
        }

        _options.Changed?.Invoke(member);
    }

    /// <summary>A member by itself has no connections.</summary>
    private sealed class NoPeers : IPeerStores
    {
        public bool Accept(NodeId peer, ulong store) => false;
    }
}
