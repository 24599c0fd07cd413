using Synod.Bench.Load;
using Synod.Client;

namespace Synod.Bench.Peers;

/// <summary>A Synod cluster, spoken to through its client library: several clients of the load share one.</summary>
internal sealed class SynodTarget : ITarget
{
    private const int LoadClientsPerClient = 32;

    private readonly SynodClient[] _clients;
    private readonly byte[][] _keys;
    private readonly byte[] _value;
    private readonly bool _reads;

    private SynodTarget(IReadOnlyList<string> endpoints, int clients, KeyValueLoad load)
    {
        _reads = load.Reads;
        _keys = [.. load.Keys()];
        _value = load.Value();
        var count = (clients + LoadClientsPerClient - 1) / LoadClientsPerClient;
        _clients = [.. Enumerable.Range(0, count).Select(_ => new SynodClient(new SynodClientOptions { Endpoints = endpoints }))];
    }

    public string Name => "synod";

    /// <summary>Cuts the keys into <paramref name="ranges"/> ranges, and writes them if they are to be read.</summary>
    public static async Task<SynodTarget> ConnectAsync(
        IReadOnlyList<string> endpoints, int clients, KeyValueLoad load, int ranges)
    {
        var target = new SynodTarget(endpoints, clients, load);
        for (var cut = 1; cut < ranges; cut++)
        {
            await target._clients[0].SplitAsync(load.Key(load.KeyCount / ranges * cut), 1 + (cut % endpoints.Count));
        }

        if (load.Reads)
        {
            await Parallel.ForEachAsync(
                target._keys,
                new ParallelOptions { MaxDegreeOfParallelism = 32 },
                async (key, stop) => (await target._clients[0].PutAsync(key, target._value, stop)).EnsureCommitted());
        }

        return target;
    }

    public async Task<int> OperateAsync(int client, Random random)
    {
        var key = _keys[random.Next(_keys.Length)];
        var via = _clients[client % _clients.Length];
        try
        {
            if (_reads)
            {
                return await via.GetAsync(key) is not null
                    ? 0
                    : throw new OperationFailedException("Synod did not find a key that was written");
            }

            var result = await via.PutAsync(key, _value);
            return result.IsCommitted
                ? result.Attempts - 1
                : throw new OperationFailedException($"{result.Outcome}: {result.Reason}");
        }
        catch (SynodUnavailableException failure)
        {
            throw new OperationFailedException(failure.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }
    }
}
