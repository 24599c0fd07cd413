using Synod.Core;
using Synod.Protocols.Snapshots;

namespace Synod.App.Protocols.Snapshots;

/// <summary>
/// A branch of a bank as the process that is snapshotted: one account, and of each client how many transfers it has sent from here. Money
/// leaves with a message and is nowhere but in its channel until that arrives.
/// </summary>
internal sealed class Branch(NodeId self, int branches, long money) : IApplication
{
    private readonly SortedDictionary<int, long> _sent = [];
    private long _money = money;

    /// <summary>The command that sends money on a client's behalf to the branch that is so many after the one asked.</summary>
    public static byte[] Transfer(int client, long amount, int after)
    {
        var writer = new CodecWriter();
        writer.Int(client);
        writer.Signed(amount);
        writer.Int(after);
        return writer.ToArray();
    }

    /// <summary>Whether what a branch answered to a command means that money was sent.</summary>
    public static bool IsSent(ReadOnlyMemory<byte> told) => !told.IsEmpty;

    /// <summary>The money of a whole cut, in accounts and in channels.</summary>
    public static long Money(Cut cut) => cut.Total(state => Read(state)?.Money ?? 0, message => AmountIn(message) ?? 0);

    /// <summary>The money that each branch has in a cut, and with <paramref name="arrived"/> also what is on its way there.</summary>
    public static SortedDictionary<NodeId, long> Accounts(Cut cut, bool arrived)
    {
        var accounts = new SortedDictionary<NodeId, long>();
        foreach (var piece in cut.Pieces)
        {
            var coming = arrived ? piece.Incoming.SelectMany(channel => channel.Contents).Sum(message => AmountIn(message.Body) ?? 0) : 0;
            accounts[piece.Process] = (Read(piece.State)?.Money ?? 0) + coming;
        }

        return accounts;
    }

    /// <summary>How many transfers each client has sent until a cut, from whichever branch.</summary>
    public static Dictionary<int, long> Sent(Cut cut)
    {
        var sent = new Dictionary<int, long>();
        foreach (var (client, count) in cut.Pieces.SelectMany(piece => Read(piece.State)?.Sent ?? []))
        {
            sent[client] = sent.GetValueOrDefault(client) + count;
        }

        return sent;
    }

    public void Receive(NodeId from, ReadOnlyMemory<byte> message, Sending send) => _money += AmountIn(message) ?? 0;

    public ReadOnlyMemory<byte> Submit(ReadOnlyMemory<byte> command, Sending send)
    {
        var reader = new CodecReader(command);
        var (client, amount, after) = (reader.Int(), reader.Signed(), reader.Int());
        if (!reader.IsComplete || amount <= 0 || amount > _money || after < 0
            || !send(new NodeId(1 + (int)((self.Value - 1 + (long)after) % branches)), Amount(amount)))
        {
            return default;
        }

        _money -= amount;
        _sent[client] = _sent.GetValueOrDefault(client) + 1;
        return Amount(amount);
    }

    public ReadOnlyMemory<byte> Save()
    {
        var writer = new CodecWriter();
        writer.Signed(_money);
        writer.Int(_sent.Count);
        foreach (var (client, count) in _sent)
        {
            writer.Int(client);
            writer.Signed(count);
        }

        return writer.ToArray();
    }

    public bool TryLoad(ReadOnlyMemory<byte> state)
    {
        if (Read(state) is not var (money, sent))
        {
            return false;
        }

        _money = money;
        _sent.Clear();
        foreach (var (client, count) in sent)
        {
            _sent.Add(client, count);
        }

        return true;
    }

    private static byte[] Amount(long amount)
    {
        var writer = new CodecWriter();
        writer.Signed(amount);
        return writer.ToArray();
    }

    private static long? AmountIn(ReadOnlyMemory<byte> message)
    {
        var reader = new CodecReader(message);
        var amount = reader.Signed();
        return reader.IsComplete && amount > 0 ? amount : null;
    }

    private static (long Money, List<(int Client, long Count)> Sent)? Read(ReadOnlyMemory<byte> state)
    {
        var reader = new CodecReader(state);
        var (money, count) = (reader.Signed(), reader.Int());
        var sent = new List<(int Client, long Count)>();
        while (sent.Count < count && !reader.Failed)
        {
            sent.Add((reader.Int(), reader.Signed()));
        }

        return reader.IsComplete && money >= 0 ? (money, sent) : null;
    }
}
