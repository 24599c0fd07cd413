using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Where nodes are reached. What a node says of itself counts; where its packets come from only fills in for a node that nothing is
/// known of yet, so that it can be answered.
/// </summary>
internal sealed class AddressBook(AddressFamily family)
{
    private readonly ConcurrentDictionary<NodeId, Entry> _entries = new();

    /// <summary>Where to send datagrams to <paramref name="node"/>; null if not known.</summary>
    public SocketAddress? PacketAddress(NodeId node) => _entries.TryGetValue(node, out var entry) ? entry.Packets : null;

    /// <summary>Where to open streams to <paramref name="node"/>; null if not known.</summary>
    public EndPoint? StreamAddress(NodeId node) => _entries.TryGetValue(node, out var entry) ? entry.Declared : null;

    /// <summary>Notes where <paramref name="node"/> says that it is. A name is looked up beside the caller.</summary>
    public void Declare(NodeId node, EndPoint endPoint)
    {
        if (_entries.TryGetValue(node, out var known) && endPoint.Equals(known.Declared) && known.Packets is not null)
        {
            return;
        }

        var entry = new Entry(endPoint, endPoint is IPEndPoint ip ? Serialize(ip) : null);
        _entries[node] = entry;
        if (endPoint is DnsEndPoint name)
        {
            _ = LookUpAsync(node, name, entry);
        }
    }

    /// <summary>Notes where an authentic packet of <paramref name="node"/> came from, if nothing else is known.</summary>
    public void Observe(NodeId node, SocketAddress source)
    {
        if (!_entries.ContainsKey(node))
        {
            var copy = new SocketAddress(source.Family, source.Size);
            source.Buffer[..source.Size].CopyTo(copy.Buffer);
            _ = _entries.TryAdd(node, new Entry(null, copy));
        }
    }

    private async Task LookUpAsync(NodeId node, DnsEndPoint name, Entry entry)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(name.Host, family == AddressFamily.InterNetwork ? family : AddressFamily.Unspecified);
            if (addresses.Length > 0)
            {
                _ = _entries.TryUpdate(node, entry with { Packets = Serialize(new IPEndPoint(addresses[0], name.Port)) }, entry);
            }
        }
        catch (SocketException)
        {
            // Not known now: the next time that the node is spoken of it is looked up again.
        }
    }

    private SocketAddress Serialize(IPEndPoint endPoint) =>
        family == AddressFamily.InterNetworkV6 && endPoint.AddressFamily == AddressFamily.InterNetwork
            ? new IPEndPoint(endPoint.Address.MapToIPv6(), endPoint.Port).Serialize()
            : endPoint.Serialize();

    private sealed record Entry(EndPoint? Declared, SocketAddress? Packets);
}
