namespace Synod.Bench.Load;

/// <summary>Transfers between accounts of two sides: two ranges, or two servers.</summary>
internal sealed record TransferLoad(int AccountsPerSide)
{
    public const int Sides = 2;

    /// <summary>So much that no transfer of a run fails for lack of money.</summary>
    public const long StartBalance = 1_000_000_000;

    public Transfer Draw(Random random) => new(
        random.Next(Sides), random.Next(AccountsPerSide), random.Next(AccountsPerSide), random.Next(1, 100));
}

/// <summary>One transfer to the other side.</summary>
/// <param name="FromSide">0 or 1.</param>
/// <param name="From">The account there.</param>
/// <param name="To">The account on the other side.</param>
/// <param name="Amount">How much.</param>
internal readonly record struct Transfer(int FromSide, int From, int To, long Amount);
