using System.Globalization;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>The smallest service whose answers tell the order of execution: it numbers the operations that it is given.</summary>
internal sealed class Tally : IReplicatedService
{
    private long _count;

    public ReadOnlyMemory<byte> Execute(NodeId client, ReadOnlyMemory<byte> operation)
    {
        _count++;
        return Read(client, operation);
    }

    public ReadOnlyMemory<byte> Read(NodeId client, ReadOnlyMemory<byte> operation) =>
        Key.Of(_count.ToString(CultureInfo.InvariantCulture)).Memory;

    public void Save(CodecWriter writer) => writer.Signed(_count);

    public void Load(ReadOnlyMemory<byte> state) => _count = new CodecReader(state).Signed();
}
