using System.Net;
using Synod.Core;

namespace Synod.Node;

/// <summary>What a node's transport needs to know. Lengths are in bytes.</summary>
public sealed record TransportOptions
{
    /// <summary>The version of the messages; both ends must speak the same.</summary>
    public int ProtocolVersion { get; init; } = 1;

    /// <summary>The cluster's id, at most 64 characters.</summary>
    public required string Cluster { get; init; }

    public required NodeId Self { get; init; }

    /// <summary>The random name of this node's data folder.</summary>
    public ulong Store { get; init; }

    /// <summary>How many times this node has started from its folder.</summary>
    public long Boot { get; init; }

    public LeapSecondPolicy LeapSeconds { get; init; }

    /// <summary>Where other nodes connect; null opens no port. Port 0 takes a free one.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Null sends in the clear, which only loopback addresses permit.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Permits sending in the clear to other machines.</summary>
    public bool AllowPlaintext { get; init; }

    /// <summary>What packets are sealed with; null for a transport that has none.</summary>
    public ClusterKeys? Keys { get; init; }

    /// <summary>Tells the packets of this start of the node from those of earlier ones; larger than theirs.</summary>
    public ulong Session { get; init; } = (ulong)SystemTime.Instance.Realtime();

    /// <summary>A stream on which neither end said anything for so long is closed.</summary>
    public TimeSpan StreamIdleLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest payload that is sent or accepted.</summary>
    public int MaxFrameBytes { get; init; } = 80 << 20;

    /// <summary>How much may wait for a slow peer before further frames to it are dropped.</summary>
    public int MaxQueuedBytes { get; init; } = 32 << 20;

    /// <summary>How long a connection may take until both ends know each other.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause before the second attempt to reach a peer; doubled up to <see cref="MaxBackoff"/>, jittered.</summary>
    public TimeSpan MinBackoff { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>The configuration cannot be used; the message says what to change.</summary>
public sealed class ConfigurationRefused(string message) : Exception(message);

/// <summary>Takes what the transport receives. Called from its threads: several at once, but one per peer.</summary>
public interface IFrameSink
{
    /// <summary>
    /// A payload of messages from an authenticated peer. The memory is the sink's to keep. False if it is malformed: the
    /// connection is then closed.
    /// </summary>
    bool Receive(NodeId from, ReadOnlyMemory<byte> payload);

    /// <summary>
    /// One message that came in a packet or over a stream, from somebody who has the cluster's key. The memory is the sink's to keep.
    /// Says why the message was not taken, or nothing.
    /// </summary>
    PacketFault ReceivePacket(NodeId from, ReadOnlyMemory<byte> message);

    /// <summary>Our connection to a peer came up or went down.</summary>
    void PeerChanged(NodeId peer, bool connected);
}

/// <summary>Remembers which data folder each peer has, across restarts.</summary>
public interface IPeerStores
{
    /// <summary>Whether <paramref name="peer"/> is known with <paramref name="store"/>, or was unknown and is remembered with it now.</summary>
    /// <exception cref="Synod.Storage.StorageFailure">It could not be made durable: the node must stop.</exception>
    bool Accept(NodeId peer, ulong store);
}
