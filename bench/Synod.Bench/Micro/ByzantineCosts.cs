using System.Globalization;
using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;

namespace Synod.Bench.Micro;

/// <summary>
/// What a command of 8 B costs the four replicas of a Byzantine group together, in memory: with signatures that are a look into a
/// table the protocol alone, with Ed25519 what there is to gain.
/// </summary>
internal static class ByzantineCosts
{
    private static readonly int[] s_batches = [1, 100, 400];

    public static IEnumerable<MicroResult> MeasureAll()
    {
        yield return Verification();
        foreach (var isReal in new[] { false, true })
        {
            foreach (var batch in s_batches)
            {
                yield return Measure("PBFT", isReal, batch, new PbftInMemory(isReal, batch));
                yield return Measure("HotStuff, chained", isReal, batch, new HotStuffInMemory(new ChainedRules(), isReal, batch));
                yield return Measure("HotStuff, Jolteon", isReal, batch, new HotStuffInMemory(new JolteonRules(), isReal, batch));
            }
        }
    }

    private static MicroResult Measure<TMessage, TRecord, TCommand, TResult>(
        string name, bool isReal, int batch, ByzantineGroup<TMessage, TRecord, TCommand, TResult> group)
    {
        var count = batch * Math.Max(2, (isReal ? 400 : 4_000) / batch);
        var result = MicroResult.Measure("", count, _ => group.Run(), group.Prepare);
        var verified = group.Verified / (double)group.Executed;
        return result with
        {
            Name = string.Create(
                CultureInfo.InvariantCulture,
                $"{name}, 4 replicas, {(isReal ? "Ed25519" : "signature table")}, batches of {batch}: a command, {verified:0.0} verifications"),
        };
    }

    private static MicroResult Verification()
    {
        var node = new NodeId(1);
        var key = new byte[Ed25519Signer.PrivateKeySize];
        using var signer = new Ed25519Signer(node, key, new Dictionary<NodeId, byte[]> { [node] = Ed25519Signer.PublicKeyOf(key) });
        var statement = new byte[64];
        var signature = signer.Sign(statement);
        return MicroResult.Measure("Ed25519: a signature verified", 2_000, count =>
        {
            for (var number = 0; number < count; number++)
            {
                Invariant.Check(signer.Verify(node, statement, signature), "Sound");
            }
        });
    }
}
