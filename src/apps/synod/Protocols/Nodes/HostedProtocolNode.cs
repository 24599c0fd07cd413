using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Core;
using Synod.Doors.Grpc;
using Synod.Node;
using Synod.Storage;

namespace Synod.App.Protocols.Nodes;

/// <summary>
/// What every protocol's node has in common: the host with its log, store and transport, the map as state machine, and the operations
/// that wait for an outcome. A protocol says how an operation becomes a command, and what its results mean.
/// </summary>
internal abstract class HostedProtocolNode<TMessage, TRecord, TCommand, TResult> : IProtocolNode, IAnswerSink<TResult>
{
    private readonly ConcurrentDictionary<long, Waiting> _waiting = [];
    private readonly HostedNode<TMessage, TRecord, TCommand, TResult> _node;
    private long _lastTag;

    protected HostedProtocolNode(ProtocolSettings settings, NodeId self, string dataFolder, string folder, ILogger log)
    {
        (Settings, Self) = (settings, self);
        Folder = folder;
        var own = settings.Nodes.Single(node => node.Id == self.Value);
        var options = new NodeOptions
        {
            Cluster = settings.Cluster,
            Id = self,
            DataFolder = dataFolder,
            Listen = new IPEndPoint(IPAddress.Loopback, own.Port),
            Peers = settings.Peers,
            Tls = settings.Tls
                ? new TlsOptions(
                    Path.Combine(folder, "ca.crt"), Path.Combine(folder, $"node-{self.Value}.crt"), Path.Combine(folder, $"node-{self.Value}.key"))
                : null,

            // All nodes of a run share this machine's clock.
            Clock = new BoundedClock(Duration.Zero),

            // A segment is written in full before it is used, and the next one beside it: all nodes of a run start at once on one disk.
            Log = new LogOptions(SegmentBytes: 1 << 20),
            CheckpointBytes = settings.CheckpointBytes,
        };
        _node = new(options, (_, store) => Make(Map = new ClientMap(store)), log);
    }

    public Task Completion => _node.Completion;

    protected ProtocolSettings Settings { get; }

    protected NodeId Self { get; }

    protected string Folder { get; }

    protected ClientMap Map { get; set; } = null!;

    /// <summary>Decisions in which this node led, and those that took the fast path: read on the loop's thread.</summary>
    protected virtual (long Decisions, long Fast) Led => (0, 0);

    /// <summary>Counts signatures, if the protocol has them: read on the loop's thread.</summary>
    protected virtual CountedSigner? Signer => null;

    public Task StartAsync() => _node.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    public void Run(IReadOnlyList<Operation> operations, IOutcomeSink outcomes)
    {
        // All are read before the first is submitted: what came together is then stepped together, and shares an agreement.
        var commands = new TCommand?[operations.Count];
        for (var index = 0; index < commands.Length; index++)
        {
            commands[index] = CommandOf(operations[index]);
        }

        for (var index = 0; index < commands.Length; index++)
        {
            Submit(operations[index], commands[index], outcomes);
        }
    }

    public Task<ProtocolCounts> CountAsync() => _node.Host.ReadAsync(() =>
    {
        var metrics = _node.Metrics;
        var (decisions, fast) = Led;
        return new ProtocolCounts
        {
            Messages = metrics.MessagesSent,
            Bytes = metrics.BytesSent,
            Records = metrics.Records,
            Syncs = metrics.Syncs,
            Checkpoints = metrics.Checkpoints,
            Decisions = decisions,
            Fast = fast,
            Signed = Signer?.Signed ?? 0,
            Verified = Signer?.Verified ?? 0,
            VerifyingMicroseconds = Signer?.VerifyingMicroseconds ?? 0,
            ProcessorMicroseconds = (long)Environment.CpuUsage.TotalTime.TotalMicroseconds,
            Clients = { Map.Count() },
        };
    });

    public void Answered(long tag, TResult result)
    {
        if (OutcomeOf(result) is { } outcome)
        {
            Finish(tag, outcome);
        }
    }

    public void Stopped(long tag) => _waiting.TryRemove(tag, out _);

    protected abstract HostedProtocol<TMessage, TRecord, TCommand, TResult> Make(ClientMap map);

    /// <summary>The command that runs an operation; null if it is malformed.</summary>
    protected abstract TCommand? CommandOf(Operation operation);

    /// <summary>What a result says of its operation; null if nothing yet.</summary>
    protected abstract OperationOutcome? OutcomeOf(TResult result);

    /// <summary>An operation has a tag from now on: for protocols that answer by executing it.</summary>
    protected virtual void OnSubmitted(long tag, Operation operation)
    {
    }

    protected void Finish(long tag, OperationOutcome outcome)
    {
        if (_waiting.TryRemove(tag, out var waiting))
        {
            outcome.Id = waiting.Operation.Id;
            waiting.Outcomes.Take(outcome);
        }
    }

    private void Submit(Operation operation, TCommand? command, IOutcomeSink outcomes)
    {
        if (command is null)
        {
            outcomes.Take(new OperationOutcome { Id = operation.Id, Kind = OperationOutcome.Types.Kind.Refused });
            return;
        }

        var tag = Interlocked.Increment(ref _lastTag);
        _waiting[tag] = new Waiting(operation, outcomes);
        OnSubmitted(tag, operation);
        if (!_node.Host.Submit(command, this, tag))
        {
            _waiting.TryRemove(tag, out _);
        }
    }

    private readonly record struct Waiting(Operation Operation, IOutcomeSink Outcomes);
}
