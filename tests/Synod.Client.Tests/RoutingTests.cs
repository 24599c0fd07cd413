using Synod.Api;
using static Synod.Client.Tests.FakeCluster;

namespace Synod.Client.Tests;

public class RoutingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_goes_to_the_leader_of_its_range()
    {
        var cluster = new FakeCluster { Answer = (_, _, _) => new(Items(0, "x")) };
        await using var client = cluster.Client();

        var entry = await client.GetAsync("x", Token);

        Assert.Equal("v", entry!.ValueText);
        Assert.Equal(5, entry.Timestamp);
        var (address, request) = Assert.Single(cluster.Asked(Request.BodyOneofCase.Read));
        Assert.Equal((Address(2), 2UL), (address, request.Group));
    }

    [Fact]
    public async Task A_redirection_is_followed_and_remembered()
    {
        var cluster = new FakeCluster
        {
            Answer = (address, _, _) => new(address == Address(3) ? Items(0, "a") : NotLeader(3)),
        };
        await using var client = cluster.Client();

        await client.GetAsync("a", Token);
        await client.GetAsync("a", Token);

        Assert.Equal([Address(1), Address(3), Address(3)], cluster.Asked(Request.BodyOneofCase.Read).Select(item => item.Address));
    }

    [Fact]
    public async Task Leadership_of_a_group_that_nobody_has_is_refused_at_once()
    {
        var cluster = new FakeCluster { Answer = (_, _, _) => new(new Response { WrongRange = new Api.Directory() }) };
        await using var client = cluster.Client();

        Assert.Contains("group 77", (await Assert.ThrowsAsync<SynodRefusedException>(() => client.TransferLeadershipAsync(77, 2, Token))).Message);
        Assert.Empty(cluster.Asked(Request.BodyOneofCase.TransferLeadership));
        Assert.Contains("group 2", (await Assert.ThrowsAsync<SynodRefusedException>(() => client.TransferLeadershipAsync(2, 3, Token))).Message);
    }

    [Theory]
    [InlineData("not leader")]
    [InlineData("unavailable")]
    [InlineData("lost")]
    [InlineData("refused")]
    public async Task Other_replicas_are_asked_when_one_cannot_serve(string how)
    {
        var cluster = new FakeCluster
        {
            Answer = (address, _, _) => address == Address(2)
                ? new(Items(0, "a"))
                : how switch
                {
                    "not leader" => new(NotLeader(0)),
                    "unavailable" => new(new Response { Unavailable = new Unavailable { Reason = "draining" } }),
                    "lost" => throw Lost,
                    _ => throw Unreachable,
                },
        };
        await using var client = cluster.Client();

        Assert.NotNull(await client.GetAsync("a", Token));
    }

    [Fact]
    public async Task A_node_that_does_not_answer_is_gone_round()
    {
        var time = new ManualTime();
        var asked = new TaskCompletionSource();
        var cluster = new FakeCluster
        {
            Answer = async (address, _, cancellationToken) =>
            {
                if (address != Address(1))
                {
                    return Items(0, "a");
                }

                asked.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
                throw new InvalidOperationException("unreachable");
            },
        };
        await using var client = cluster.Client(options => options with { TimeProvider = time });

        var read = client.GetAsync("a", Token);
        await asked.Task.WaitAsync(Token);
        time.Advance(TimeSpan.FromSeconds(3));
        while (!read.IsCompleted)
        {
            time.Advance(TimeSpan.FromTicks(2));
            await Task.Yield();
        }

        Assert.NotNull(await read);
    }

    [Fact]
    public async Task A_moved_range_is_found_by_what_the_old_server_says()
    {
        var cluster = new FakeCluster();
        cluster.Answer = (_, request, _) => new(request.Group == 3
            ? Items(0, "c")
            : new Response { WrongRange = new Api.Directory { Ranges = { Range(1, "", "b", 2, 1), Range(3, "b", "m", 2, 3) } } });
        await using var client = cluster.Client();

        Assert.NotNull(await client.GetAsync("c", Token));
        Assert.Equal([1UL, 3UL], cluster.Asked(Request.BodyOneofCase.Read).Select(item => item.Request.Group));
    }

    [Fact]
    public async Task Of_two_overlapping_ranges_the_higher_version_is_believed()
    {
        var cluster = new FakeCluster();
        cluster.Directory.Ranges.Add(Range(4, "x", "", 9, 3));
        cluster.Directory.Ranges.Add(Range(5, "w", "", 3, 3));
        cluster.Answer = (_, _, _) => new(Items(0, "xx"));
        await using var client = cluster.Client();

        await client.GetAsync("xx", Token);

        Assert.Equal(4UL, Assert.Single(cluster.Asked(Request.BodyOneofCase.Read)).Request.Group);
    }

    [Fact]
    public async Task Nobody_reachable_is_an_error_that_says_so()
    {
        var cluster = new FakeCluster { Answer = (_, _, _) => throw Unreachable };
        await using var client = cluster.Client(options => options with { RequestTimeout = TimeSpan.FromMilliseconds(20) });

        var error = await Assert.ThrowsAsync<SynodUnavailableException>(() => client.GetAsync("a", Token));

        Assert.Contains("refused", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_is_final()
    {
        var cluster = new FakeCluster
        {
            Answer = (_, _, _) => new(new Response { Refused = new Refused { Reason = "too old" } }),
        };
        await using var client = cluster.Client();

        var error = await Assert.ThrowsAsync<SynodRefusedException>(() => client.Snapshot(1).GetAsync("a", Token));

        Assert.Equal("too old", error.Message);
        Assert.Single(cluster.Asked(Request.BodyOneofCase.Read));
    }

    [Fact]
    public async Task A_scan_streams_pages_over_ranges_at_one_moment()
    {
        var cluster = new FakeCluster
        {
            Answer = (_, request, _) =>
            {
                var read = request.Read;
                var response = request.Group == 2 ? Items(0, "m1") : read.Start.IsEmpty ? Items(0, "a", "b") : Items(0, "c");
                response.Read.More = request.Group == 1 && read.Start.IsEmpty;
                response.Read.At = read.ChooseTimestamp ? 77 : read.At;
                return new(response);
            },
        };
        await using var client = cluster.Client(options => options with { PageKeys = 2 });

        var keys = new List<string>();
        await foreach (var entry in client.ScanAsync("", "z", cancellationToken: Token))
        {
            keys.Add(entry.KeyText);
        }

        Assert.Equal(["a", "b", "c", "m1"], keys);
        var reads = cluster.Asked(Request.BodyOneofCase.Read).Select(item => item.Request.Read).ToList();
        Assert.Equal([true, false, false], reads.Select(read => read.ChooseTimestamp));
        Assert.Equal([0L, 77L, 77L], reads.Select(read => read.At));
        Assert.Equal(["", "b\0", "m"], reads.Select(read => read.Start.ToStringUtf8()));
        Assert.Equal(["m", "m", "z"], reads.Select(read => read.End.ToStringUtf8()));
    }

    [Fact]
    public async Task A_snapshot_lets_only_one_of_its_concurrent_reads_choose()
    {
        var gate = new TaskCompletionSource();
        var cluster = new FakeCluster
        {
            Answer = async (_, request, _) =>
            {
                await gate.Task;
                var response = Items(0, "a");
                response.Read.At = request.Read.ChooseTimestamp ? 42 : request.Read.At;
                return response;
            },
        };
        await using var client = cluster.Client();
        var snapshot = client.Snapshot();

        var reads = Enumerable.Range(0, 5).Select(_ => snapshot.GetAsync("a", Token)).ToList();
        gate.SetResult();
        await Task.WhenAll(reads);

        Assert.Equal(42, snapshot.Timestamp);
        Assert.Single(cluster.Asked(Request.BodyOneofCase.Read), item => item.Request.Read.ChooseTimestamp);
        Assert.Equal(4, cluster.Asked(Request.BodyOneofCase.Read).Count(item => item.Request.Read.At == 42));
    }

    [Fact]
    public async Task A_split_is_asked_of_the_leader_and_not_twice()
    {
        var cluster = new FakeCluster();
        cluster.Answer = (_, request, _) =>
        {
            cluster.Directory = new Api.Directory
            {
                Nodes = { Node(1), Node(2), Node(3) },
                Ranges = { Range(1, "", "f", 2, 1), Range(3, "f", "m", 2, 3), Range(2, "m", "", 1, 2) },
            };
            return new(new Response { Done = new Done() });
        };
        await using var client = cluster.Client();

        await client.SplitAsync("f", 3, Token);
        await client.SplitAsync("f", 3, Token);

        var (_, request) = Assert.Single(cluster.Asked(Request.BodyOneofCase.Split));
        Assert.Equal((1UL, "f", 3), (request.Group, request.Split.At.ToStringUtf8(), request.Split.PreferredLeader));
    }

    [Fact]
    public async Task The_answer_of_a_split_is_all_that_the_client_needs_of_it()
    {
        var cluster = new FakeCluster();
        cluster.Answer = (_, request, _) => new(request.BodyCase == Request.BodyOneofCase.Split
            ? new Response { Directory = new Api.Directory { Ranges = { Range(1, "", "f", 2, 1), Range(3, "f", "m", 2, 3) } } }
            : Items(0, "g"));
        await using var client = cluster.Client();

        await client.SplitAsync("f", 3, Token);
        await client.GetAsync("g", Token);

        Assert.Single(cluster.Asked(Request.BodyOneofCase.Directory));
        var (address, request) = Assert.Single(cluster.Asked(Request.BodyOneofCase.Read));
        Assert.Equal((Address(3), 3UL), (address, request.Group));
    }

    [Fact]
    public async Task Of_overlapping_ranges_heard_of_in_any_order_the_higher_version_counts()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var told = Histories(random);
            var cluster = new FakeCluster { Answer = (_, _, _) => new(Items(0, "x")) };
            await using var client = cluster.Client();
            var known = new List<Api.Range>();
            for (var news = 0; news < 30; news++)
            {
                cluster.Directory = new Api.Directory { Nodes = { Node(1), Node(2), Node(3) } };
                cluster.Directory.Ranges.AddRange(random.GetItems(told, random.Next(1, 4)));
                await client.DirectoryAsync(Token);
                foreach (var range in cluster.Directory.Ranges.Where(
                    range => !known.Exists(old => old.Version > range.Version && (old.Group == range.Group || Overlap(old, range)))))
                {
                    known.RemoveAll(old => old.Group == range.Group || Overlap(old, range));
                    known.Add(range);
                }

                for (var key = 'a'; key <= 'z'; key++)
                {
                    if (known.Find(range => Overlap(range, Range(0, $"{key}", $"{key}0", 0, 0))) is { } expected)
                    {
                        await client.GetAsync($"{key}", Token);
                        Assert.Equal(expected.Group, cluster.Asked(Request.BodyOneofCase.Read)[^1].Request.Group);
                    }
                }
            }
        }
    }

    /// <summary>Every state that a range was ever in, while one was cut into twelve.</summary>
    private static Api.Range[] Histories(Random random)
    {
        var told = new List<Api.Range> { Range(1, "", "", 1, 1) };
        var now = new List<Api.Range>(told);
        for (var group = 2UL; group <= 12; group++)
        {
            var at = $"{(char)random.Next('b', 'z' + 1)}";
            var old = now.Single(range => Overlap(range, Range(0, at, at + "0", 0, 0)));
            if (old.Start.ToStringUtf8() == at)
            {
                continue;
            }

            now.Remove(old);
            now.Add(Range(old.Group, old.Start.ToStringUtf8(), at, old.Version + 1, 1));
            now.Add(Range(group, at, old.End.ToStringUtf8(), old.Version + 1, 2));
            told.AddRange(now[^2..]);
        }

        return [.. told];
    }

    private static bool Overlap(Api.Range left, Api.Range right) => IsBelow(left.Start, right.End) && IsBelow(right.Start, left.End);

    private static bool IsBelow(Google.Protobuf.ByteString start, Google.Protobuf.ByteString end) =>
        end.IsEmpty || start.Span.SequenceCompareTo(end.Span) < 0;
}
