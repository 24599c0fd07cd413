using System.Net;
using Synod.Core;
using Synod.Storage;

namespace Synod.Node.Tests;

/// <summary>A toy on a real loop and real loopback sockets, over a test's disk.</summary>
internal sealed class ToyNode : IAsyncDisposable
{
    public static readonly Duration Millisecond = Duration.FromMilliseconds(1);

    private readonly DurableLog _log;

    public ToyNode(int id, TestDisk? disk = null, Func<NodeHostOptions, NodeHostOptions>? host = null,
        Func<TransportOptions, TransportOptions>? transport = null, IClock? clock = null, IPeerStores? stores = null)
    {
        Id = new NodeId(id);
        Disk = disk ?? new TestDisk();
        Toy = new Toy(Id);
        Metrics = new NodeMetrics(Id);
        _log = DurableLog.Open(Disk, new LogIdentity("toys", Id, 7), new LogOptions(1 << 16));
        var hostOptions = new NodeHostOptions { Self = Id, CheckpointBytes = long.MaxValue, Seed = 1 };
        Host = new(host?.Invoke(hostOptions) ?? hostOptions, Toy.Hosted(Toy), _log, new FlushNotes(Toy),
            clock ?? new BoundedClock(Duration.Zero), Metrics, Book);
        var transportOptions = new TransportOptions
        {
            Cluster = "toys",
            Self = Id,
            Store = (ulong)id,
            Boot = 1,
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            MinBackoff = TimeSpan.FromMilliseconds(1),
            MaxBackoff = TimeSpan.FromMilliseconds(20),
        };
        Transport = new Transport(transport?.Invoke(transportOptions) ?? transportOptions, Host, stores ?? new AnyStore(), Metrics, Book);
    }

    public NodeId Id { get; }

    public TestDisk Disk { get; }

    public Toy Toy { get; }

    public NodeMetrics Metrics { get; }

    public LogBook Book { get; } = new();

    public NodeHost<Toy.Message, Toy.Record, Toy.Command, Toy.Result> Host { get; }

    public Transport Transport { get; }

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<ToyNode> StartAsync(int id = 1, TestDisk? disk = null,
        Func<NodeHostOptions, NodeHostOptions>? host = null, Func<TransportOptions, TransportOptions>? transport = null,
        IClock? clock = null, IPeerStores? stores = null)
    {
        var node = new ToyNode(id, disk, host, transport, clock, stores);
        await node.Host.StartAsync(node.Transport);
        node.Transport.Start();
        return node;
    }

    /// <summary>Knows the others and waits until it is connected to each.</summary>
    public async Task MeetAsync(params ToyNode[] others)
    {
        var connected = others.Select(other => Book.SeeAsync(21, $"Connected to {other.Id} ", Cancellation)).ToArray();
        Transport.SetPeers(others.ToDictionary(other => other.Id, other => (EndPoint)other.Transport.EndPoint!));
        await Task.WhenAll(connected);
    }

    public static async Task MeetAllAsync(params ToyNode[] nodes)
    {
        // Nodes refuse callers whom they do not know yet and are dialled again, so all may start at once.
        await Task.WhenAll(nodes.Select(node => node.MeetAsync([.. nodes.Where(other => other != node)])));
    }

    public Task<Toy.Result> Submit(Toy.Command command) => Host.SubmitAsync(command, Cancellation);

    public async Task<Toy.Message> NextMessageAsync() => (await Toy.Received.Reader.ReadAsync(Cancellation)).Message;

    public async ValueTask DisposeAsync()
    {
        Disk.Release();
        Transport.CloseIncoming();
        await Host.StopAsync();
        await Transport.DisposeAsync();
        _log.Dispose();
        Metrics.Dispose();
    }

    private sealed class AnyStore : IPeerStores
    {
        public bool Accept(NodeId peer, ulong store) => true;
    }
}
