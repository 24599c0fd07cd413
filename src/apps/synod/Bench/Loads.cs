using System.Globalization;
using Synod.Client;

namespace Synod.App.Bench;

/// <param name="Keys">How many keys there are.</param>
/// <param name="ValueBytes">Bytes of each value.</param>
/// <param name="Ranges">Ranges that the keys are spread over, each led by another node as far as there are nodes.</param>
internal sealed record LoadSettings(int Keys, int ValueBytes, int Ranges);

/// <summary>One kind of operation.</summary>
internal interface ILoad
{
    Task PrepareAsync(SynodClient client, CancellationToken cancellationToken);

    /// <summary>One operation; null if it was a read.</summary>
    Task<TransactionResult?> RunAsync(SynodClient client, Random random);
}

/// <summary>Keys of one prefix, cut into ranges of equal size that different nodes lead.</summary>
internal static class Spread
{
    /// <summary>Of values in one transaction; with their keys they stay well below what one may write.</summary>
    private const int MostBytesAtOnce = 16 << 20;

    public static string Key(string prefix, int number) => string.Create(CultureInfo.InvariantCulture, $"{prefix}/{number:d9}");

    public static async Task CutAsync(
        SynodClient client, string prefix, int keys, int ranges, int firstLeader, CancellationToken cancellationToken)
    {
        var leaders = Leaders(await client.DirectoryAsync(cancellationToken));
        for (var range = 0; range < ranges; range++)
        {
            var first = (int)((long)keys * range / ranges);
            await client.SplitAsync(Key(prefix, first), leaders[(firstLeader + range) % leaders.Count], cancellationToken);
        }
    }

    /// <summary>The nodes that hold every range, and so can lead each that is cut; 0, which lets the cluster choose, if there are none.</summary>
    private static List<int> Leaders(Api.Directory directory)
    {
        var everywhere = directory.Nodes.Select(node => node.Id)
            .Where(node => directory.Ranges.All(range => range.Replicas.Contains(node)))
            .Order()
            .ToList();
        return everywhere.Count > 0 ? everywhere : [0];
    }

    public static async Task FillAsync(
        SynodClient client, string prefix, int keys, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        var batch = Math.Clamp(MostBytesAtOnce / value.Length, 1, 500);
        for (var first = 0; first < keys; first += batch)
        {
            var from = first;
            var result = await client.TransactAsync(
                transaction =>
                {
                    for (var key = from; key < Math.Min(keys, from + batch); key++)
                    {
                        transaction.Put(System.Text.Encoding.UTF8.GetBytes(Key(prefix, key)), value);
                    }

                    return Task.CompletedTask;
                },
                cancellationToken);
            result.EnsureCommitted();
        }
    }
}

/// <summary>Puts of random keys.</summary>
internal sealed class WriteLoad(LoadSettings settings) : ILoad
{
    private readonly byte[] _value = new byte[settings.ValueBytes];

    public Task PrepareAsync(SynodClient client, CancellationToken cancellationToken)
    {
        new Random(1).NextBytes(_value);
        return Spread.CutAsync(client, "bench-kv", settings.Keys, settings.Ranges, 0, cancellationToken);
    }

    public async Task<TransactionResult?> RunAsync(SynodClient client, Random random) =>
        await client.PutAsync(System.Text.Encoding.UTF8.GetBytes(Spread.Key("bench-kv", random.Next(settings.Keys))), _value);
}

/// <summary>Linearizable gets of random keys that are all there.</summary>
internal sealed class ReadLoad(LoadSettings settings) : ILoad
{
    public async Task PrepareAsync(SynodClient client, CancellationToken cancellationToken)
    {
        await Spread.CutAsync(client, "bench-kv", settings.Keys, settings.Ranges, 0, cancellationToken);
        await Spread.FillAsync(client, "bench-kv", settings.Keys, new byte[settings.ValueBytes], cancellationToken);
    }

    public async Task<TransactionResult?> RunAsync(SynodClient client, Random random)
    {
        _ = await client.GetAsync(Spread.Key("bench-kv", random.Next(settings.Keys)))
            ?? throw new InvalidOperationException("A key that was written before the measurement is gone.");
        return null;
    }
}

/// <summary>Moves one unit from a random account of one bank to one of another bank, whose ranges other nodes lead.</summary>
internal sealed class TransferLoad(LoadSettings settings) : ILoad
{
    private const string From = "bench-bank-a";
    private const string To = "bench-bank-b";

    public async Task PrepareAsync(SynodClient client, CancellationToken cancellationToken)
    {
        await Spread.CutAsync(client, From, settings.Keys, settings.Ranges, 0, cancellationToken);
        await Spread.CutAsync(client, To, settings.Keys, settings.Ranges, 1, cancellationToken);
        var balance = System.Text.Encoding.UTF8.GetBytes("1000000");
        await Spread.FillAsync(client, From, settings.Keys, balance, cancellationToken);
        await Spread.FillAsync(client, To, settings.Keys, balance, cancellationToken);
    }

    public async Task<TransactionResult?> RunAsync(SynodClient client, Random random)
    {
        var from = Spread.Key(From, random.Next(settings.Keys));
        var to = Spread.Key(To, random.Next(settings.Keys));
        return await client.TransactAsync(async transaction =>
        {
            var reads = await Task.WhenAll(transaction.GetAsync(from), transaction.GetAsync(to));
            transaction.Put(from, Add(reads[0], -1));
            transaction.Put(to, Add(reads[1], 1));
        });
    }

    private static string Add(Entry? account, long amount) =>
        (long.Parse(account!.ValueText, CultureInfo.InvariantCulture) + amount).ToString(CultureInfo.InvariantCulture);
}
