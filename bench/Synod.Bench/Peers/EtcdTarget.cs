using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Synod.Bench.Load;
using Synod.Bench.Peers.EtcdWire;

namespace Synod.Bench.Peers;

/// <summary>
/// etcd, spoken to at its leader, which spares it a hop: its best case. Eight clients share a connection; one connection for all
/// would make HTTP/2 framing the bottleneck, one each costs both sides more.
/// </summary>
internal sealed class EtcdTarget : ITarget
{
    private const int ClientsPerChannel = 8;

    private readonly List<GrpcChannel> _channels = [];
    private readonly KV.KVClient[] _clients;
    private readonly ByteString[] _keys;
    private readonly ByteString _value;
    private readonly bool _reads;

    private EtcdTarget(Uri leader, int clients, KeyValueLoad load)
    {
        _reads = load.Reads;
        _keys = [.. load.Keys().Select(key => ByteString.CopyFrom(key))];
        _value = ByteString.CopyFrom(load.Value());
        for (var index = 0; index < (clients + ClientsPerChannel - 1) / ClientsPerChannel; index++)
        {
            _channels.Add(Channel(leader));
        }

        _clients = [.. Enumerable.Range(0, clients).Select(client => new KV.KVClient(_channels[client % _channels.Count]))];
    }

    public string Name => "etcd";

    /// <summary>Finds the leader, and writes the keys if they are to be read.</summary>
    public static async Task<EtcdTarget> ConnectAsync(IReadOnlyList<string> endpoints, int clients, KeyValueLoad load)
    {
        var target = new EtcdTarget(await FindLeaderAsync(endpoints), clients, load);
        if (load.Reads)
        {
            await Parallel.ForEachAsync(
                target._keys,
                new ParallelOptions { MaxDegreeOfParallelism = 32 },
                async (key, stop) => await target._clients[0].PutAsync(
                    new PutRequest { Key = key, Value = target._value }, cancellationToken: stop));
        }

        return target;
    }

    public async Task<int> OperateAsync(int client, Random random)
    {
        var key = _keys[random.Next(_keys.Length)];
        try
        {
            if (!_reads)
            {
                await _clients[client].PutAsync(new PutRequest { Key = key, Value = _value });
            }
            else if ((await _clients[client].RangeAsync(new RangeRequest { Key = key })).Kvs.Count != 1)
            {
                throw new OperationFailedException("etcd did not find a key that was written");
            }

            return 0;
        }
        catch (RpcException failure)
        {
            throw new OperationFailedException(failure.Status.ToString());
        }
    }

    public ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            channel.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private static GrpcChannel Channel(Uri address) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = false },
        DisposeHttpClient = true,
    });

    private static async Task<Uri> FindLeaderAsync(IReadOnlyList<string> endpoints)
    {
        foreach (var endpoint in endpoints)
        {
            var address = new Uri($"http://{endpoint}");
            if (!IPAddress.TryParse(address.Host, out var ip) || !IPAddress.IsLoopback(ip))
            {
                throw new ArgumentException($"{endpoint} is not on loopback, and this comparison never leaves the machine.");
            }

            using var channel = Channel(address);
            var status = await new Maintenance.MaintenanceClient(channel).StatusAsync(new StatusRequest());
            if (status.Leader == status.Header.MemberId)
            {
                return address;
            }
        }

        throw new InvalidOperationException("None of etcd's endpoints leads.");
    }
}
