using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// Who decides the slots above <paramref name="Base"/>, and with which quorums, until the epoch ends with a Stop among them. For each slot
/// exactly one configuration decides.
/// </summary>
public sealed record Configuration(long Epoch, Slot Base, QuorumSystem Quorums)
{
    /// <summary>The first configuration of a log: everybody who begins with it must begin with the same.</summary>
    public static Configuration First(QuorumSystem quorums) => new(1, Slot.None, quorums.Validated());

    public bool IsSound => Epoch > 0 && Base >= Slot.None && Quorums.Refused is null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"e{Epoch} above {Base}: {Quorums} of {Quorums.Members}");
}

/// <summary>A state machine that also holds which configuration was in force at its position: it is part of every snapshot (paxos.md §7).</summary>
public interface IConfiguredState : IReplicatedState
{
    /// <summary>The last one adopted at or before <see cref="IReplicatedState.Applied"/>; null if the state is absent, or new and empty.</summary>
    Configuration? Configuration { get; }
}

/// <summary>The binary form of configurations.</summary>
public sealed class ConfigurationWire : IWire<Configuration>
{
    private static readonly QuorumWire Quorums = new();

    public void Write(CodecWriter writer, Configuration value)
    {
        writer.Signed(value.Epoch);
        writer.Slot(value.Base);
        Quorums.Write(writer, value.Quorums);
    }

    public Configuration? Read(ref CodecReader reader)
    {
        var (epoch, start) = (reader.Signed(), reader.Slot());
        return Quorums.Read(ref reader) is { } quorums ? new Configuration(epoch, start, quorums) : null;
    }
}
