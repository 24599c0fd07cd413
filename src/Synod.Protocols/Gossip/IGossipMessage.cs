namespace Synod.Protocols.Gossip;

/// <summary>How a message wants to travel. The protocol says it, the host does it.</summary>
public enum Transport : byte
{
    /// <summary>One packet of at most the agreed size; it may be lost, repeated or overtaken.</summary>
    Datagram,

    /// <summary>A connection: what is large, and what must get through where packets do not.</summary>
    Stream,
}

/// <summary>A message of a protocol that hosts carry over packets and connections.</summary>
public interface IGossipMessage
{
    Transport Transport { get; }
}
