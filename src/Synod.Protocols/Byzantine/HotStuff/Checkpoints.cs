using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// What a member states about the committed chain at a block: equal for all correct ones, since it is a function of the chain alone.
/// </summary>
/// <param name="Height">How many blocks lie above the root up to this one.</param>
/// <param name="View">The block's view.</param>
/// <param name="Block">The block.</param>
/// <param name="Position">Of the last command that is executed there.</param>
/// <param name="State">Stands for the whole state: block, clients and service.</param>
public sealed record ChainCheckpoint(long Height, long View, Digest Block, Slot Position, Digest State)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"C{Height} b{View} {Block} {Position} {State}");
}

/// <summary>A checkpoint that n - f members signed: f + 1 correct ones have its state on their disks, and nobody needs what led to it.</summary>
public sealed record StableCheckpoint(ChainCheckpoint Checkpoint, Proof Proof)
{
    /// <summary>The root, which needs no proof.</summary>
    public static StableCheckpoint None { get; } = new(new(0, 0, Genesis.Block.Digest, Slot.None, Digest.None), default);

    public long Height => Checkpoint.Height;

    public override string ToString() => $"stable {Checkpoint}";
}
