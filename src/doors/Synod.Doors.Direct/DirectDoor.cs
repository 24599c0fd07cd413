using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Synod.Api;

namespace Synod.Doors.Direct;

/// <summary>Hangs the direct wire into a port that another protocol listens on: its connections are told apart by their first byte.</summary>
public static class DirectDoor
{
    // A stranger gets no more of this process's memory than a token may take.
    private const int MaxGreetingBytes = 64 << 10;

    private static readonly TimeSpan GreetingLimit = TimeSpan.FromSeconds(10);

    /// <summary>Takes the connections of the direct wire, and passes all others on.</summary>
    /// <param name="port">The port, behind TLS if it has any.</param>
    /// <param name="handler">What answers.</param>
    /// <param name="token">What clients must present.</param>
    /// <param name="log">Told of failures inside the node.</param>
    public static void UseDirectDoor(this IConnectionBuilder port, IRequestHandler handler, ClusterToken token, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(port);
        port.Use(next => connection => ServeAsync(connection, next, handler, token, log));
    }

    private static async Task ServeAsync(
        ConnectionContext connection, ConnectionDelegate next, IRequestHandler handler, ClusterToken token, ILogger log)
    {
        using var limit = new CancellationTokenSource(GreetingLimit);
        Hello? hello;
        try
        {
            if (!await IsDirectAsync(connection, limit.Token))
            {
                await next(connection);
                return;
            }

            hello = await GreetAsync(connection, limit.Token);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // It said nothing in time, or went away.
            return;
        }

        var serving = new DirectConnection(connection, handler, log);
        var refusal = hello is null
            ? "The connection does not begin with a greeting of this version."
            : token.Refusal(hello.HasToken ? hello.Token : null);
        await (refusal is null ? serving.ServeAsync() : serving.RefuseAsync(refusal));
    }

    private static async Task<bool> IsDirectAsync(ConnectionContext connection, CancellationToken cancellation)
    {
        var input = connection.Transport.Input;
        var read = await input.ReadAsync(cancellation);
        var isDirect = read.Buffer.FirstSpan is [var first, ..] && first == DirectWire.Preface[0];
        input.AdvanceTo(read.Buffer.Start);
        return !read.Buffer.IsEmpty ? isDirect
            : throw new IOException("The connection ended before its first byte: somebody looked whether the port is open.");
    }

    /// <summary>Null if it is no greeting.</summary>
    private static async Task<Hello?> GreetAsync(ConnectionContext connection, CancellationToken cancellation)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var read = await input.ReadAsync(cancellation);
            var isGreeting = TryGreet(read.Buffer, out var end, out var hello);
            input.AdvanceTo(end, hello is null ? read.Buffer.End : end);
            if (!isGreeting || hello is not null)
            {
                return hello;
            }

            if (read.IsCompleted)
            {
                throw new IOException("The connection ended before its greeting.");
            }
        }
    }

    /// <summary>False if it never becomes a greeting; null as long as it is not all there.</summary>
    private static bool TryGreet(ReadOnlySequence<byte> bytes, out SequencePosition end, out Hello? hello)
    {
        (end, hello) = (bytes.Start, null);
        var preface = DirectWire.Preface;
        var head = bytes.Slice(0, Math.Min(bytes.Length, preface.Length));
        Span<byte> begin = stackalloc byte[(int)head.Length];
        head.CopyTo(begin);
        if (!preface.StartsWith(begin))
        {
            return false;
        }

        if (begin.Length < preface.Length)
        {
            return true;
        }

        try
        {
            var rest = bytes.Slice(preface.Length);
            if (!DirectWire.TryRead(ref rest, out var message))
            {
                return rest.Length <= MaxGreetingBytes;
            }

            (end, hello) = (rest.Start, Hello.Parser.ParseFrom(message));
            return true;
        }
        catch (Exception malformed) when (DirectConnection.IsMalformed(malformed))
        {
            return false;
        }
    }
}
