using System.Globalization;
using System.Net;
using Synod.Core;
using Synod.Storage;

namespace Synod.Node;

/// <summary>Everything that a node is told from outside.</summary>
public sealed record NodeOptions
{
    /// <summary>The cluster's id, at most 64 characters. Nodes of different clusters never talk, and never use each other's folders.</summary>
    public required string Cluster { get; init; }

    public required NodeId Id { get; init; }

    /// <summary>Holds the log, the applied state and the node's ledger. One process at a time.</summary>
    public required string DataFolder { get; init; }

    /// <summary>
    /// The node lost its data folder and starts with an empty one: it comes back as a new replica that knows of no old promise. Without
    /// this, peers refuse a node that comes with another folder than before.
    /// </summary>
    public bool Rejoin { get; init; }

    /// <summary>Where other nodes connect; null opens no port.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Where the other nodes are; an entry for the node itself is ignored.</summary>
    public IReadOnlyDictionary<NodeId, EndPoint> Peers { get; init; } = new Dictionary<NodeId, EndPoint>();

    /// <summary>What nodes find each other with, and gossip under; null leaves them to the address book.</summary>
    public ClusterKeys? Keys { get; init; }

    public TlsOptions? Tls { get; init; }

    /// <summary>Permits talking to other machines in the clear.</summary>
    public bool AllowPlaintext { get; init; }

    public LeapSecondPolicy LeapSeconds { get; init; }

    /// <summary>The source of true time.</summary>
    public required IClock Clock { get; init; }

    /// <summary>A clock whose bound is wider than this is not trusted.</summary>
    public Duration MaxClockBound { get; init; } = Duration.FromMilliseconds(250);

    public LogOptions Log { get; init; } = LogOptions.Default;

    /// <summary>A checkpoint begins when the log is longer than this many bytes.</summary>
    public long CheckpointBytes { get; init; } = 256L << 20;

    /// <summary>How much may wait for a slow peer before frames to it are dropped, in bytes.</summary>
    public int MaxQueuedBytes { get; init; } = 32 << 20;

    /// <summary>Where the node's random choices start; null draws it.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Reads "host:port", "1.2.3.4:port" or "[::1]:port".</summary>
    /// <exception cref="ConfigurationRefused">It is none of these.</exception>
    public static EndPoint ParseEndPoint(string text)
    {
        var colon = text.LastIndexOf(':');
        if (IPEndPoint.TryParse(text, out var address))
        {
            // Without brackets the last part of an IPv6 address would pass for a port, or the port for a part.
            var hasPort = text.StartsWith('[') ? colon > text.LastIndexOf(']') : colon == text.IndexOf(':') && colon > 0;
            return hasPort ? address : throw NoEndPoint(text);
        }

        if (colon > 0
            && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && Uri.CheckHostName(text[..colon]) == UriHostNameType.Dns)
        {
            return new DnsEndPoint(text[..colon], port);
        }

        throw NoEndPoint(text);
    }

    private static ConfigurationRefused NoEndPoint(string text) =>
        new($"'{text}' is not an address: write host:port, such as 10.0.0.7:7001 or [::1]:7001.");
}
