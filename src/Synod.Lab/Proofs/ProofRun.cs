using System.Runtime.ExceptionServices;

namespace Synod.Lab.Proofs;

/// <summary>How a proof is to be checked.</summary>
/// <param name="Size">How many of the proof's units.</param>
/// <param name="Jobs">How many threads share what can be shared out.</param>
/// <param name="Tell">Told now and then how far the check is, by one thread at a time; whatever it throws ends the check.</param>
public sealed record ProofRun(int Size, int Jobs, Action<ProofProgress> Tell)
{
    /// <summary>
    /// Does as many things as the size says, so many at a time, and throws what the first one of them that fails throws: the same whichever thread was
    /// faster.
    /// </summary>
    /// <param name="what">What they are.</param>
    /// <param name="atOnce">How many one thread does before it tells of it.</param>
    /// <param name="begin">What each thread has for itself.</param>
    /// <param name="body">Does a number of them from one on.</param>
    internal void Each<TOwn>(string what, int atOnce, Func<TOwn> begin, Action<TOwn, int, int> body)
    {
        var (gate, done) = (new Lock(), 0);
        (int At, ExceptionDispatchInfo Failure)? first = null;
        var parts = (Size + atOnce - 1) / atOnce;
        Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = Jobs }, begin, (part, loop, own) =>
        {
            try
            {
                var from = part * atOnce;
                var count = Math.Min(atOnce, Size - from);
                body(own, from, count);
                lock (gate)
                {
                    done += count;
                    Tell(new(what, done, Size, 0));
                }
            }
            catch (Exception failure)
            {
                lock (gate)
                {
                    first = first is { } known && known.At < part ? known : (part, ExceptionDispatchInfo.Capture(failure));
                }

                // Those before it still run: one of them may fail too.
                loop.Break();
            }

            return own;
        }, _ => { });
        first?.Failure.Throw();
    }
}

/// <summary>How far the check of a proof is.</summary>
/// <param name="What">What is counted.</param>
/// <param name="Done">How many of these are done.</param>
/// <param name="Of">Out of how many.</param>
/// <param name="Found">How many new ones came up for what follows.</param>
public readonly record struct ProofProgress(string What, long Done, long Of, long Found);
