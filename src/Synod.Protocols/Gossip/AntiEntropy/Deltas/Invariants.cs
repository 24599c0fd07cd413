using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

public sealed partial class DeltaSync
{
    /// <summary>What replicas that have the same changes have is equal, to the byte. Over several nodes, so hosts check it.</summary>
    public const string SameChangesSameState = nameof(SameChangesSameState);

    /// <summary>A change that was answered is never lost. Over time, so hosts check it.</summary>
    public const string AnsweredIsKept = nameof(AnsweredIsKept);

    /// <summary>A delta that this replica made durable can be joined again.</summary>
    public const string OwnDeltasJoin = nameof(OwnDeltasJoin);

    /// <summary>The changes that are kept are the latest, without a gap.</summary>
    public const string BufferIsASuffix = nameof(BufferIsASuffix);

    /// <summary>No peer has changes that were not made.</summary>
    public const string AcksAreOfThePast = nameof(AcksAreOfThePast);

    /// <summary>The buffer is not larger than it may be.</summary>
    public const string BufferIsBounded = nameof(BufferIsBounded);

    /// <summary>Nobody lives as an origin that is given up.</summary>
    public const string FencedIsOver = nameof(FencedIsOver);

    public override void CheckInvariants()
    {
        Invariant.Check(
            _buffer.Count == 0 || (_buffer.Keys.Last() == _changes - 1 && _buffer.Count == _changes - Oldest), BufferIsASuffix);
        Invariant.Check(_bufferedBytes <= _options.MostBufferedBytes, BufferIsBounded);
        Invariant.Check(!_roster.IsFenced(_self), FencedIsOver, $"{_self} is in {_roster}");
        foreach (var (node, peer) in _peers)
        {
            Invariant.Check(
                peer.Acked <= _changes || _options.Mutation == DeltaMutation.AckToFormerLife, AcksAreOfThePast, $"{node}: {peer.Acked} of {_changes}");
        }
    }
}
