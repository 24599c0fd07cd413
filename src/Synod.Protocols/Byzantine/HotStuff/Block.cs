using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// A proposal of one view. Its parent is the block that its certificate certifies, so that a block always extends its own justification.
/// Views grow strictly along a chain and take the place of heights.
/// </summary>
public sealed class Block : IEquatable<Block>
{
    /// <param name="view">The view in which it is proposed, from 1.</param>
    /// <param name="justify">Certifies the parent in its prepare phase.</param>
    /// <param name="commands">In the order in which they are executed.</param>
    public Block(long view, QuorumCertificate justify, ImmutableArray<HotStuff.Command> commands)
    {
        (View, Justify, Commands) = (view, justify, commands);
        var writer = new CodecWriter();
        HotStuff.Fields.Write(writer, this);
        (Digest, Length) = (Digest.Of(writer.Span), writer.Span.Length);
    }

    public long View { get; }

    public QuorumCertificate Justify { get; }

    public ImmutableArray<HotStuff.Command> Commands { get; }

    /// <summary>Of the canonical bytes of all of it, certificate included.</summary>
    public Digest Digest { get; }

    /// <summary>Bytes of all of it.</summary>
    public int Length { get; }

    public bool Equals(Block? other) => other is not null && Digest == other.Digest;

    public override bool Equals(object? obj) => Equals(obj as Block);

    /// <summary>For lookups in hash tables only.</summary>
    public override int GetHashCode() => Digest.GetHashCode();

    /// <summary>The notation of the paper's examples: view, view of the certificate in brackets, commands.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"b{View}[{Justify.View}]{(Commands.IsEmpty ? "" : $" {{{string.Join(" ", Commands)}}}")}");
}

/// <summary>What every replica agrees on before the first message.</summary>
public static class Genesis
{
    /// <summary>The root of every chain, of view 0.</summary>
    public static Block Block { get; } = new(0, new QuorumCertificate(VotePhase.Prepare, 0, Digest.None, default), []);

    /// <summary>Certifies the root without a signature, in every phase: hard-wired.</summary>
    public static QuorumCertificate Certificate { get; } = new(VotePhase.Prepare, 0, Block.Digest, default);
}
