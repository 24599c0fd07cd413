using System.Text;
using Synod.Core;

namespace Synod.Node;

/// <summary>How a cluster's clocks treat leap seconds: mixing policies adds up to a second of error (time.md §6).</summary>
public enum LeapSecondPolicy : byte
{
    /// <summary>Smeared over hours, as public cloud time services do.</summary>
    Smeared,

    /// <summary>Stepped or slewed at the second itself, as plain UTC servers do.</summary>
    Stepped,
}

/// <summary>What the two ends of a connection tell each other before anything else.</summary>
/// <param name="Protocol">Version of the messages that follow.</param>
/// <param name="Cluster">The cluster's id: nodes of different clusters never talk.</param>
/// <param name="Node">Who speaks.</param>
/// <param name="To">Whom the dialler means to reach.</param>
/// <param name="Store">Random name of the speaker's data folder: a node id with another folder is not the same replica.</param>
/// <param name="Boot">How many times the speaker has started from that folder.</param>
internal sealed record Hello(
    int Protocol, string Cluster, NodeId Node, NodeId To, ulong Store, long Boot, LeapSecondPolicy LeapSeconds)
{
    public const int MaxClusterLength = 64;

    public byte[] ToFrame(FrameKind kind)
    {
        var writer = new CodecWriter();
        writer.Raw(new byte[Frame.HeaderLength]);
        writer.Int(Protocol);
        writer.String(Cluster);
        writer.Node(Node);
        writer.Node(To);
        writer.Fixed64(Store);
        writer.Signed(Boot);
        writer.Byte((byte)LeapSeconds);
        var frame = writer.ToArray();
        Frame.Seal(frame, kind);
        return frame;
    }

    /// <summary>Null if malformed. Fields that later versions append are ignored, so that they can be refused by version.</summary>
    public static Hello? Read(ReadOnlyMemory<byte> payload)
    {
        var reader = new CodecReader(payload);
        var hello = new Hello(
            reader.Int(), reader.String(), reader.Node(), reader.Node(), reader.Fixed64(), reader.Signed(),
            (LeapSecondPolicy)reader.Byte());
        return reader.Failed || hello.Cluster.Length > MaxClusterLength ? null : hello;
    }
}

/// <summary>Why a connection was refused. Each is logged, counted and told to the other side.</summary>
public enum ConnectionRefusal : byte
{
    /// <summary>The frames or the hello could not be read.</summary>
    Malformed,

    /// <summary>Another version of framing or messages.</summary>
    Version,

    /// <summary>The node belongs to another cluster.</summary>
    ForeignCluster,

    /// <summary>The node is not in our address book.</summary>
    UnknownPeer,

    /// <summary>The node that answered is not the one that was dialled.</summary>
    WrongNode,

    /// <summary>A node dialled itself.</summary>
    SelfConnection,

    /// <summary>The node id came with another data folder before: its disk was lost, and it may have forgotten its votes.</summary>
    ForeignStore,

    /// <summary>A later start of the same node has already connected.</summary>
    StaleBoot,

    /// <summary>The clocks follow another leap second policy.</summary>
    LeapSeconds,

    /// <summary>The certificate does not chain to the cluster's authority or names another node.</summary>
    Certificate,

    /// <summary>Too many connections are still shaking hands.</summary>
    Busy,
}

/// <summary>A refusal on the wire: the reason and a sentence for the operator of the other side.</summary>
internal sealed record RefusalNotice(ConnectionRefusal Reason, string Text)
{
    private const int MaxTextLength = 512;

    public byte[] ToFrame()
    {
        var writer = new CodecWriter();
        writer.Raw(new byte[Frame.HeaderLength]);
        writer.Byte((byte)Reason);
        writer.String(Text);
        var frame = writer.ToArray();
        Frame.Seal(frame, FrameKind.Refused);
        return frame;
    }

    public static RefusalNotice? Read(ReadOnlyMemory<byte> payload)
    {
        var reader = new CodecReader(payload);
        var reason = (ConnectionRefusal)reader.Byte();
        var text = reader.String();
        return reader.Failed ? null : new RefusalNotice(reason, Printable(text));
    }

    // The text lands in our log: another node must not write lines of its own into it.
    private static string Printable(string text)
    {
        var kept = new StringBuilder();
        foreach (var item in text.AsSpan(0, Math.Min(text.Length, MaxTextLength)))
        {
            _ = kept.Append(char.IsControl(item) ? ' ' : item);
        }

        return kept.ToString();
    }
}
