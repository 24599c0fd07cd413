using System.Buffers.Binary;
using System.Text;
using Synod.Bench.Load;
using Synod.Client;

namespace Synod.Bench.Peers;

/// <summary>
/// Transfers between accounts of two ranges: read both, check the balance, write both, commit. The client library does what it
/// does for everybody: locks by its reads, one commit over both ranges.
/// </summary>
internal sealed class SynodTransfers : ITarget
{
    private readonly SynodClient _client;
    private readonly TransferLoad _load;
    private readonly byte[][][] _accounts;

    private SynodTransfers(SynodClient client, TransferLoad load)
    {
        _client = client;
        _load = load;
        _accounts = [.. Enumerable.Range(0, TransferLoad.Sides).Select(side =>
            Enumerable.Range(0, load.AccountsPerSide).Select(number => Key(side, number)).ToArray())];
    }

    public string Name => "synod";

    public static async Task<SynodTransfers> ConnectAsync(IReadOnlyList<string> endpoints, TransferLoad load)
    {
        var client = new SynodClient(new SynodClientOptions { Endpoints = endpoints });
        var target = new SynodTransfers(client, load);
        for (var side = 0; side < TransferLoad.Sides; side++)
        {
            await client.SplitAsync(Key(side, 0), 1 + (side % endpoints.Count));
            foreach (var some in target._accounts[side].Chunk(500))
            {
                var result = await client.TransactAsync(transaction =>
                {
                    foreach (var account in some)
                    {
                        transaction.Put(account, Balance(TransferLoad.StartBalance));
                    }

                    return Task.CompletedTask;
                });
                result.EnsureCommitted();
            }
        }

        return target;
    }

    public async Task<int> OperateAsync(int client, Random random)
    {
        var transfer = _load.Draw(random);
        var from = _accounts[transfer.FromSide][transfer.From];
        var to = _accounts[1 - transfer.FromSide][transfer.To];
        try
        {
            var result = await _client.TransactAsync(async transaction =>
            {
                var reads = await Task.WhenAll(transaction.GetAsync(from), transaction.GetAsync(to));
                var source = BinaryPrimitives.ReadInt64LittleEndian(reads[0]!.Value.Span);
                var target = BinaryPrimitives.ReadInt64LittleEndian(reads[1]!.Value.Span);
                if (source >= transfer.Amount)
                {
                    transaction.Put(from, Balance(source - transfer.Amount));
                    transaction.Put(to, Balance(target + transfer.Amount));
                }
            });
            return result.IsCommitted
                ? result.Attempts - 1
                : throw new OperationFailedException($"{result.Outcome}: {result.Reason}");
        }
        catch (SynodUnavailableException failure)
        {
            throw new OperationFailedException(failure.Message);
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private static byte[] Key(int side, int number) => Encoding.ASCII.GetBytes($"account/{side}/{number:D8}");

    private static byte[] Balance(long amount)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, amount);
        return bytes;
    }
}
