using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Doubt about a peer whose answers should be regular (Hayashibara et al. 2004; gossip.md §3): phi is the negative decimal logarithm of
/// the probability that an answer comes this late or later, given the intervals so far.
/// </summary>
public sealed class PhiAccrual
{
    private readonly PhiAccrualOptions _options;

    // Intervals in microseconds, oldest overwritten first, with sums in whole numbers: nothing drifts however long it runs.
    private readonly List<long> _intervals = [];
    private int _oldest;
    private Instant _last;
    private long _sum;
    private Int128 _squares;

    /// <param name="expected">How far apart answers are, until some have come.</param>
    /// <param name="now">When the first one is waited for.</param>
    public PhiAccrual(PhiAccrualOptions options, Duration expected, Instant now)
    {
        _options = options;
        _last = now;

        // A guess and its spread: mean and deviation come out as the expected interval and a quarter of it.
        var (mean, spread) = (expected.Nanoseconds / 1_000, expected.Nanoseconds / 4_000);
        Add(mean - spread);
        Add(mean + spread);
    }

    /// <summary>Intervals that it knows, the first guess included.</summary>
    public int Samples => _intervals.Count;

    public void Heartbeat(Instant now)
    {
        Add(Math.Max(0, (now - _last).Nanoseconds / 1_000));
        _last = now;
    }

    /// <summary>This process paused: what passed since the last answer is no sample, and waiting begins anew.</summary>
    public void Skip(Instant now) => _last = now;

    /// <summary>0 when an answer is not due yet, and growing without bound while none comes.</summary>
    public double Phi(Instant now)
    {
        var count = _intervals.Count;
        var mean = (double)_sum / count;
        var variance = Math.Max(0, (double)(_squares * count - (Int128)_sum * _sum) / ((double)count * count));
        var deviation = Math.Max(Math.Sqrt(variance), _options.LeastDeviation.Nanoseconds / 1_000.0);
        return Phi((now - _last).Nanoseconds / 1_000.0, mean + _options.AcceptablePause.Nanoseconds / 1_000.0, deviation);
    }

    public void State(StateVisitor visitor)
    {
        visitor.Visit("", _intervals, static (v, ref interval) => v.Visit("", ref interval));
        visitor.Visit("", ref _oldest);
        visitor.Visit("", ref _last);
        if (visitor.IsReading)
        {
            _sum = _intervals.Sum();
            _squares = _intervals.Aggregate((Int128)0, (sum, interval) => sum + (Int128)interval * interval);
        }
    }

    /// <summary>The logistic approximation of the normal tail, by its logarithm, so that it neither overflows nor ends at a largest doubt.</summary>
    internal static double Phi(double waited, double mean, double deviation)
    {
        var y = (waited - mean) / deviation;
        var exponent = y * (1.5976 + 0.070566 * y * y);

        // With e = exp(-exponent) the tail is e/(1+e).
        return exponent > 0
            ? exponent / Math.Log(10) + Math.Log10(1 + Math.Exp(-exponent))
            : Math.Log10(1 + Math.Exp(exponent));
    }

    private void Add(long interval)
    {
        if (_intervals.Count < _options.Window)
        {
            _intervals.Add(interval);
        }
        else
        {
            var old = _intervals[_oldest];
            _sum -= old;
            _squares -= (Int128)old * old;
            _intervals[_oldest] = interval;
            _oldest = (_oldest + 1) % _options.Window;
        }

        _sum += interval;
        _squares += (Int128)interval * interval;
    }
}
