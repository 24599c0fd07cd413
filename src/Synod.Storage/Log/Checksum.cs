using System.IO.Hashing;

namespace Synod.Storage;

/// <summary>
/// XxHash3, 64 bits: against bit rot and torn writes, not against attackers. Twice as long as a CRC32C and as fast, so that a scan of
/// a whole segment for headers meets no accidental match.
/// </summary>
internal static class Checksum
{
    public const int Size = sizeof(ulong);

#pragma warning disable RS0030 // System.IO is banned for its files; a hash of bytes does no IO.
    public static ulong Of(ReadOnlySpan<byte> data, ulong seed = 0) => XxHash3.HashToUInt64(data, (long)seed);
#pragma warning restore RS0030
}
