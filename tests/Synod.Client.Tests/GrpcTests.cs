using Grpc.Core;
using Grpc.Net.Client;
using Synod.Api;

namespace Synod.Client.Tests;

/// <summary>The API as any language speaks it.</summary>
public class GrpcTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Responses_of_a_stream_carry_the_ids_of_their_requests_and_come_in_any_order()
    {
        var gate = new TaskCompletionSource();
        await using var door = await Door.OpenAsync(async (request, _) =>
        {
            await (request.Id == 1 ? gate.Task : Task.CompletedTask);
            return new Response { Done = new Done() };
        });
        using var channel = GrpcChannel.ForAddress($"http://{door.Address}");
        using var stream = new Api.Synod.SynodClient(channel).Connect(cancellationToken: Token);

        await stream.RequestStream.WriteAsync(Ping(1), Token);
        await stream.RequestStream.WriteAsync(Ping(2), Token);
        Assert.True(await stream.ResponseStream.MoveNext(Token));
        Assert.Equal(2ul, stream.ResponseStream.Current.Id);
        gate.SetResult();
        Assert.True(await stream.ResponseStream.MoveNext(Token));
        Assert.Equal(1ul, stream.ResponseStream.Current.Id);
        await stream.RequestStream.CompleteAsync();
        Assert.False(await stream.ResponseStream.MoveNext(Token));
    }

    [Theory]
    [InlineData(null, "asks for a token")]
    [InlineData("Bearer wrong", "not the cluster's")]
    [InlineData("wrong", "not the cluster's")]
    public async Task Without_the_token_nobody_gets_in(string? authorization, string message)
    {
        await using var door = await Door.OpenAsync((_, _) => new(new Response { Done = new Done() }), "secret");
        using var channel = GrpcChannel.ForAddress($"http://{door.Address}");
        var client = new Api.Synod.SynodClient(channel);
        var stranger = authorization is null ? [] : new Metadata { { "authorization", authorization } };
        var friend = new Metadata { { "authorization", "Bearer secret" } };

        var refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await client.CallAsync(Ping(1), stranger, cancellationToken: Token));
        Assert.Equal(StatusCode.Unauthenticated, refusal.StatusCode);
        Assert.Contains(message, refusal.Status.Detail, StringComparison.Ordinal);
        using var stream = client.Connect(stranger, cancellationToken: Token);
        Assert.Equal(
            StatusCode.Unauthenticated,
            (await Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext(Token))).StatusCode);
        Assert.Equal(1ul, (await client.CallAsync(Ping(1), friend, cancellationToken: Token)).Id);
    }

    [Fact]
    public async Task A_failure_inside_the_node_is_an_answer()
    {
        await using var door = await Door.OpenAsync((_, _) => throw new FormatException());
        using var channel = GrpcChannel.ForAddress($"http://{door.Address}");
        var client = new Api.Synod.SynodClient(channel);
        using var stream = client.Connect(cancellationToken: Token);

        await stream.RequestStream.WriteAsync(Ping(5), Token);
        Assert.True(await stream.ResponseStream.MoveNext(Token));
        Assert.Equal(Response.BodyOneofCase.Unavailable, stream.ResponseStream.Current.BodyCase);
        Assert.Equal(
            CommitResult.Types.Outcome.Unknown,
            (await client.CallAsync(new Request { Commit = new Commit() }, cancellationToken: Token)).Commit.Outcome);
        Assert.Equal(Response.BodyOneofCase.Refused, (await client.CallAsync(new Request(), cancellationToken: Token)).BodyCase);
    }

    private static Request Ping(ulong id) => new() { Id = id, KeepAlive = new KeepAlive() };
}
