using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Synod.Api;

namespace Synod.Client.Tests;

public class DirectTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_requests_share_one_connection_and_find_their_answers()
    {
        var door = await Door.OpenAsync((request, _) => new(new Response
        {
            Read = new ReadResult { At = request.Read.At, Items = { new KeyValue { Value = request.Read.Start } } },
        }));
        await using (door)
        {
            await using var transport = new DirectClientTransport(new SynodClientOptions { Endpoints = [door.Address] });
            var calls = Enumerable.Range(1, 500).Select(async i =>
            {
                var start = ByteString.CopyFrom(new byte[i]);
                var response = await transport.CallAsync(door.Address, new Request { Read = new Read { At = i, Start = start } }, Token);
                return response.Read.At == i && response.Read.Items[0].Value.Length == i;
            });
            Assert.All(await Task.WhenAll(calls), Assert.True);
            Assert.Equal(1, door.Connections);
        }
    }

    [Fact]
    public async Task A_slow_request_does_not_hold_up_the_others()
    {
        var gate = new TaskCompletionSource();
        await using var door = await Door.OpenAsync(async (request, _) =>
        {
            if (request.Group == 1)
            {
                await gate.Task;
            }

            return new Response { Done = new Done() };
        });
        await using var transport = new DirectClientTransport(new SynodClientOptions { Endpoints = [door.Address] });

        var slow = transport.CallAsync(door.Address, Ping(1), Token).AsTask();
        await transport.CallAsync(door.Address, Ping(2), Token);
        Assert.False(slow.IsCompleted);
        gate.SetResult();
        await slow;
    }

    [Theory]
    [InlineData(null, "asks for a token")]
    [InlineData("wrong", "not the cluster's")]
    public async Task Without_the_token_nobody_gets_in(string? token, string message)
    {
        await using var door = await Door.OpenAsync((_, _) => new(new Response { Done = new Done() }), "secret");
        await using var stranger = new DirectClientTransport(new SynodClientOptions { Token = token });
        await using var friend = new DirectClientTransport(new SynodClientOptions { Token = "secret" });

        var error = await Assert.ThrowsAsync<SynodRefusedException>(
            async () => await stranger.CallAsync(door.Address, Ping(1), Token));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.NotNull(await friend.CallAsync(door.Address, Ping(1), Token));
    }

    [Fact]
    public async Task A_node_that_goes_away_leaves_its_calls_in_doubt_and_a_missing_one_does_not()
    {
        var arrived = new TaskCompletionSource();
        var door = await Door.OpenAsync(async (_, token) =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, token);
            return new Response();
        });
        await using var transport = new DirectClientTransport(new SynodClientOptions());

        var call = transport.CallAsync(door.Address, Ping(1), Token).AsTask();
        await arrived.Task.WaitAsync(Token);
        await door.DisposeAsync();

        Assert.True((await Assert.ThrowsAsync<DeliveryFailedException>(() => call)).MaybeDelivered);
        Assert.False((await Assert.ThrowsAsync<DeliveryFailedException>(
            async () => await transport.CallAsync(door.Address, Ping(1), Token))).MaybeDelivered);
    }

    [Fact]
    public async Task A_failure_inside_the_node_is_an_answer()
    {
        await using var door = await Door.OpenAsync((_, _) => throw new FormatException());
        await using var transport = new DirectClientTransport(new SynodClientOptions());

        Assert.Equal(Response.BodyOneofCase.Unavailable, (await transport.CallAsync(door.Address, Ping(1), Token)).BodyCase);
        Assert.Equal(Response.BodyOneofCase.Refused, (await transport.CallAsync(door.Address, new Request(), Token)).BodyCase);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1")]
    [InlineData("two words:7201")]
    [InlineData("127.0.0.1:7201/path")]
    public void An_endpoint_that_is_no_address_is_refused_at_once(string endpoint)
    {
        var error = Assert.Throws<ArgumentException>(() => new SynodClient(new SynodClientOptions { Endpoints = [endpoint] }));
        Assert.Contains("host:port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_cannot_even_be_opened_is_a_failed_delivery()
    {
        await using var transport = new DirectClientTransport(new SynodClientOptions { AllowPlaintext = true });

        var failure = await Assert.ThrowsAsync<DeliveryFailedException>(
            async () => await transport.CallAsync("two words:7201", Ping(1), Token));
        Assert.False(failure.MaybeDelivered);
    }

    [Fact]
    public async Task Plain_connections_to_other_machines_are_refused()
    {
        await using var transport = new DirectClientTransport(new SynodClientOptions());

        await Assert.ThrowsAsync<SynodRefusedException>(async () => await transport.CallAsync("192.0.2.1:1", Ping(1), Token));
    }

    [Fact]
    public async Task A_message_of_many_buffers_arrives_whole_both_ways()
    {
        await using var door = await Door.OpenAsync((request, _) => new(new Response
        {
            Read = new ReadResult { Items = { new KeyValue { Value = request.Read.Start } } },
        }));
        await using var transport = new DirectClientTransport(new SynodClientOptions());
        var value = ByteString.CopyFrom(Enumerable.Range(0, 8 << 20).Select(i => (byte)(i * 31 >> 3)).ToArray());

        var calls = Enumerable.Range(0, 3).Select(_ =>
            transport.CallAsync(door.Address, new Request { Read = new Read { Start = value } }, Token).AsTask());
        Assert.All(await Task.WhenAll(calls), response => Assert.Equal(value, response.Read.Items[0].Value));
    }

    [Fact]
    public async Task A_waiting_caller_that_blocks_does_not_hold_up_the_others()
    {
        await using var door = await Door.OpenAsync((_, _) => new(new Response { Done = new Done() }));
        await using var transport = new DirectClientTransport(new SynodClientOptions());

        await transport.CallAsync(door.Address, Ping(1), Token);
        // This goes on where the response was read, and that thread is needed for the next one.
        Assert.NotNull(Block(transport.CallAsync(door.Address, Ping(2), Token).AsTask()));
    }

    [Fact]
    public async Task A_cancelled_call_is_over_and_its_connection_lives_on()
    {
        var gate = new TaskCompletionSource();
        await using var door = await Door.OpenAsync(async (request, _) =>
        {
            await (request.Group == 1 ? gate.Task : Task.CompletedTask);
            return new Response { Done = new Done() };
        });
        await using var transport = new DirectClientTransport(new SynodClientOptions());
        using var cancel = new CancellationTokenSource();

        var call = transport.CallAsync(door.Address, Ping(1), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        gate.SetResult();
        Assert.NotNull(await transport.CallAsync(door.Address, Ping(2), Token));
        Assert.Equal(1, door.Connections);
    }

    public static TheoryData<byte[], string> Malformed() => new()
    {
        { "SYNOD/2\n"u8.ToArray(), "does not begin with a greeting" },
        { [.. DirectWire.Preface, 0x01, 0xff], "does not begin with a greeting" },
        { [.. DirectWire.Preface, 0xff, 0xff, 0x7f, .. new byte[70_000]], "does not begin with a greeting" },
        { [.. DirectWire.Preface, 0x00, 0xff, 0xff, 0xff, 0xff, 0x01], "too many bytes" },
        { [.. DirectWire.Preface, 0x00, 0xff, 0xff, 0xff, 0x7f], "the limit is" },
        { [.. DirectWire.Preface, 0x00, 0x02, 0x0a, 0x7f], "given up" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task What_is_not_the_direct_wire_is_told_so_and_closed(byte[] bytes, string message)
    {
        await using var door = await Door.OpenAsync((_, _) => new(new Response { Done = new Done() }));

        var response = await LastWordAsync(door, bytes);

        Assert.Equal(0ul, response.Id);
        Assert.Contains(message, response.Refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_asked_before_the_damage_is_answered()
    {
        await using var door = await Door.OpenAsync((_, _) => new(new Response { Done = new Done() }));
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write(DirectWire.Preface);
        DirectWire.Write(bytes, new Hello());
        DirectWire.Write(bytes, new Request { Id = 7, KeepAlive = new KeepAlive() });
        bytes.Write<byte>([0xff, 0xff, 0xff, 0xff, 0xff]);

        using var client = await DialAsync(door);
        await client.SendAsync(bytes.WrittenMemory, Token);
        using var stream = new NetworkStream(client);

        Assert.Equal(7ul, Response.Parser.ParseDelimitedFrom(stream).Id);
    }

    [Fact]
    public async Task A_greeting_byte_by_byte_is_a_greeting()
    {
        await using var door = await Door.OpenAsync((_, _) => new(new Response { Done = new Done() }), "secret");
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write(DirectWire.Preface);
        DirectWire.Write(bytes, new Hello { Token = "secret" });
        DirectWire.Write(bytes, new Request { Id = 9, KeepAlive = new KeepAlive() });

        using var client = await DialAsync(door);
        for (var i = 0; i < bytes.WrittenCount; i++)
        {
            await client.SendAsync(bytes.WrittenMemory.Slice(i, 1), Token);
        }

        using var stream = new NetworkStream(client);
        Assert.Equal(9ul, Response.Parser.ParseDelimitedFrom(stream).Id);
    }

    private static async Task<Response> LastWordAsync(Door door, byte[] bytes)
    {
        using var client = await DialAsync(door);
        using var stream = new NetworkStream(client);
        await stream.WriteAsync(bytes, Token);
        client.Shutdown(SocketShutdown.Send);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Token);
        return Response.Parser.ParseDelimitedFrom(new MemoryStream(all.ToArray()));
    }

    private static T Block<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static async Task<Socket> DialAsync(Door door)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(door.Address), Token);
        return socket;
    }

    private static Request Ping(ulong group) => new() { Group = group, KeepAlive = new KeepAlive() };
}
