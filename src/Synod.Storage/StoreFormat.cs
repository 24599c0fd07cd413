namespace Synod.Storage;

/// <summary>The version and the owner of a store, written in it.</summary>
public static class StoreFormat
{
    /// <summary>The layout of keys and values that this program writes.</summary>
    public const uint Version = 1;

    /// <summary>Writes version and owner into an empty store, or checks those of an old one.</summary>
    /// <returns>Whether the store was empty.</returns>
    /// <exception cref="StoreRefused">The store has another version or owner.</exception>
    public static bool Claim(IStore store, LogIdentity owner) => throw new NotImplementedException();
}
