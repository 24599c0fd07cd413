namespace Synod.Core;

/// <summary>
/// The binary form of quorum systems, for configurations that are agreed on. What is read may be unsafe: whoever adopts it asks
/// <see cref="QuorumSystem.Validated"/>.
/// </summary>
public sealed class QuorumWire : IWire<QuorumSystem>
{
    public void Write(CodecWriter writer, QuorumSystem value)
    {
        switch (value)
        {
            case SizedQuorums sized:
                Head(writer, 1, value);
                writer.Int(sized.Phase1);
                writer.Int(sized.Phase2);
                break;
            case WeightedQuorums weighted:
                Head(writer, 2, value);
                writer.Many(weighted.Weights, static (w, weight) => w.Int(weight));
                writer.Int(weighted.Phase1);
                writer.Int(weighted.Phase2);
                break;
            case GridQuorums grid:
                Head(writer, 3, value);
                writer.Int(grid.Rows);
                writer.Int(grid.Columns);
                break;
            case ZoneQuorums zones:
                Head(writer, 4, value);
                writer.Many(zones.Zones, static (w, zone) => w.Nodes(zone));
                writer.Int(zones.NodeFaults);
                writer.Int(zones.ZoneFaults);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value, "Not a quorum system that is written.");
        }
    }

    public QuorumSystem? Read(ref CodecReader reader)
    {
        var kind = reader.Byte();
        var members = reader.Nodes();
        return kind switch
        {
            1 => new SizedQuorums(members, reader.Int(), reader.Int()),
            2 => new WeightedQuorums(members, reader.Many(static (ref reader) => reader.Int()), reader.Int(), reader.Int()),
            3 => new GridQuorums(members, reader.Int(), reader.Int()),
            4 => new ZoneQuorums(members, reader.Many(static (ref reader) => reader.Nodes()), reader.Int(), reader.Int()),
            _ => null,
        };
    }

    private static void Head(CodecWriter writer, byte kind, QuorumSystem system)
    {
        writer.Byte(kind);
        writer.Nodes(system.Members);
    }
}
