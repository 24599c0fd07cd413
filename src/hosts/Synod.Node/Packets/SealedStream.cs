using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Threading.Channels;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// One connection for messages that no packet holds, or that packets failed to bring: both ends send, and it closes when neither has
/// anything to say for a while. A frame is a length (4 bytes), the sealed message and its tag; a dialler's first frame is empty and
/// proves that its greeting was not an old one.
/// </summary>
internal sealed class SealedStream(TransportOptions options, Action<NodeId, ReadOnlyMemory<byte>> received, Action<int> sent)
{
    /// <summary>The longest message.</summary>
    public const int MaxMessageLength = 4 << 20;

    private const int MostQueued = 64;
    private const int LengthBytes = 4;

    private readonly Channel<byte[]> _outgoing =
        Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostQueued) { SingleReader = true });

    /// <summary>False if the stream has closed or too much waits already.</summary>
    public bool TrySend(byte[] message) => _outgoing.Writer.TryWrite(message);

    /// <summary>Takes nothing more to send.</summary>
    public void Close() => _ = _outgoing.Writer.TryComplete();

    /// <summary>Greets what is at the other end; who it is, and what to go on with.</summary>
    /// <exception cref="StreamRefused">It did not prove that it has the cluster's key.</exception>
    public static async Task<(NodeId Peer, ulong Session, int Key, byte[] Salt)> GreetAsync(
        Stream stream, TransportOptions options, ulong session, CancellationToken cancellation)
    {
        var keys = options.Keys!;
        var ours = new Greeting(options.Self, session).ToBytes(keys, 0, options.Cluster, default);
        await stream.WriteAsync(ours, cancellation);
        var theirs = new byte[Greeting.Length];
        await stream.ReadExactlyAsync(theirs.AsMemory(0, 1), cancellation);
        if (theirs[0] == Greeting.NoKey)
        {
            throw new StreamRefused(PacketFault.Forged, "the node there does not know our cluster key");
        }

        await stream.ReadExactlyAsync(theirs.AsMemory(1), cancellation);
        var fault = Greeting.TryRead(theirs, keys, options.Cluster, ours, out var greeting, out var key);
        return fault == PacketFault.None
            ? (greeting.Sender, greeting.Session, key, Greeting.Salt(ours, theirs))
            : throw new StreamRefused(fault, "what answers there does not know our cluster key");
    }

    /// <summary>The acceptor's side of <see cref="GreetAsync"/>.</summary>
    /// <exception cref="StreamRefused">The dialler did not prove that it has a cluster key of ours.</exception>
    public static async Task<(NodeId Peer, ulong Session, int Key, byte[] Salt)> AnswerAsync(
        Stream stream, TransportOptions options, ulong session, CancellationToken cancellation)
    {
        var keys = options.Keys!;
        var theirs = new byte[Greeting.Length];
        await stream.ReadExactlyAsync(theirs, cancellation);
        var fault = Greeting.TryRead(theirs, keys, options.Cluster, default, out var greeting, out var key);
        if (fault == PacketFault.Forged)
        {
            await stream.WriteAsync(new[] { Greeting.NoKey }, cancellation);
        }

        if (fault != PacketFault.None)
        {
            throw new StreamRefused(fault, "it did not prove that it knows a cluster key of this node");
        }

        if (greeting.Sender == options.Self)
        {
            throw new StreamRefused(PacketFault.Reflected, "this node reached itself: check its addresses");
        }

        var ours = new Greeting(options.Self, session).ToBytes(keys, key, options.Cluster, theirs);
        await stream.WriteAsync(ours, cancellation);
        return (greeting.Sender, greeting.Session, key, Greeting.Salt(theirs, ours));
    }

    /// <summary>Carries messages both ways until either end has had enough.</summary>
    /// <param name="proven">Called when the other end has shown that it lives now.</param>
    public async Task RunAsync(
        Stream stream, NodeId peer, int key, byte[] salt, bool isDialler, Action proven, CancellationToken stop)
    {
        using var mine = options.Keys!.ForStream(key, options.Cluster, options.Self, salt);
        using var theirs = options.Keys!.ForStream(key, options.Cluster, peer, salt);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        over.CancelAfter(options.StreamIdleLimit);
        var ends = new[]
        {
            SendAllAsync(stream, mine, isDialler, over),
            ReceiveAllAsync(stream, theirs, peer, isDialler, proven, over),
        };
        try
        {
            await await Task.WhenAny(ends);
        }
        finally
        {
            Close();
            await over.CancelAsync();
            await Task.WhenAll(ends).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAllAsync(Stream stream, AesGcm cipher, bool isDialler, CancellationTokenSource over)
    {
        var number = 0UL;
        if (isDialler)
        {
            await SendAsync(stream, cipher, number++, [], over.Token);
        }

        await foreach (var message in _outgoing.Reader.ReadAllAsync(over.Token))
        {
            await SendAsync(stream, cipher, number++, message, over.Token);
            over.CancelAfter(options.StreamIdleLimit);
        }
    }

    private async Task SendAsync(Stream stream, AesGcm cipher, ulong number, byte[] message, CancellationToken cancellation)
    {
        var length = LengthBytes + message.Length + Packet.TagLength;
        var frame = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Seal(cipher, number, message, frame.AsSpan(0, length));
            await stream.WriteAsync(frame.AsMemory(0, length), cancellation);
            sent(length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    private async Task ReceiveAllAsync(
        Stream stream, AesGcm cipher, NodeId peer, bool isDialler, Action proven, CancellationTokenSource over)
    {
        var header = new byte[LengthBytes];
        if (isDialler)
        {
            // Its greeting answered ours.
            proven();
        }

        for (var number = 0UL; ; number++)
        {
            await stream.ReadExactlyAsync(header, over.Token);
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length is < 0 or > MaxMessageLength || (length > 0 && number == 0 && !isDialler))
            {
                throw new StreamRefused(PacketFault.Oversize, $"a frame announces {length} bytes");
            }

            var frame = new byte[length + Packet.TagLength];
            await stream.ReadExactlyAsync(frame, over.Token);
            if (!TryOpen(cipher, number, header, frame))
            {
                throw new StreamRefused(PacketFault.Forged, "a frame is not authentic");
            }

            over.CancelAfter(options.StreamIdleLimit);
            if (number == 0 && !isDialler)
            {
                proven();
            }
            else
            {
                received(peer, frame.AsMemory(0, length));
            }
        }
    }

    private static void Seal(AesGcm cipher, ulong number, ReadOnlySpan<byte> message, Span<byte> frame)
    {
        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        Packet.Nonce(number, nonce);
        BinaryPrimitives.WriteInt32LittleEndian(frame, message.Length);
        cipher.Encrypt(
            nonce, message, frame.Slice(LengthBytes, message.Length), frame[(LengthBytes + message.Length)..], frame[..LengthBytes]);
    }

    private static bool TryOpen(AesGcm cipher, ulong number, ReadOnlySpan<byte> header, Span<byte> frame)
    {
        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        Packet.Nonce(number, nonce);
        var message = frame[..^Packet.TagLength];
        try
        {
            cipher.Decrypt(nonce, message, frame[^Packet.TagLength..], message, header);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}

/// <summary>The other end of a stream is not who it should be, or said what it must not.</summary>
internal sealed class StreamRefused(PacketFault fault, string message) : Exception(message)
{
    public PacketFault Fault { get; } = fault;
}
