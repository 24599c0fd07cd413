namespace Synod.Protocols.Snapshots;

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests and the hunts of the lab make a protocol with one of them, and
/// fail if it is not found.
/// </summary>
internal enum ChandyLamportMutation
{
    None,

    /// <summary>Markers go to those that a process receives from, as in the teaching code.</summary>
    MarkersOnIncoming,

    /// <summary>The channel of the first marker is recorded like the others.</summary>
    OwnChannelRecorded,

    /// <summary>A channel is recorded until all markers are there.</summary>
    RecordStopsLate,

    /// <summary>The first marker after the cut ends the recording of every channel.</summary>
    RecordStopsEarly,

    /// <summary>Nothing is recorded of channels at all.</summary>
    ChannelsIgnored,

    /// <summary>The local state is saved when the piece is complete.</summary>
    StateSavedLate,

    /// <summary>Plain Chandy-Lamport on channels that do not keep the order.</summary>
    MarkersWithoutOrder,

    /// <summary>A channel without order is closed by the marker, whatever still misses.</summary>
    CountIgnored,

    /// <summary>A message sent after a cut is received before the receiver's own.</summary>
    RecordAfterColoured,

    /// <summary>A marker counts for whatever snapshot is being recorded.</summary>
    SnapshotsConfused,

    /// <summary>A late marker of a snapshot that was given up starts it again.</summary>
    NoTombstone,

    /// <summary>A restarted initiator uses numbers again.</summary>
    NumbersReused,

    /// <summary>A change of members leaves the snapshots before it open.</summary>
    EpochIgnored,

    /// <summary>A process records while channels of an earlier epoch may still bring something.</summary>
    RecordsUnsettled,

    /// <summary>What was sent in a later epoch is received in an earlier one.</summary>
    LaterEpochReceived,

    /// <summary>A process that restarts sends once more to who has left, and waits for an answer.</summary>
    DrainedForgotten,

    /// <summary>Pieces leave before what they tell of is durable.</summary>
    PieceBeforeDurable,

    /// <summary>A snapshot is reported complete before its pieces are durable.</summary>
    CompleteBeforeDurable,

    /// <summary>Messages of the application leave before the input that caused them is durable.</summary>
    SendBeforeDurable,

    /// <summary>A message is acknowledged before it is durable.</summary>
    AckBeforeDurable,

    /// <summary>What was delivered is delivered again.</summary>
    DuplicatesDelivered,

    /// <summary>A restore forgets what was in the channels.</summary>
    RestoreWithoutChannels,

    /// <summary>Messages of before a restore are received after it.</summary>
    OldIncarnationAccepted,
}
