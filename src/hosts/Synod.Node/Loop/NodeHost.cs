using Microsoft.Extensions.Logging;
using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Storage;

namespace Synod.Node;

/// <summary>
/// Runs one protocol on one thread at a time: everything that happens to the node comes through the inbox, is stepped in turns, and
/// leaves at the end of a turn or when the records before it are durable. Fail-stop: after an exception from a step or from the disk
/// nothing more leaves, and <see cref="Completion"/> faults.
/// </summary>
public sealed partial class NodeHost<TMessage, TRecord, TCommand, TResult> : IFrameSink
{
    private static readonly Duration LongestSleep = Duration.FromSeconds(1);

    private readonly NodeHostOptions _options;
    private readonly Protocol<TMessage, TRecord, TCommand, TResult> _protocol;
    private readonly HostedProtocol<TMessage, TRecord, TCommand, TResult> _hosted;
    private readonly DurableLog _log;
    private readonly IStore? _store;
    private readonly GuardedClock _clock;
    private readonly NodeContext _context;
    private readonly NodeMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Doorbell _bell = new();
    private readonly Inbox<TMessage, TCommand, TResult> _inbox;
    private readonly LogThread<TMessage, TResult> _logThread;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Transport? _transport;
    private PacketTransport? _packets;
    private bool _started;
    private volatile bool _stopRequested;
    private volatile Exception? _failure;

    /// <param name="hosted">A new instance: it is recovered from <paramref name="log"/>.</param>
    /// <param name="log">Opened; used by the host's threads alone from now on, and not closed by it.</param>
    /// <param name="store">Flushed for checkpoints; null if the protocol keeps its state in its records.</param>
    public NodeHost(
        NodeHostOptions options, HostedProtocol<TMessage, TRecord, TCommand, TResult> hosted, DurableLog log, IStore? store,
        IClock clock, NodeMetrics metrics, ILogger logger)
    {
        _options = options;
        _hosted = hosted;
        _protocol = hosted.Protocol;
        _log = log;
        _store = store;
        _clock = new GuardedClock(new ClampedClock(clock));
        _context = new NodeContext(_clock, options.Seed);
        _metrics = metrics;
        _logger = logger;
        _inbox = new(options.MaxInboxBytes);
        _logThread = new(log, metrics, StepOrRing, segment => _logger.CheckpointDone(segment));
        _thread = new Thread(Run) { IsBackground = true, Name = "synod-loop" };
    }

    /// <summary>Ends when the node has stopped; faults with the cause if it had to.</summary>
    public Task Completion => _completion.Task;

    /// <summary>The node's clock as its steps see it.</summary>
    public IClock Clock => _clock;

    /// <summary>
    /// Recovers the protocol and starts to run it. The task ends when it has recovered, and faults if it could not.
    /// <paramref name="transport"/> carries its messages; null for a node alone.
    /// </summary>
    public Task StartAsync(Transport? transport)
    {
        _transport = transport;
        _packets = transport?.Packets;
        _started = true;
        _logThread.Start();
        _thread.Start();
        return _ready.Task;
    }

    /// <summary>
    /// Submits a command and leaves it lying until <see cref="Step"/>, or until something else wakes the loop.
    /// </summary>
    public bool Enqueue(TCommand command, IAnswerSink<TResult> sink, long tag = 0) =>
        _inbox.Add(new(InputKind.Command, Command: command, Sink: sink, Tag: tag));

    /// <summary>Has what was enqueued done: here and now if the loop sleeps.</summary>
    public void Step() => StepOrRing();

    /// <summary>
    /// Submits a command; <paramref name="sink"/> gets the answer with <paramref name="tag"/> between steps, at most once.
    /// False if the node is stopping: the command was not submitted and the sink hears nothing.
    /// </summary>
    public bool Submit(TCommand command, IAnswerSink<TResult> sink, long tag = 0) =>
        Add(new(InputKind.Command, Command: command, Sink: sink, Tag: tag));

    /// <summary>Submits a command and waits for its answer.</summary>
    /// <exception cref="NodeStopped">The node stopped first.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; the command may still take effect.</exception>
    public async Task<TResult> SubmitAsync(TCommand command, CancellationToken cancellation = default)
    {
        var answer = new AnswerTask<TResult>();
        if (!Submit(command, answer))
        {
            throw new NodeStopped();
        }

        await using var registration = cancellation.UnsafeRegister(
            static (state, token) => ((AnswerTask<TResult>)state!).TrySetCanceled(token), answer);
        try
        {
            return await answer.Task;
        }
        catch (OperationCanceledException)
        {
            // It comes after the command in the inbox, so the request is known by then.
            _ = Post(() => _requests.Remove(answer.Request.Value));
            throw;
        }
    }

    /// <summary>Reads the protocol's state between two steps: <paramref name="read"/> is quick and changes nothing.</summary>
    /// <exception cref="NodeStopped">The node stopped first.</exception>
    public async Task<T> ReadAsync<T>(Func<T> read)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Post(() => Complete(result, read)))
        {
            throw new NodeStopped();
        }

        if (await Task.WhenAny(result.Task, Completion) != result.Task && !result.Task.IsCompleted)
        {
            throw new NodeStopped();
        }

        return await result.Task;
    }

    /// <summary>
    /// Stops the loop: takes no more inputs, steps those that are in, waits until every record is durable and lets out what waited
    /// for that. Ends without an exception also if the node failed; see <see cref="Completion"/>.
    /// </summary>
    public async Task StopAsync()
    {
        _stopRequested = true;
        _inbox.Close();
        _bell.Ring();
        if (!_started)
        {
            _ = _completion.TrySetResult();
        }

        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Stops the node at once because something beside the loop failed.</summary>
    public void Fail(Exception cause)
    {
        _ = Interlocked.CompareExchange(ref _failure, cause, null);
        _bell.Ring();
    }

    /// <inheritdoc/>
    public bool Receive(NodeId from, ReadOnlyMemory<byte> payload)
    {
        if (!FrameBuffer.TryReadInterval(payload.Span, out var interval))
        {
            return false;
        }

        var rest = payload[FrameBuffer.IntervalLength..];
        var messages = new List<TMessage>();
        while (FrameBuffer.TryNext(ref rest, out var bytes))
        {
            var reader = new CodecReader(bytes);
            var message = _hosted.Messages.Read(ref reader);
            if (message is null || !reader.IsComplete)
            {
                return false;
            }

            messages.Add(message);
        }

        if (!rest.IsEmpty)
        {
            return false;
        }

        if (!_clock.Agrees(interval))
        {
            _metrics.CountClockContradiction();
            _logger.ClockContradiction(from, interval, _clock.Now());
        }

        _metrics.CountReceived(messages.Count, payload.Length);
        if (_inbox.AddFromPeer(new(InputKind.Messages, from, messages, Bytes: payload.Length)))
        {
            StepOrRing();
        }

        return true;
    }

    /// <inheritdoc/>
    public PacketFault ReceivePacket(NodeId from, ReadOnlyMemory<byte> message)
    {
        var reader = new CodecReader(message);
        var read = _hosted.Messages.Read(ref reader);
        if (read is not IGossipMessage || !reader.IsComplete)
        {
            // What belongs on a connection has its certificate there: a cluster key alone is not enough to say it.
            return PacketFault.Malformed;
        }

        if (!_inbox.TryAddFromPeer(new(InputKind.Message, from, Message: read, Bytes: message.Length)))
        {
            return PacketFault.Overload;
        }

        Ring();
        _metrics.CountPacketReceived();
        return PacketFault.None;
    }

    /// <inheritdoc/>
    public void PeerChanged(NodeId peer, bool connected) => PeerConnectionChanged?.Invoke(peer, connected);

    /// <summary>Our connection to a peer came up or went down; raised on the transport's threads.</summary>
    public event Action<NodeId, bool>? PeerConnectionChanged;

    private static void Complete<T>(TaskCompletionSource<T> result, Func<T> read)
    {
        try
        {
            result.SetResult(read());
        }
        catch (Exception cause)
        {
            // The reader's mistake is the reader's: no step failed.
            result.SetException(cause);
        }
    }

    private bool Post(Action call) => Add(new(InputKind.Call, Call: call));

    private bool Add(in Input<TMessage, TCommand, TResult> input)
    {
        if (!_inbox.Add(input))
        {
            return false;
        }

        Ring();
        return true;
    }
}
