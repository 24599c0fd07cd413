using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of the snapshots' room, each in a random world.</summary>
public static class ChandyLamportBugs
{
    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Bug("markers-on-incoming", ChandyLamportMutation.MarkersOnIncoming),
        Bug("own-channel-recorded", ChandyLamportMutation.OwnChannelRecorded),
        Bug("record-stops-late", ChandyLamportMutation.RecordStopsLate),
        Bug("record-stops-early", ChandyLamportMutation.RecordStopsEarly),
        Bug("channels-ignored", ChandyLamportMutation.ChannelsIgnored),
        Bug("state-saved-late", ChandyLamportMutation.StateSavedLate),
        Bug("markers-without-order", ChandyLamportMutation.MarkersWithoutOrder, ChannelOrder.Unordered),
        Bug("count-ignored", ChandyLamportMutation.CountIgnored, ChannelOrder.Unordered),
        Bug("record-after-coloured", ChandyLamportMutation.RecordAfterColoured, ChannelOrder.Unordered),
        Bug("snapshots-confused", ChandyLamportMutation.SnapshotsConfused),
        Bug("numbers-reused", ChandyLamportMutation.NumbersReused),
        Bug("epoch-ignored", ChandyLamportMutation.EpochIgnored),
        Bug("records-unsettled", ChandyLamportMutation.RecordsUnsettled),
        Bug("drained-forgotten", ChandyLamportMutation.DrainedForgotten),
        Bug("send-before-durable", ChandyLamportMutation.SendBeforeDurable),
        Bug("ack-before-durable", ChandyLamportMutation.AckBeforeDurable),
        Bug("duplicates-delivered", ChandyLamportMutation.DuplicatesDelivered),
        Bug("restore-without-channels", ChandyLamportMutation.RestoreWithoutChannels),
        Bug("old-incarnation-accepted", ChandyLamportMutation.OldIncarnationAccepted, ChannelOrder.Unordered),
    ];

    private static RoomBug Bug(string name, ChandyLamportMutation mutation, ChannelOrder order = ChannelOrder.Fifo) =>
        new("snapshot-" + name, nameof(ChandyLamport), seed =>
        {
            try
            {
                new SnapshotWorld(seed, SnapshotWorld.Options with { Mutation = mutation, Order = order })
                    .Run(Duration.FromSeconds(6), Duration.FromSeconds(60));
                return null;
            }
            catch (SimulationFailure failure)
            {
                return failure;
            }
        });
}
