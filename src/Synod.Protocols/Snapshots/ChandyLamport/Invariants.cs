using Synod.Core;

namespace Synod.Protocols.Snapshots;

public sealed partial class ChandyLamport
{
    /// <summary>A complete snapshot is a consistent cut. Over several nodes, so hosts check it, with <see cref="Cut.Inconsistency"/>.</summary>
    public const string CutConsistency = nameof(CutConsistency);

    /// <summary>What the application keeps constant is the same in every cut, channels included. Hosts check it.</summary>
    public const string Conservation = nameof(Conservation);

    /// <summary>What a snapshot that was reported holds is still on the disks: a crash takes nothing of it back. Hosts check it.</summary>
    public const string CutIsPast = nameof(CutIsPast);

    /// <summary>A process records once for each snapshot, and never again after it ended.</summary>
    public const string RecordedOnce = nameof(RecordedOnce);

    /// <summary>Where the order is kept, the channel of the first marker is recorded as empty.</summary>
    public const string OwnChannelEmpty = nameof(OwnChannelEmpty);

    /// <summary>Each channel carries at most one marker of each snapshot.</summary>
    public const string OneMarker = nameof(OneMarker);

    /// <summary>What an initiator leads, it has recorded itself.</summary>
    public const string InitiatorRecords = nameof(InitiatorRecords);

    /// <summary>The application takes on what it saved.</summary>
    public const string StatesLoad = nameof(StatesLoad);

    /// <summary>A sender is only told of deliveries that a restart of the receiver would find. Over several nodes, so hosts check it.</summary>
    public const string AcknowledgedIsKept = nameof(AcknowledgedIsKept);

    public override void CheckInvariants()
    {
        foreach (var (id, recording) in _recordings)
        {
            Invariant.Check(!_ended.ContainsKey(id), RecordedOnce, $"{id} is recorded again");
            Invariant.Check(
                _options.Order != ChannelOrder.Fifo || !recording.Channels.TryGetValue(recording.Trigger, out var own) || own.Contents.Count == 0,
                OwnChannelEmpty,
                $"{id} found something in the channel from {recording.Trigger}");
        }

        foreach (var (to, channel) in _outgoing)
        {
            var markers = channel.Unacknowledged.Values.OfType<Parcel.Marker>().Select(marker => marker.Id).ToList();
            Invariant.Check(markers.Distinct().Count() == markers.Count, OneMarker, $"to {to}");
        }

        foreach (var led in _led.Values)
        {
            Invariant.Check(_recordings.ContainsKey(led.Id), InitiatorRecords, $"{led.Id}");
        }
    }

    /// <summary>Whether every channel between <paramref name="nodes"/> of one incarnation has received what its sender no longer keeps.</summary>
    public static bool KeepsAcknowledged(IReadOnlyCollection<ChandyLamport> nodes) => nodes.All(sender => nodes.All(receiver =>
        sender._incarnation != receiver._incarnation
        || !sender._outgoing.TryGetValue(receiver._self, out var channel)
        || !receiver._incoming.TryGetValue(sender._self, out var end)
        || end.Messages + sender.Unacknowledged(receiver._self).Count() >= channel.Messages));
}
