using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>The bytes that are signed: bound to protocol, cluster, epoch and kind, and never equal for two meanings.</summary>
public sealed class Statements(SigningDomain domain)
{
    private const byte VoteKind = 1;
    private const byte TimeoutKind = 2;
    private const byte CommandKind = 3;
    private const byte CheckpointKind = 4;

    private readonly CodecWriter _writer = new();

    /// <summary>"I vote for this block in this phase of this view." Valid until the next call.</summary>
    public ReadOnlySpan<byte> Vote(VotePhase phase, long view, Digest block)
    {
        domain.Begin(_writer, VoteKind);
        _writer.Byte((byte)phase);
        _writer.Signed(view);
        block.Write(_writer);
        return _writer.Span;
    }

    /// <summary>"I vote no more in this view, and know a certificate of that one." Valid until the next call.</summary>
    public ReadOnlySpan<byte> Timeout(long view, long highView)
    {
        domain.Begin(_writer, TimeoutKind);
        _writer.Signed(view);
        _writer.Signed(highView);
        return _writer.Span;
    }

    /// <summary>"I want this executed, once." Valid until the next call.</summary>
    public ReadOnlySpan<byte> Command(NodeId client, long sequence, ReadOnlyMemory<byte> payload)
    {
        domain.Begin(_writer, CommandKind);
        _writer.Node(client);
        _writer.Signed(sequence);
        _writer.Bytes(payload.Span);
        return _writer.Span;
    }

    /// <summary>"I have executed the chain up to there, and keep the state." Valid until the next call.</summary>
    public ReadOnlySpan<byte> Checkpoint(ChainCheckpoint checkpoint)
    {
        domain.Begin(_writer, CheckpointKind);
        HotStuff.Fields.Write(_writer, checkpoint);
        return _writer.Span;
    }
}
