using Microsoft.Extensions.Logging;
using Synod.Core;

namespace Synod.Node;

/// <summary>Everything that a node says, in one place.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(1, LogLevel.Information, "Node {Node} of cluster '{Cluster}' started (store {Store:x16}, boot {Boot}); clock: {Clock}")]
    public static partial void Started(this ILogger log, NodeId node, string cluster, ulong store, long boot, string clock);

    [LoggerMessage(2, LogLevel.Information, "Node {Node} stopped")]
    public static partial void Stopped(this ILogger log, NodeId node);

    [LoggerMessage(3, LogLevel.Critical, "Node {Node} stops at once: it can no longer vouch for what it promised")]
    public static partial void Failed(this ILogger log, NodeId node, Exception cause);

    [LoggerMessage(4, LogLevel.Information, "Recovered {Records} records in {Milliseconds} ms")]
    public static partial void Recovered(this ILogger log, long records, long milliseconds);

    [LoggerMessage(5, LogLevel.Information, "Checkpoint after {Bytes} bytes of log")]
    public static partial void CheckpointBegun(this ILogger log, long bytes);

    [LoggerMessage(6, LogLevel.Information, "Checkpoint is durable; dropped the log before segment {Segment}")]
    public static partial void CheckpointDone(this ILogger log, long segment);

    [LoggerMessage(7, LogLevel.Error, "A message of {Bytes} bytes to {Peer} exceeds the frame limit and was dropped")]
    public static partial void MessageOversize(this ILogger log, NodeId peer, int bytes);

    [LoggerMessage(8, LogLevel.Error, "The clock of {Peer} and ours cannot both be right ({Theirs} against {Ours}); ours is not trusted for now")]
    public static partial void ClockContradiction(this ILogger log, NodeId peer, TimeInterval theirs, TimeInterval ours);

    [LoggerMessage(9, LogLevel.Information, "Node {Peer} is at {EndPoint}")]
    public static partial void Met(this ILogger log, NodeId peer, System.Net.EndPoint endPoint);

    [LoggerMessage(10, LogLevel.Warning, "Node {Peer} says that it is at '{Address}', which is of no use: {Reason}")]
    public static partial void NotMet(this ILogger log, NodeId peer, string address, string reason);

    [LoggerMessage(20, LogLevel.Information, "Listening for nodes on {EndPoint}, {Security}")]
    public static partial void Listening(this ILogger log, System.Net.EndPoint endPoint, string security);

    [LoggerMessage(21, LogLevel.Information, "Connected to {Peer} at {EndPoint}")]
    public static partial void Connected(this ILogger log, NodeId peer, System.Net.EndPoint endPoint);

    [LoggerMessage(22, LogLevel.Information, "Connection to {Peer} at {EndPoint} ended: {Reason}")]
    public static partial void Disconnected(this ILogger log, NodeId peer, System.Net.EndPoint endPoint, string reason);

    [LoggerMessage(23, LogLevel.Debug, "Cannot reach {Peer} at {EndPoint}: {Reason}")]
    public static partial void Unreachable(this ILogger log, NodeId peer, System.Net.EndPoint endPoint, string reason);

    [LoggerMessage(24, LogLevel.Warning, "{Peer} at {EndPoint} refused us ({Reason}): {Text}")]
    public static partial void RefusedByPeer(
        this ILogger log, NodeId peer, System.Net.EndPoint endPoint, ConnectionRefusal reason, string text);

    [LoggerMessage(25, LogLevel.Warning, "Refused the connection from {EndPoint} ({Reason}): {Text}")]
    public static partial void Refused(this ILogger log, System.Net.EndPoint? endPoint, ConnectionRefusal reason, string text);

    [LoggerMessage(26, LogLevel.Warning, "Refused {Peer} at {EndPoint} ({Reason}): {Text}")]
    public static partial void RefusedPeer(
        this ILogger log, NodeId peer, System.Net.EndPoint endPoint, ConnectionRefusal reason, string text);

    [LoggerMessage(27, LogLevel.Information, "{Peer} connected from {EndPoint}")]
    public static partial void Accepted(this ILogger log, NodeId peer, System.Net.EndPoint? endPoint);

    [LoggerMessage(28, LogLevel.Information, "Connection from {Peer} ended: {Reason}")]
    public static partial void Ended(this ILogger log, NodeId peer, string reason);

    [LoggerMessage(29, LogLevel.Warning, "Closed the connection from {Peer}: faulty frame ({Fault})")]
    public static partial void Faulty(this ILogger log, NodeId peer, FrameFault fault);

    [LoggerMessage(31, LogLevel.Warning, "No cluster key of this node opens what {EndPoint} sends: it has another key, or belongs to another cluster ({Count} packets so far)")]
    public static partial void ForgedPacket(this ILogger log, System.Net.EndPoint endPoint, long count);

    [LoggerMessage(32, LogLevel.Warning, "Closed the stream with {EndPoint}: {Reason}")]
    public static partial void StreamRefused(this ILogger log, System.Net.EndPoint? endPoint, string reason);

    [LoggerMessage(33, LogLevel.Debug, "No stream to {EndPoint}: {Reason}")]
    public static partial void StreamFailed(this ILogger log, System.Net.EndPoint? endPoint, string reason);

    [LoggerMessage(34, LogLevel.Debug, "Refused a packet from {EndPoint} ({Fault})")]
    public static partial void PacketRefused(this ILogger log, System.Net.EndPoint endPoint, PacketFault fault);

    [LoggerMessage(30, LogLevel.Error, "Accepting connections failed; trying again")]
    public static partial void AcceptFailed(this ILogger log, Exception cause);
}
