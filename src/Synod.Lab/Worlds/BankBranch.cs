using System.Globalization;
using System.Text;
using Synod.Core;
using Synod.Protocols.Snapshots;

namespace Synod.Lab.Worlds;

/// <summary>
/// The chapter's bank, as seen by one of its branches: one account, and transfers that are in a channel for a while. A command is an
/// amount and a branch, a message an amount, a state the balance, all as text.
/// </summary>
public sealed class BankBranch(long balance) : IApplication
{
    public long Balance { get; private set; } = balance;

    public static ReadOnlyMemory<byte> Transfer(long amount, NodeId to) =>
        Text(string.Create(CultureInfo.InvariantCulture, $"{amount} {to.Value}"));

    /// <summary>The money in a state or a message.</summary>
    public static long Money(ReadOnlyMemory<byte> text) =>
        long.TryParse(text.Span, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) ? amount : 0;

    /// <summary>The money of a whole cut, in accounts and channels.</summary>
    public static long Money(Cut cut) => cut.Total(Money, Money);

    public void Receive(NodeId from, ReadOnlyMemory<byte> message, Sending send) => Balance += Money(message);

    public ReadOnlyMemory<byte> Submit(ReadOnlyMemory<byte> command, Sending send)
    {
        var parts = Encoding.UTF8.GetString(command.Span).Split(' ');
        if (parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var to)
            && amount <= Balance
            && send(new NodeId(to), Text(amount.ToString(CultureInfo.InvariantCulture))))
        {
            Balance -= amount;
            return Text("sent");
        }

        return Text("refused");
    }

    public ReadOnlyMemory<byte> Save() => Text(Balance.ToString(CultureInfo.InvariantCulture));

    public bool TryLoad(ReadOnlyMemory<byte> state)
    {
        if (!long.TryParse(state.Span, NumberStyles.None, CultureInfo.InvariantCulture, out var loaded))
        {
            return false;
        }

        Balance = loaded;
        return true;
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
