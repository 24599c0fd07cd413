using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>The binary form of commands, for hosts that keep them.</summary>
public sealed class RumorCommandWire : IWire<RumorCommand>
{
    private static readonly PeerView.Wire s_views = new();

    public void Write(CodecWriter writer, RumorCommand value)
    {
        switch (value)
        {
            case RumorCommand.Spread spread:
                writer.Byte(1);
                writer.Bytes(spread.Body.Span);
                break;
            case RumorCommand.Learn learn:
                writer.Byte(2);
                Rumor.Wire.Instance.Write(writer, learn.Rumor);
                break;
            case RumorCommand.Meet meet:
                writer.Byte(3);
                s_views.Write(writer, meet.Peers);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value, "Not a command of this protocol.");
        }
    }

    public RumorCommand? Read(ref CodecReader reader) => reader.Byte() switch
    {
        1 => new RumorCommand.Spread(reader.Bytes()),
        2 => new RumorCommand.Learn(Rumor.Wire.Instance.Read(ref reader)),
        3 => new RumorCommand.Meet(s_views.Read(ref reader)),
        _ => null,
    };
}

/// <summary>The binary form of records.</summary>
public sealed class RumorRecordWire : IWire<RumorRecord>
{
    public void Write(CodecWriter writer, RumorRecord value)
    {
        switch (value)
        {
            case RumorRecord.Started started:
                writer.Byte(1);
                Rumor.Wire.Instance.Write(writer, started.Rumor);
                break;
            case RumorRecord.Counted counted:
                writer.Byte(2);
                writer.Signed(counted.Counter);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
        }
    }

    public RumorRecord? Read(ref CodecReader reader) => reader.Byte() switch
    {
        1 => new RumorRecord.Started(Rumor.Wire.Instance.Read(ref reader)),
        2 => new RumorRecord.Counted(reader.Signed()),
        _ => null,
    };
}
