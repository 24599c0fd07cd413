using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Synod.Api;
using Synod.Client;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.Input;

/// <summary>What no client and no node would send.</summary>
[Collection(SharedClusterTests.Name)]
public class WireTests(SharedCluster shared)
{
    private static readonly Metadata Credentials = new() { { "authorization", $"Bearer {SharedCluster.Token}" } };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private TestCluster Cluster => shared.Cluster;

    [Fact]
    public async Task Keys_and_values_beyond_their_limits_are_refused_by_the_client()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Cluster.Client.PutAsync(ReadOnlyMemory<byte>.Empty, "v"u8.ToArray(), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => Cluster.Client.GetAsync(new byte[Client.Limits.MaxKeyBytes + 1], Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(
            () => Cluster.Client.PutAsync("k"u8.ToArray(), new byte[Client.Limits.MaxValueBytes + 1], Cancellation));
    }

    [Fact]
    public async Task The_largest_key_and_value_are_kept()
    {
        var key = Enumerable.Repeat((byte)0xff, Client.Limits.MaxKeyBytes).ToArray();
        var value = new byte[Client.Limits.MaxValueBytes];
        Random.Shared.NextBytes(value);
        (await Cluster.Client.PutAsync(key, value, Cancellation)).EnsureCommitted();
        Assert.True((await Cluster.Client.GetAsync(key, Cancellation))!.Value.Span.SequenceEqual(value));
        (await Cluster.Client.DeleteAsync(key, Cancellation)).EnsureCommitted();
    }

    [Theory]
    [InlineData(0, 1, 1, "empty")]
    [InlineData(4097, 1, 1, "4096")]
    [InlineData(1, (4 << 20) + 1, 1, "4194304")]
    [InlineData(8, 4 << 20, 17, "67108864")]
    public async Task Writes_beyond_a_limit_are_refused_by_the_node(int keyBytes, int valueBytes, int writes, string limit)
    {
        var commit = new Commit { Transaction = new TransactionId { Client = 7, Sequence = 1 }, Age = new Age { Start = 1, Client = 7 } };
        commit.Parts.Add(new Part());
        for (var i = 0; i < writes; i++)
        {
            var key = new byte[keyBytes];
            if (keyBytes > 1)
            {
                key[1] = (byte)i;
            }

            commit.Parts[0].Writes.Add(new Write { Key = ByteString.CopyFrom(key), Value = ByteString.CopyFrom(new byte[valueBytes]) });
        }

        var response = await ToLeaderAsync(group =>
        {
            commit.Parts[0].Group = group;
            return new Request { Group = group, Commit = commit };
        });
        Assert.Equal(Response.BodyOneofCase.Refused, response.BodyCase);
        Assert.Contains(limit, response.Refused.Reason, StringComparison.Ordinal);
        await IsWellAsync();
    }

    [Fact]
    public async Task Requests_that_make_no_sense_are_answered_and_harm_nothing()
    {
        Func<ulong, Request>[] requests =
        [
            _ => new Request(),
            group => new Request { Group = group, Read = new Read() },
            group => new Request { Group = group, Read = new Read { Single = true, Start = ByteString.CopyFrom(new byte[5000]) } },
            group => new Request { Group = group, Read = new Read { Start = ByteString.CopyFromUtf8("b"), End = ByteString.CopyFromUtf8("a") } },
            group => new Request { Group = group, Read = new Read { Start = ByteString.CopyFromUtf8("a"), Single = true, At = long.MinValue } },
            group => new Request { Group = group, Read = new Read { Start = ByteString.CopyFromUtf8("a"), Single = true, At = long.MaxValue } },
            group => new Request { Group = group, Read = new Read { Single = true, Start = ByteString.CopyFromUtf8("a"), Transaction = new TransactionId() } },
            group => new Request { Group = group, Commit = new Commit() },
            group => new Request { Group = group, Commit = new Commit { Parts = { new Part { Group = group } } } },
            group => new Request { Group = group, Commit = new Commit { Transaction = new TransactionId { Client = 1 }, Parts = { new Part() } } },
            group => new Request
            {
                Group = group,
                Commit = new Commit
                {
                    Transaction = new TransactionId { Client = 1, Sequence = ulong.MaxValue },
                    Age = new Age { Start = long.MinValue, Client = 1 },
                    Parts = { new Part { Group = group }, new Part { Group = group } },
                },
            },
            group => new Request { Group = group, Rollback = new Rollback() },
            group => new Request { Group = group, KeepAlive = new KeepAlive() },
            group => new Request { Group = group, Split = new Split() },
            group => new Request { Group = group, Split = new Split { At = ByteString.CopyFrom(new byte[5000]) } },
            group => new Request { Group = group, TransferLeadership = new TransferLeadership { To = -1 } },
            group => new Request { Group = group, TransferLeadership = new TransferLeadership { To = int.MaxValue } },
            _ => new Request { Group = ulong.MaxValue, Read = new Read { Start = ByteString.CopyFromUtf8("a"), Single = true } },
        ];
        foreach (var request in requests)
        {
            var response = await ToLeaderAsync(request);
            Assert.NotEqual(Response.BodyOneofCase.None, response.BodyCase);
            Assert.NotEqual(CommitResult.Types.Outcome.Unspecified, response.Commit?.Outcome);
        }

        await IsWellAsync();
        Assert.All(Cluster.Nodes, node => Assert.DoesNotContain("failed inside the node", node.Log, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_beyond_the_frame_is_refused()
    {
        var request = new Request { Read = new Read { Start = ByteString.CopyFrom(new byte[81 << 20]) } };
        var refused = await Assert.ThrowsAsync<RpcException>(() => CallAsync(Cluster.Node(1), request));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        await IsWellAsync();
    }

    [Theory]
    [InlineData("wrong", "not the cluster's")]
    [InlineData(null, "asks for a token")]
    public async Task Without_the_token_nobody_gets_in(string? token, string says)
    {
        await using var client = Cluster.NewClient(options => options with { Token = token });
        var refused = await Assert.ThrowsAsync<SynodRefusedException>(() => client.GetAsync("a", Cancellation));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Equal(
            StatusCode.Unauthenticated,
            (await Assert.ThrowsAsync<RpcException>(() => CallAsync(Cluster.Node(1), new Request(), []))).StatusCode);
    }

    [Fact]
    public async Task Garbage_on_any_port_is_turned_away_and_the_node_stays_up()
    {
        var random = new Random(1);
        var noise = new byte[200_000];
        random.NextBytes(noise);
        byte[][] garbage =
        [
            [],
            [0],
            noise,
            new byte[100_000],
            Enumerable.Repeat((byte)0xff, 10_000).ToArray(),
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: synod\r\n\r\n"),
            [.. Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), .. noise[..500]],
            [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03],
        ];
        var boots = await BootsAsync();
        foreach (var port in Cluster.NodePorts.Concat(Cluster.Endpoints.Select(endpoint => IPEndPoint.Parse(endpoint).Port)))
        {
            foreach (var bytes in garbage)
            {
                await SendAsync(port, bytes);
            }
        }

        Assert.Equal(boots, await BootsAsync());
        Assert.All(Cluster.Nodes, node => Assert.True(node.IsRunning));
        await IsWellAsync();
    }

    private static async Task SendAsync(int port, byte[] bytes)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, Cancellation);
        try
        {
            for (var sent = 0; sent < bytes.Length;)
            {
                sent += await socket.SendAsync(bytes.AsMemory(sent), Cancellation);
            }

            socket.Shutdown(SocketShutdown.Send);
            var answer = new byte[4096];
            while (await socket.ReceiveAsync(answer, Cancellation) > 0)
            {
            }
        }
        catch (SocketException closed) when (closed.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // It hung up on us, and so it should.
        }
    }

    private async Task<List<long>> BootsAsync()
    {
        var boots = new List<long>();
        foreach (var node in Cluster.Nodes)
        {
            boots.Add((await Cluster.StatusAsync(node))!.Boot);
        }

        return boots;
    }

    private async Task IsWellAsync()
    {
        (await Cluster.Client.PutAsync("well", "yes", Cancellation)).EnsureCommitted();
        Assert.Equal("yes", (await Cluster.Client.GetAsync("well", Cancellation))?.ValueText);
    }

    private async Task<Response> ToLeaderAsync(Func<ulong, Request> request)
    {
        while (true)
        {
            var (node, group) = await Cluster.FirstLeaderAsync();
            var response = await CallAsync(node, request(group));
            if (response.BodyCase != Response.BodyOneofCase.NotLeader || request(group).Group == ulong.MaxValue)
            {
                return response;
            }
        }
    }

    private static async Task<Response> CallAsync(TestNode node, Request request, Metadata? headers = null)
    {
        using var channel = GrpcChannel.ForAddress(
            $"http://{node.Endpoint}", new GrpcChannelOptions { MaxSendMessageSize = null, MaxReceiveMessageSize = null });
        return await new Api.Synod.SynodClient(channel).CallAsync(request, headers ?? Credentials, cancellationToken: Cancellation);
    }
}
