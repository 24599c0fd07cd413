using System.Globalization;
using Synod.Core;
using Synod.Storage.Mvcc;

namespace Synod.Storage;

/// <summary>The version and the owner of a store, written in it.</summary>
public static class StoreFormat
{
    /// <summary>The layout of keys and values that this program writes.</summary>
    public const uint Version = 2;

    private static readonly byte[] FormatKey = [(byte)KeyFamily.Format, .. "synod"u8];

    /// <summary>Whether somebody's applied state is in the store.</summary>
    public static bool IsClaimed(IStoreReader store) => store.Get(FormatKey) is not null;

    /// <summary>Writes version and owner into an empty store, or checks those of an old one.</summary>
    /// <returns>Whether the store was empty.</returns>
    /// <exception cref="StoreRefused">The store has another version or owner.</exception>
    public static bool Claim(IStore store, LogIdentity owner)
    {
        if (store.Get(FormatKey) is not { } found)
        {
            return Begin(store, owner);
        }

        var reader = new CodecReader(found);
        var version = reader.Fixed32();
        if (reader.Failed || version != Version)
        {
            throw Refused(string.Create(CultureInfo.InvariantCulture, $"The store has format {version}, and this program knows only format {Version}."),
                "The data folder was written by another version of Synod; nothing in it was changed.",
                "Start the version that wrote it, or follow its notes on upgrading.");
        }

        var identity = LogSegment.ReadIdentity(ref reader);
        if (!reader.IsComplete || identity != owner)
        {
            throw Refused(
                $"The store belongs to {identity}, and this is {owner}.",
                "Log and store of a data folder belong together; nothing was changed.",
                "Point this node at its own data folder, or at an empty one if it is new.");
        }

        return false;
    }

    private static bool Begin(IStore store, LogIdentity owner)
    {
        using (var cursor = store.Seek(KeySpan.All))
        {
            if (cursor.Next())
            {
                throw Refused(
                    "The store holds data and no format.",
                    "It is no store of Synod, or its first key was lost; nothing was changed.",
                    "Point this node at its own data folder, or at an empty one if it is new.");
            }
        }

        var writer = new CodecWriter();
        writer.Fixed32(Version);
        LogSegment.WriteIdentity(writer, owner);
        var batch = new StoreBatch();
        batch.Put(FormatKey, writer.ToArray());
        store.Write(batch);
        return true;
    }

    private static StoreRefused Refused(string what, string meaning, string remedy) => new(what, meaning, remedy);
}
