using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>In which order channels deliver, and so how a snapshot tells what was sent before the sender's cut.</summary>
public enum ChannelOrder : byte
{
    /// <summary>As sent. A marker separates what was sent before the cut from what was sent after it (Chandy and Lamport 1985).</summary>
    Fifo,

    /// <summary>
    /// As it comes. Messages carry the snapshots that their sender has recorded (Lai and Yang 1987), and markers how many went before
    /// them (Mattern 1993); neither has to keep its place.
    /// </summary>
    Unordered,
}

/// <summary>Times and limits; all in one class so that a deployment can say it once.</summary>
public sealed record ChandyLamportOptions
{
    public ChannelOrder Order { get; init; }

    /// <summary>An initiator gives a snapshot up after this long.</summary>
    public Duration Limit { get; init; } = Duration.FromSeconds(10);

    /// <summary>How often what is not acknowledged is sent again.</summary>
    public Duration Resend { get; init; } = Duration.FromMilliseconds(200);

    /// <summary>A process gives a snapshot up whose channels hold more bytes than this.</summary>
    public long MostRecordedBytes { get; init; } = 64 << 20;

    /// <summary>A process gives a snapshot up whose channels hold more messages than this, however short they are.</summary>
    public int MostRecordedMessages { get; init; } = 1 << 20;

    /// <summary>How far ahead of the first gap an unordered channel delivers: bounds what a receiver remembers.</summary>
    public int Window { get; init; } = 1_024;

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal ChandyLamportMutation Mutation { get; init; }
}
