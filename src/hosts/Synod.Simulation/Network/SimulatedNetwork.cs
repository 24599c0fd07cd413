using System.Buffers.Binary;
using System.IO.Hashing;
using Synod.Core;

namespace Synod.Simulation;

/// <summary>How links behave now. Faults change it; <see cref="SimulatedNetwork.Heal"/> puts it back.</summary>
public sealed record LinkConditions
{
    /// <summary>The delay that every message has at least.</summary>
    public Duration LeastDelay { get; init; } = Duration.FromMicroseconds(100);

    /// <summary>The delay that most messages have at most.</summary>
    public Duration MostDelay { get; init; } = Duration.FromMicroseconds(600);

    /// <summary>Messages that take up to <see cref="SlowDelay"/>, in a million.</summary>
    public int SlowPerMillion { get; init; }

    public Duration SlowDelay { get; init; } = Duration.FromMilliseconds(500);

    public int LossPerMillion { get; init; }

    public int DuplicatePerMillion { get; init; }

    /// <summary>Messages with a flipped bit, in a million; the checksum must refuse them.</summary>
    public int CorruptPerMillion { get; init; }

    /// <summary>Whether messages of one link may overtake each other.</summary>
    public bool Reorders { get; init; }
}

/// <summary>Counts of what the network did.</summary>
public sealed record NetworkCounts(
    long Sent, long Lost, long Blocked, long Duplicated, long Corrupted, long Bytes);

/// <summary>
/// Carries frames between endpoints, which are node ids or numbers of clients. A frame is bytes and a checksum; it is encoded
/// when sent and decoded when it arrives, so that nothing is shared by reference between two processes.
/// </summary>
public sealed class SimulatedNetwork(SimulatedWorld world)
{
    private const int ChecksumBytes = 8;

    private readonly SeededRandom _random = world.Random.Fork();
    private readonly HashSet<long> _blocked = [];
    private readonly Dictionary<long, long> _lastArrival = [];
    private long _sent;
    private long _lost;
    private long _stopped;
    private long _duplicated;
    private long _corrupted;
    private long _bytes;

    public LinkConditions Conditions { get; set; } = new();

    /// <summary>If set, what decides about every frame instead of conditions, cuts and chance.</summary>
    public IRoute? Route { get; set; }

    public NetworkCounts Counts => new(_sent, _lost, _stopped, _duplicated, _corrupted, _bytes);

    /// <summary>A frame for <paramref name="body"/>: a copy of it and a checksum.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> body)
    {
        var frame = new byte[body.Length + ChecksumBytes];
        body.CopyTo(frame);
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(body.Length), XxHash3.HashToUInt64(body));
        return frame;
    }

    /// <summary>The body of a frame, or false if it was damaged on the way.</summary>
    public static bool TryOpen(byte[] frame, out ReadOnlyMemory<byte> body)
    {
        body = frame.AsMemory(0, frame.Length - ChecksumBytes);
        return ChecksumOf(frame) == XxHash3.HashToUInt64(body.Span);
    }

    public void Block(int from, int to) => _blocked.Add(Link(from, to));

    public void Unblock(int from, int to) => _blocked.Remove(Link(from, to));

    public bool IsBlocked(int from, int to) => _blocked.Count > 0 && _blocked.Contains(Link(from, to));

    /// <summary>Every link works, nothing is lost.</summary>
    public void Heal()
    {
        _blocked.Clear();
        Conditions = new LinkConditions { LeastDelay = Conditions.LeastDelay, MostDelay = Conditions.MostDelay };
    }

    /// <summary>
    /// Sends a frame: an event of <paramref name="kind"/> happens to <paramref name="receiver"/> with the sender as argument and
    /// the frame as payload; never, once, or twice.
    /// </summary>
    public void Carry(int from, int to, IEventTarget receiver, int kind, byte[] frame)
    {
        _sent++;
        _bytes += frame.Length;
        world.Trace.Note(Link(from, to), (long)ChecksumOf(frame));
        if (Route is not null && from != to)
        {
            Carry(Route.Delay(from, to, frame), from, receiver, kind, frame);
            return;
        }

        if (IsBlocked(from, to))
        {
            _stopped++;
            return;
        }

        if (from != to && _random.Chance(Conditions.LossPerMillion))
        {
            _lost++;
            return;
        }

        Deliver(from, to, receiver, kind, frame);
        if (from != to && _random.Chance(Conditions.DuplicatePerMillion))
        {
            _duplicated++;
            Deliver(from, to, receiver, kind, frame);
        }
    }

    private void Carry(Duration? delay, int from, IEventTarget receiver, int kind, byte[] frame)
    {
        if (delay is { } length)
        {
            world.After(length, receiver, kind, from, frame);
        }
        else
        {
            _lost++;
        }
    }

    private void Deliver(int from, int to, IEventTarget receiver, int kind, byte[] frame)
    {
        if (from == to)
        {
            world.Schedule(world.Now + 1_000, receiver, kind, from, frame);
            return;
        }

        if (_random.Chance(Conditions.CorruptPerMillion))
        {
            _corrupted++;
            frame = (byte[])frame.Clone();
            frame[_random.Below(frame.Length)] ^= (byte)(1 << _random.Below(8));
        }

        var arrival = world.Now + _random.Between(Conditions.LeastDelay, Conditions.MostDelay).Nanoseconds;
        if (_random.Chance(Conditions.SlowPerMillion))
        {
            arrival += _random.Below(Conditions.SlowDelay.Nanoseconds);
        }

        if (!Conditions.Reorders)
        {
            ref var last = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
                _lastArrival, Link(from, to), out _);
            last = arrival = Math.Max(arrival, last);
        }

        world.Schedule(arrival, receiver, kind, from, frame);
    }

    private static ulong ChecksumOf(byte[] frame) =>
        BinaryPrimitives.ReadUInt64LittleEndian(frame.AsSpan(frame.Length - ChecksumBytes));

    private static long Link(int from, int to) => (long)from << 32 | (uint)to;
}
