using Synod.Core;

namespace Synod.Crdt.Tests;

/// <summary>Three replicas by name, and times by number.</summary>
internal static class Replicas
{
    public static readonly ReplicaId A = new(new NodeId(1), 0xA);
    public static readonly ReplicaId B = new(new NodeId(2), 0xB);
    public static readonly ReplicaId C = new(new NodeId(3), 0xC);

    public static HybridTimestamp At(long time) => new(new Timestamp(time), 0);

    /// <summary>A copy, as a message carries it: through bytes.</summary>
    public static T Sent<T>(T state)
        where T : class, ILattice<T>
    {
        Assert.Equal(Decoding.Ok, StateCodec.Decode(state, StateCodec.Encode(state), out var read));
        return read!;
    }

    public static void AssertEqual<T>(T expected, T actual)
        where T : class, ILattice<T>
    {
        Assert.Equal(Convert.ToHexString(StateCodec.Encode(expected)), Convert.ToHexString(StateCodec.Encode(actual)));
        Assert.True(expected.LessOrEqual(actual) && actual.LessOrEqual(expected));
    }
}
