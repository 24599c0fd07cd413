using Synod.Storage.Mvcc;

namespace Synod.Database;

/// <summary>What one request may ask for. Named in the errors that it runs into.</summary>
public static class Limits
{
    /// <summary>The longest key, in bytes.</summary>
    public const int KeyBytes = MvccLimits.MaxKeyBytes;

    /// <summary>The longest value, in bytes.</summary>
    public const int ValueBytes = MvccLimits.MaxValueBytes;

    /// <summary>All keys and values that one transaction writes, in bytes.</summary>
    public const long TransactionBytes = 64L << 20;

    /// <summary>Keys of one page of a scan.</summary>
    public const int ScanItems = 1_000;

    /// <summary>Bytes of one page of a scan.</summary>
    public const int ScanBytes = 1 << 20;
}
