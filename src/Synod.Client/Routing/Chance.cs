namespace Synod.Client.Routing;

/// <summary>The client's only randomness: session ids and jitter, from one seed.</summary>
internal sealed class Chance(ulong? seed)
{
    private readonly Lock _gate = new();
    private readonly Random _random = seed is { } value ? new Random(unchecked((int)(value ^ (value >> 32)))) : new Random();
    private readonly ulong? _seed = seed;

    /// <summary>A session id: never zero, which the API keeps for "none".</summary>
    public ulong SessionId()
    {
        if (_seed is null)
        {
            Span<byte> bytes = stackalloc byte[8];
            System.Security.Cryptography.RandomNumberGenerator.Fill(bytes);
            return Math.Max(1, BitConverter.ToUInt64(bytes));
        }

        lock (_gate)
        {
            return Math.Max(1, unchecked((ulong)_random.NextInt64(long.MinValue, long.MaxValue)));
        }
    }

    public int Below(int count)
    {
        lock (_gate)
        {
            return _random.Next(count);
        }
    }

    /// <summary>The pause before try number <paramref name="tries"/> (from 0): doubling, between half and all of it at random.</summary>
    public TimeSpan Backoff(SynodClientOptions options, int tries)
    {
        var most = Math.Min(options.MaxBackoff.Ticks, options.MinBackoff.Ticks << Math.Min(tries, 20));
        lock (_gate)
        {
            return TimeSpan.FromTicks((most / 2) + _random.NextInt64((most / 2) + 1));
        }
    }
}
