using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Doors.Grpc;

namespace Synod.Client.Tests;

public class GrpcTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_requests_share_one_stream_and_find_their_answers()
    {
        var door = await Door.OpenAsync((request, _) => new(new Response
        {
            Read = new ReadResult { At = request.Read.At, Items = { new KeyValue { Value = request.Read.Start } } },
        }));
        await using (door)
        {
            await using var transport = new GrpcClientTransport(new SynodClientOptions { Endpoints = [door.Address] });
            var calls = Enumerable.Range(1, 500).Select(async i =>
            {
                var start = ByteString.CopyFrom(new byte[i]);
                var response = await transport.CallAsync(door.Address, new Request { Read = new Read { At = i, Start = start } }, Token);
                return response.Read.At == i && response.Read.Items[0].Value.Length == i;
            });
            Assert.All(await Task.WhenAll(calls), Assert.True);
            Assert.Equal(1, door.Streams);
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
        await using var transport = new GrpcClientTransport(new SynodClientOptions { Endpoints = [door.Address] });

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
        await using var stranger = new GrpcClientTransport(new SynodClientOptions { Token = token });
        await using var friend = new GrpcClientTransport(new SynodClientOptions { Token = "secret" });

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
        await using var transport = new GrpcClientTransport(new SynodClientOptions());

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
        await using var transport = new GrpcClientTransport(new SynodClientOptions());

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
    public async Task A_stream_that_cannot_even_be_opened_is_a_failed_delivery()
    {
        await using var transport = new GrpcClientTransport(new SynodClientOptions { AllowPlaintext = true });

        var failure = await Assert.ThrowsAsync<DeliveryFailedException>(
            async () => await transport.CallAsync("two words:7201", Ping(1), Token));
        Assert.False(failure.MaybeDelivered);
    }

    [Fact]
    public async Task Plain_connections_to_other_machines_are_refused()
    {
        await using var transport = new GrpcClientTransport(new SynodClientOptions());

        await Assert.ThrowsAsync<SynodRefusedException>(async () => await transport.CallAsync("192.0.2.1:1", Ping(1), Token));
    }

    private static Request Ping(ulong group) => new() { Group = group, KeepAlive = new KeepAlive() };

    /// <summary>A door on a free loopback port with a function behind it.</summary>
    private sealed class Door : IRequestHandler, IAsyncDisposable
    {
        private readonly Func<Request, CancellationToken, ValueTask<Response>> _answer;
        private WebApplication? _app;
        private int _streams;

        private Door(Func<Request, CancellationToken, ValueTask<Response>> answer) => _answer = answer;

        public string Address { get; private set; } = "";

        public int Streams => _streams;

        public static async Task<Door> OpenAsync(Func<Request, CancellationToken, ValueTask<Response>> answer, string? token = null)
        {
            var door = new Door(answer);
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel =>
                kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
            builder.Services.AddSynodDoor(door, token);
            builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.Zero);
            door._app = builder.Build();
            door._app.Use((context, next) =>
            {
                Interlocked.Increment(ref door._streams);
                return next(context);
            });
            door._app.MapSynodDoor();
            await door._app.StartAsync(Token);
            var feature = door._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
            door.Address = new Uri(feature.Addresses.First()).Authority;
            return door;
        }

        public ValueTask<Response> HandleAsync(Request request, CancellationToken cancellationToken) => _answer(request, cancellationToken);

        public void Handle(Request request, IResponseSink answers) => _ = HandleAsync(request, answers, _answer(request, Closing));

        public ValueTask DisposeAsync() => _app!.DisposeAsync();

        private CancellationToken Closing => _app!.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        private static async Task HandleAsync(Request request, IResponseSink answers, ValueTask<Response> answer)
        {
            var response = await answer;
            response.Id = request.Id;
            answers.Respond(response);
        }
    }
}
