using System.Diagnostics;
using Synod.Core;
using Synod.Node;

namespace Synod.App.Protocols.Load;

/// <summary>How many Ed25519 signatures this machine can check in a second when it does nothing else, on all cores.</summary>
internal static class VerificationLimit
{
    private static readonly TimeSpan Warmup = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(1);

    /// <summary>Signatures checked per second. Takes a little more than a second.</summary>
    public static double Measure()
    {
        var counts = new double[Environment.ProcessorCount];
        var threads = counts.Select((_, core) => new Thread(() => counts[core] = PerSecond())).ToArray();
        foreach (var thread in threads)
        {
            thread.Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }

        return counts.Sum();
    }

    private static double PerSecond()
    {
        var node = new NodeId(1);
        var key = new byte[Ed25519Signer.PrivateKeySize];
        using var signer = new Ed25519Signer(node, key, new Dictionary<NodeId, byte[]> { [node] = Ed25519Signer.PublicKeyOf(key) });
        var statement = new byte[64];
        var signature = signer.Sign(statement);
        _ = CountFor(Warmup);
        var began = Stopwatch.GetTimestamp();
        return CountFor(Length) / Stopwatch.GetElapsedTime(began).TotalSeconds;

        long CountFor(TimeSpan time)
        {
            var (count, start) = (0L, Stopwatch.GetTimestamp());
            while (Stopwatch.GetElapsedTime(start) < time)
            {
                Invariant.Check(signer.Verify(node, statement, signature), "OwnSignatureIsValid");
                count++;
            }

            return count;
        }
    }
}
