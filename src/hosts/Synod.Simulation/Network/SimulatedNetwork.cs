using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
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

/// <summary>Whose link it is. Requests and responses of clients travel on links of their own.</summary>
public enum LinkKind : byte
{
    NodeToNode,
    ClientToNode,
    NodeToClient,
}

/// <summary>What a link can do to a frame.</summary>
public enum LinkFault : byte
{
    Lost,

    /// <summary>Stopped by a partition.</summary>
    Blocked,
    Duplicated,
    Corrupted,

    /// <summary>Later by up to <see cref="LinkConditions.SlowDelay"/>.</summary>
    Slow,

    /// <summary>There before a frame that was sent earlier.</summary>
    Early,
}

/// <summary>
/// Carries frames between endpoints, which are node ids or numbers of clients. A frame is bytes and a checksum; it is encoded
/// when sent and decoded when it arrives, so that nothing is shared by reference between two processes.
/// </summary>
public sealed class SimulatedNetwork(SimulatedWorld world)
{
    /// <summary>Clients have numbers from here on; nodes are below.</summary>
    public const int FirstClient = 1_000;

    private const int ChecksumBytes = 8;

    private readonly SeededRandom _random = world.Random.Fork();
    private readonly HashSet<long> _blocked = [];
    private readonly Dictionary<long, long> _lastArrival = [];
    private readonly long[,] _faults = new long[Enum.GetValues<LinkKind>().Length, Enum.GetValues<LinkFault>().Length];

    public LinkConditions Conditions { get; set; } = new();

    /// <summary>Bytes of all frames that were sent, checksums included, whether they arrived or not.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many frames on links of a kind met that.</summary>
    public long Faults(LinkKind link, LinkFault fault) => _faults[(int)link, (int)fault];

    /// <summary>If set, what decides about every frame instead of conditions, cuts and chance.</summary>
    public IRoute? Route { get; set; }

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
        Bytes += frame.Length;
        world.Trace.Note(Link(from, to), (long)ChecksumOf(frame));
        if (Route is not null && from != to)
        {
            if (Route.Delay(from, to, frame) is { } delay)
            {
                world.After(delay, receiver, kind, from, frame);
            }
            else
            {
                Count(from, to, LinkFault.Lost);
            }

            return;
        }

        if (IsBlocked(from, to))
        {
            Count(from, to, LinkFault.Blocked);
            return;
        }

        if (from != to && _random.Chance(Conditions.LossPerMillion))
        {
            Count(from, to, LinkFault.Lost);
            return;
        }

        Deliver(from, to, receiver, kind, frame);
        if (from != to && _random.Chance(Conditions.DuplicatePerMillion))
        {
            Count(from, to, LinkFault.Duplicated);
            Deliver(from, to, receiver, kind, frame);
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
            Count(from, to, LinkFault.Corrupted);
            frame = (byte[])frame.Clone();
            frame[_random.Below(frame.Length)] ^= (byte)(1 << _random.Below(8));
        }

        var arrival = world.Now + _random.Between(Conditions.LeastDelay, Conditions.MostDelay).Nanoseconds;
        if (_random.Chance(Conditions.SlowPerMillion))
        {
            Count(from, to, LinkFault.Slow);
            arrival += _random.Below(Conditions.SlowDelay.Nanoseconds);
        }

        ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(_lastArrival, Link(from, to), out _);
        if (arrival >= last)
        {
            last = arrival;
        }
        else if (Conditions.Reorders)
        {
            Count(from, to, LinkFault.Early);
        }
        else
        {
            arrival = last;
        }

        world.Schedule(arrival, receiver, kind, from, frame);
    }

    private void Count(int from, int to, LinkFault fault)
    {
        var link = from >= FirstClient ? LinkKind.ClientToNode : to >= FirstClient ? LinkKind.NodeToClient : LinkKind.NodeToNode;
        _faults[(int)link, (int)fault]++;
    }

    private static ulong ChecksumOf(byte[] frame) =>
        BinaryPrimitives.ReadUInt64LittleEndian(frame.AsSpan(frame.Length - ChecksumBytes));

    private static long Link(int from, int to) => (long)from << 32 | (uint)to;
}
