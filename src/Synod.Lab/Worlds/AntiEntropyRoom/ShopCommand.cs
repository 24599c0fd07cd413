using Synod.Core;

namespace Synod.Lab.Worlds.AntiEntropyRoom;

internal enum ShopAction : byte
{
    /// <summary>Counts likes, up or down.</summary>
    Like,
    Tag,
    Untag,

    /// <summary>Puts so many of an article into the cart.</summary>
    Put,

    /// <summary>Takes an article out of the cart, however many.</summary>
    Drop,

    /// <summary>Writes a note beside those of others.</summary>
    Note,

    /// <summary>Writes the title over that of others.</summary>
    Title,

    /// <summary>Inserts a line at a place.</summary>
    Insert,

    /// <summary>Deletes the line at a place.</summary>
    Delete,

    /// <summary>Adds to the stock.</summary>
    Stock,

    /// <summary>Takes from the stock.</summary>
    Sell,

    /// <summary>Hands rights to sell to another replica.</summary>
    Hand,
}

/// <summary>An operation on a <see cref="Shop"/>.</summary>
/// <param name="Id">Its own in the whole run.</param>
internal sealed record ShopCommand(long Id, ShopAction Action, string Text, long Number)
{
    public ReadOnlyMemory<byte> Write()
    {
        var writer = new CodecWriter();
        writer.Signed(Id);
        writer.Byte((byte)Action);
        writer.String(Text);
        writer.Signed(Number);
        return writer.ToArray();
    }

    public static ShopCommand Read(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        return new ShopCommand(reader.Signed(), (ShopAction)reader.Byte(), reader.String(), reader.Signed());
    }
}
