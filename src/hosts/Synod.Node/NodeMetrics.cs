using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Synod.Core;

namespace Synod.Node;

/// <summary>Why something that was to be sent was not. Protocols tolerate loss; operators want to know of it.</summary>
public enum DropReason : byte
{
    /// <summary>No connection to the peer.</summary>
    Disconnected,

    /// <summary>The peer's outgoing queue is full.</summary>
    QueueFull,

    /// <summary>The address book has no such peer.</summary>
    UnknownPeer,

    /// <summary>A message or frame beyond the limit.</summary>
    Oversize,
}

/// <summary>
/// What a node counts, published under the meter <see cref="MeterName"/> with the node's id as a tag. Hot counters are plain
/// fields that the meter observes: a turn pays nothing for a listener that is not there.
/// </summary>
public sealed class NodeMetrics : IDisposable
{
    public const string MeterName = "Synod.Node";

    private readonly Meter _meter;
    private readonly Histogram<double> _syncDuration;
    private readonly Histogram<double> _turnDuration;
    private readonly Histogram<long> _batchRecords;
    private readonly ConcurrentDictionary<DropReason, long> _dropped = new();
    private readonly ConcurrentDictionary<ConnectionRefusal, long> _refusedConnections = new();
    private readonly ConcurrentDictionary<FrameFault, long> _faults = new();
    private readonly ConcurrentDictionary<PacketFault, long> _packetFaults = new();
    private readonly long[] _refusals = new long[256];

    private long _messagesSent;
    private long _messagesReceived;
    private long _bytesSent;
    private long _bytesReceived;
    private long _packetsSent;
    private long _packetBytesSent;
    private long _packetsReceived;
    private long _streamBytesSent;
    private long _turns;
    private long _steps;
    private long _records;
    private long _syncs;
    private long _checkpoints;
    private long _clockContradictions;

    public NodeMetrics(NodeId node)
    {
        _meter = new Meter(new MeterOptions(MeterName) { Tags = [new("node", node.Value)] });
        _syncDuration = _meter.CreateHistogram<double>("synod.log.sync.duration", "s", "One write and fdatasync of a batch.");
        _turnDuration = _meter.CreateHistogram<double>("synod.loop.turn.duration", "s", "One turn of the event loop.");
        _batchRecords = _meter.CreateHistogram<long>("synod.log.sync.records", "{record}", "Records that one sync made durable.");
        Observe("synod.messages.sent", "{message}", "Messages of protocols sent to other nodes.", () => MessagesSent);
        Observe("synod.messages.received", "{message}", "Messages of protocols that came from other nodes.", () => MessagesReceived);
        Observe("synod.bytes.sent", "By", "Bytes of messages sent to other nodes.", () => BytesSent);
        Observe("synod.bytes.received", "By", "Bytes of messages that came from other nodes.", () => BytesReceived);
        Observe("synod.packets.sent", "{packet}", "Datagrams of gossip sent.", () => PacketsSent);
        Observe("synod.packets.sent.bytes", "By", "Bytes of datagrams of gossip sent.", () => PacketBytesSent);
        Observe("synod.packets.received", "{packet}", "Messages of gossip taken in, from datagrams and streams.", () => PacketsReceived);
        Observe("synod.streams.sent.bytes", "By", "Bytes of gossip sent over streams.", () => StreamBytesSent);
        Observe("synod.loop.turns", "{turn}", "Turns of the event loop.", () => Turns);
        Observe("synod.loop.steps", "{step}", "Steps of protocols that the event loop ran.", () => Steps);
        Observe("synod.log.records", "{record}", "Records made durable.", () => Records);
        Observe("synod.log.syncs", "{sync}", "Writes of the log, each with one fdatasync.", () => Syncs);
        Observe("synod.checkpoints", "{checkpoint}", "Checkpoints: the store was flushed and the log could be cut.", () => Checkpoints);
        Observe("synod.clock.contradictions", "{frame}", "Frames whose sender's clock and this node's cannot both be right.", () => ClockContradictions);
        Tagged("synod.frames.dropped", "{frame}", "Messages to other nodes that were not sent.", "reason", () => _dropped.Select(Pair));
        Tagged("synod.connections.refused", "{connection}", "Connections refused, by reason.", "reason", () => _refusedConnections.Select(Pair));
        Tagged("synod.frames.faulty", "{frame}", "Frames that came in damaged or could not be understood.", "fault", () => _faults.Select(Pair));
        Tagged("synod.packets.refused", "{packet}", "Datagrams and streams of gossip that were not taken in.", "fault", () => _packetFaults.Select(Pair));
        Tagged("synod.refusals", "{input}", "Inputs that a guard of a protocol refused.", "reason", RefusalPairs);
    }

    public long MessagesSent => Volatile.Read(ref _messagesSent);

    public long MessagesReceived => Volatile.Read(ref _messagesReceived);

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>Datagrams sent.</summary>
    public long PacketsSent => Volatile.Read(ref _packetsSent);

    public long PacketBytesSent => Volatile.Read(ref _packetBytesSent);

    /// <summary>Messages that came in packets or over streams and were taken in.</summary>
    public long PacketsReceived => Volatile.Read(ref _packetsReceived);

    public long StreamBytesSent => Volatile.Read(ref _streamBytesSent);

    public long Turns => Volatile.Read(ref _turns);

    public long Steps => Volatile.Read(ref _steps);

    public long Records => Volatile.Read(ref _records);

    public long Syncs => Volatile.Read(ref _syncs);

    public long Checkpoints => Volatile.Read(ref _checkpoints);

    /// <summary>Frames whose sender's clock and ours cannot both be right.</summary>
    public long ClockContradictions => Volatile.Read(ref _clockContradictions);

    public long Dropped(DropReason reason) => _dropped.GetValueOrDefault(reason);

    public long Refused(ConnectionRefusal reason) => _refusedConnections.GetValueOrDefault(reason);

    public long Faults(FrameFault fault) => _faults.GetValueOrDefault(fault);

    /// <summary>Packets, and streams, that were not taken in.</summary>
    public long Faults(PacketFault fault) => _packetFaults.GetValueOrDefault(fault);

    /// <summary>Inputs that a guard of the protocol refused.</summary>
    public long Refusals(Refusal refusal) => Volatile.Read(ref _refusals[(int)refusal]);

    public void Dispose() => _meter.Dispose();

    internal void CountSent(int messages, int bytes)
    {
        // Written by the loop thread only.
        _messagesSent += messages;
        _bytesSent += bytes;
    }

    internal void CountReceived(int messages, int bytes)
    {
        Interlocked.Add(ref _messagesReceived, messages);
        Interlocked.Add(ref _bytesReceived, bytes);
    }

    internal void CountPacketSent(int bytes)
    {
        // Written by the loop thread only.
        _packetsSent++;
        _packetBytesSent += bytes;
    }

    internal void CountPacketReceived() => Interlocked.Increment(ref _packetsReceived);

    internal void CountStreamSent(int bytes) => Interlocked.Add(ref _streamBytesSent, bytes);

    /// <summary>How many there were, this one included.</summary>
    internal long CountPacketFault(PacketFault fault) => _packetFaults.AddOrUpdate(fault, 1, static (_, count) => count + 1);

    internal void CountTurn(int steps, double seconds)
    {
        _turns++;
        _steps += steps;
        _turnDuration.Record(seconds);
    }

    internal void CountSync(long records, double seconds)
    {
        Interlocked.Add(ref _records, records);
        Interlocked.Increment(ref _syncs);
        _syncDuration.Record(seconds);
        _batchRecords.Record(records);
    }

    internal void CountCheckpoint() => Interlocked.Increment(ref _checkpoints);

    internal void CountRefusal(Refusal refusal) => _refusals[(int)refusal]++;

    internal void CountClockContradiction() => Interlocked.Increment(ref _clockContradictions);

    internal void CountDropped(DropReason reason) => _dropped.AddOrUpdate(reason, 1, static (_, count) => count + 1);

    internal void CountRefused(ConnectionRefusal reason) =>
        _refusedConnections.AddOrUpdate(reason, 1, static (_, count) => count + 1);

    internal void CountFault(FrameFault fault) => _faults.AddOrUpdate(fault, 1, static (_, count) => count + 1);

    private static (string, long) Pair<T>(KeyValuePair<T, long> pair)
        where T : struct, Enum => (pair.Key.ToString(), pair.Value);

    private IEnumerable<(string, long)> RefusalPairs() =>
        Enum.GetValues<Refusal>().Select(refusal => (refusal.ToString(), Refusals(refusal))).Where(pair => pair.Item2 > 0);

    private void Observe(string name, string unit, string description, Func<long> value) =>
        _meter.CreateObservableCounter(name, value, unit, description);

    private void Tagged(string name, string unit, string description, string tag, Func<IEnumerable<(string Value, long Count)>> values) =>
        _meter.CreateObservableCounter(
            name,
            () => values().Select(pair => new Measurement<long>(pair.Count, new KeyValuePair<string, object?>(tag, pair.Value))),
            unit,
            description);
}
