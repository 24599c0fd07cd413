using Synod.Core;

namespace Synod.Database.Directory;

/// <summary>A span of keys and the group of replicas that serves it.</summary>
/// <param name="Group">The group's name, never used for another one.</param>
/// <param name="Version">
/// Grows with every change of the span. Of two overlapping descriptors the one with the higher version is the truth.
/// </param>
/// <param name="Replicas">The group's members.</param>
/// <param name="PreferredLeader">The member that should lead when all are well, so that leaders spread over the nodes.</param>
public sealed record RangeDescriptor(ulong Group, KeySpan Span, ulong Version, NodeSet Replicas, NodeId PreferredLeader)
{
    public void Write(CodecWriter writer)
    {
        writer.Fixed64(Group);
        writer.Bytes(Span.Start.Span);
        writer.Bytes(Span.End.Span);
        writer.Unsigned(Version);
        writer.Nodes(Replicas);
        writer.Node(PreferredLeader);
    }

    public static RangeDescriptor Read(ref CodecReader reader)
    {
        var group = reader.Fixed64();
        var start = new Key(reader.Bytes());
        var end = new Key(reader.Bytes());
        var version = reader.Unsigned();
        var replicas = reader.Nodes();
        return new RangeDescriptor(group, new KeySpan(start, end), version, replicas, reader.Node());
    }
}
