using System.Text;

namespace Synod.Client;

/// <summary>The same operations for keys and values that are text, as UTF-8.</summary>
public static class TextExtensions
{
    public static Task<Entry?> GetAsync(this SynodClient client, string key, CancellationToken cancellationToken = default) =>
        client.GetAsync(Bytes(key), cancellationToken);

    public static Task<TransactionResult> PutAsync(
        this SynodClient client, string key, string value, CancellationToken cancellationToken = default) =>
        client.PutAsync(Bytes(key), Bytes(value), cancellationToken);

    public static Task<TransactionResult> DeleteAsync(
        this SynodClient client, string key, CancellationToken cancellationToken = default) =>
        client.DeleteAsync(Bytes(key), cancellationToken);

    public static IAsyncEnumerable<Entry> ScanAsync(
        this SynodClient client, string start, string end, int limit = 0, CancellationToken cancellationToken = default) =>
        client.ScanAsync(Bytes(start), Bytes(end), limit, cancellationToken);

    public static Task SplitAsync(
        this SynodClient client, string key, int preferredLeader = 0, CancellationToken cancellationToken = default) =>
        client.SplitAsync(Bytes(key), preferredLeader, cancellationToken);

    public static Task<Entry?> GetAsync(this SynodSnapshot snapshot, string key, CancellationToken cancellationToken = default) =>
        snapshot.GetAsync(Bytes(key), cancellationToken);

    public static IAsyncEnumerable<Entry> ScanAsync(
        this SynodSnapshot snapshot, string start, string end, int limit = 0, CancellationToken cancellationToken = default) =>
        snapshot.ScanAsync(Bytes(start), Bytes(end), limit, cancellationToken);

    public static Task<Entry?> GetAsync(
        this SynodTransaction transaction, string key, CancellationToken cancellationToken = default) =>
        transaction.GetAsync(Bytes(key), cancellationToken);

    public static IAsyncEnumerable<Entry> ScanAsync(
        this SynodTransaction transaction, string start, string end, int limit = 0, CancellationToken cancellationToken = default) =>
        transaction.ScanAsync(Bytes(start), Bytes(end), limit, cancellationToken);

    public static void Put(this SynodTransaction transaction, string key, string value) =>
        transaction.Put(Bytes(key), Bytes(value));

    public static void Delete(this SynodTransaction transaction, string key) => transaction.Delete(Bytes(key));

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
