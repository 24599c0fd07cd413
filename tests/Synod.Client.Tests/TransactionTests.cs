using Synod.Api;
using static Synod.Client.Tests.FakeCluster;

namespace Synod.Client.Tests;

public class TransactionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static FakeCluster Cluster(Func<Commit, int, Response> commit, long term = 3)
    {
        var commits = 0;
        return new FakeCluster
        {
            Answer = (_, request, _) => new(request.BodyCase == Request.BodyOneofCase.Commit
                ? commit(request.Commit, ++commits)
                : Items(term, request.Read.Start.ToStringUtf8())),
        };
    }

    [Fact]
    public async Task A_commit_carries_what_was_written_and_locked_by_group()
    {
        var cluster = Cluster((_, _) => Committed(99));
        await using var client = cluster.Client();

        var result = await client.TransactAsync(
            async transaction =>
            {
                await transaction.GetAsync("a");
                await transaction.GetAsync("b");
                transaction.Put("z", "1");
                transaction.Put("z", "2");
                transaction.Delete("y");
            },
            Token);

        Assert.Equal(new TransactionResult(TransactionOutcome.Committed, 99, 1, ""), result);
        var commit = Assert.Single(cluster.Commits);
        Assert.Equal([2UL, 1UL], commit.Parts.Select(part => part.Group));
        Assert.Equal(["y:", "z:2"], commit.Parts[0].Writes.Select(write => $"{write.Key.ToStringUtf8()}:{write.Value.ToStringUtf8()}"));
        Assert.Null(commit.Parts[0].Term);
        Assert.Equal(3, commit.Parts[1].Term.Round);
        Assert.All(cluster.Asked(Request.BodyOneofCase.Read), item => Assert.Equal(commit.Transaction, item.Request.Read.Transaction));
        Assert.Empty(cluster.Asked(Request.BodyOneofCase.Rollback));
    }

    [Fact]
    public async Task Its_reads_see_its_own_writes()
    {
        var cluster = new FakeCluster
        {
            Answer = (_, request, _) => new(request.BodyCase == Request.BodyOneofCase.Commit ? Committed() : request.Group switch
            {
                1 => Items(3, "a", "b", "c"),
                _ => Items(4, "n"),
            }),
        };
        await using var client = cluster.Client();

        var result = await client.TransactAsync(
            async transaction =>
            {
                transaction.Put("aa", "own");
                transaction.Put("b", "own");
                transaction.Delete("c");
                transaction.Put("zz", "own");
                Assert.Equal("own", (await transaction.GetAsync("b"))!.ValueText);
                Assert.Null(await transaction.GetAsync("c"));
                var seen = new List<string>();
                await foreach (var entry in transaction.ScanAsync("", ""))
                {
                    seen.Add($"{entry.KeyText}={entry.ValueText}");
                }

                return seen;
            },
            Token);

        Assert.Equal(["a=v", "aa=own", "b=own", "n=v", "zz=own"], result.Value!);
        Assert.Equal(2, cluster.Asked(Request.BodyOneofCase.Read).Count);
    }

    [Fact]
    public async Task A_conflict_is_tried_again_under_the_original_age()
    {
        var cluster = Cluster((_, count) => count < 3 ? Aborted() : Committed());
        await using var client = cluster.Client();

        var result = await client.TransactAsync(
            async transaction =>
            {
                await transaction.GetAsync("a");
                transaction.Put("a", "1");
            },
            Token);

        Assert.Equal((TransactionOutcome.Committed, 3), (result.Outcome, result.Attempts));
        Assert.Single(cluster.Commits.Select(commit => commit.Age).Distinct());
        Assert.Equal([1UL, 2UL, 3UL], cluster.Commits.Select(commit => commit.Transaction.Sequence));
        Assert.Equal([1UL, 2UL], cluster.Asked(Request.BodyOneofCase.Rollback).Select(item => item.Request.Rollback.Transaction.Sequence));
    }

    [Fact]
    public async Task A_wounded_read_is_tried_again_even_if_the_delegate_swallows_it()
    {
        var reads = 0;
        var cluster = new FakeCluster
        {
            Answer = (_, request, _) =>
                new(request.BodyCase == Request.BodyOneofCase.Commit ? Committed() : ++reads == 1 ? Aborted() : Items(3, "a")),
        };
        await using var client = cluster.Client();

        var result = await client.TransactAsync(
            async transaction =>
            {
                try
                {
                    await transaction.GetAsync("a");
                }
                catch (TransactionConflictException)
                {
                    // A careless delegate.
                }

                if (transaction.Attempt > 1)
                {
                    transaction.Put("a", "1");
                }
            },
            Token);

        Assert.Equal((TransactionOutcome.Committed, 2), (result.Outcome, result.Attempts));
        Assert.Single(cluster.Commits);
    }

    [Fact]
    public async Task Locks_of_two_terms_are_never_committed_together()
    {
        var reads = 0;
        var cluster = new FakeCluster
        {
            Answer = (_, request, _) =>
                new(request.BodyCase == Request.BodyOneofCase.Commit ? Committed() : Items(++reads == 2 ? 8 : 7 + (reads / 3), "a")),
        };
        await using var client = cluster.Client();

        var result = await client.TransactAsync(
            async transaction =>
            {
                await transaction.GetAsync("a");
                await transaction.GetAsync("b");
                transaction.Put("a", "1");
            },
            Token);

        Assert.Equal(2, result.Attempts);
        Assert.Equal(2UL, Assert.Single(cluster.Commits).Transaction.Sequence);
    }

    [Fact]
    public async Task The_number_of_attempts_can_be_limited()
    {
        var cluster = Cluster((_, _) => Outcome(CommitResult.Types.Outcome.Aborted));
        await using var client = cluster.Client(options => options with { MaxAttempts = 2 });

        var result = await client.PutAsync("a", "1", Token);

        Assert.Equal((TransactionOutcome.Aborted, 2), (result.Outcome, result.Attempts));
        Assert.Throws<NotCommittedException>(result.EnsureCommitted);
    }

    [Fact]
    public async Task An_error_of_the_delegate_passes_and_frees_the_locks()
    {
        var cluster = Cluster((_, _) => Committed());
        await using var client = cluster.Client();

        await Assert.ThrowsAsync<FormatException>(() => client.TransactAsync(
            async transaction =>
            {
                await transaction.GetAsync("a");
                throw new FormatException();
            },
            Token));

        Assert.Empty(cluster.Commits);
        Assert.Single(cluster.Asked(Request.BodyOneofCase.Rollback));
    }

    [Fact]
    public async Task One_read_alone_needs_no_commit_and_several_do()
    {
        var cluster = Cluster((_, _) => Committed());
        await using var client = cluster.Client();

        Assert.True((await client.TransactAsync(transaction => transaction.GetAsync("a"), Token)).IsCommitted);
        Assert.Empty(cluster.Commits);
        Assert.Single(cluster.Asked(Request.BodyOneofCase.Rollback));

        await client.TransactAsync(
            async transaction =>
            {
                await transaction.GetAsync("a");
                await transaction.GetAsync("n");
            },
            Token);
        Assert.Equal([1UL, 2UL], Assert.Single(cluster.Commits).Parts.Select(part => part.Group));
    }

    [Fact]
    public async Task A_range_that_was_cut_before_the_commit_makes_a_new_attempt()
    {
        var cluster = Cluster((_, _) => Committed());
        var answer = cluster.Answer;
        cluster.Answer = (address, request, token) => request.BodyCase == Request.BodyOneofCase.Commit && request.Group == 1
            ? new(new Response { WrongRange = new Api.Directory { Ranges = { Range(1, "", "b", 2, 1), Range(3, "b", "m", 2, 3) } } })
            : answer(address, request, token);
        await using var client = cluster.Client();

        var result = await client.PutAsync("c", "1", Token);

        Assert.Equal((TransactionOutcome.Committed, 2), (result.Outcome, result.Attempts));
        Assert.Equal([1UL, 3UL], cluster.Commits.Select(commit => commit.Parts[0].Group));
    }

    [Fact]
    public async Task Concurrent_transactions_use_different_sessions_and_later_ones_reuse_them()
    {
        var gate = new TaskCompletionSource();
        var cluster = new FakeCluster
        {
            Answer = async (_, _, _) =>
            {
                await gate.Task;
                return Committed();
            },
        };
        await using var client = cluster.Client();

        var first = client.PutAsync("a", "1", Token);
        var second = client.PutAsync("b", "1", Token);
        gate.SetResult();
        await Task.WhenAll(first, second);
        await client.PutAsync("c", "1", Token);

        var ids = cluster.Commits.Select(commit => commit.Transaction).ToList();
        Assert.Equal(2, ids.Select(id => id.Client).Distinct().Count());
        Assert.Equal(2UL, ids[2].Sequence);
    }

    [Fact]
    public async Task Locks_are_kept_alive_while_the_delegate_thinks()
    {
        var time = new ManualTime();
        var cluster = Cluster((_, _) => Committed());
        var kept = new TaskCompletionSource();
        cluster.AnswerAside = (_, request) =>
        {
            kept.TrySetResult();
            return new Response { Done = new Done() };
        };
        await using var client = cluster.Client(options => options with { TimeProvider = time });

        await client.TransactAsync(
            async transaction =>
            {
                await transaction.GetAsync("a");
                await transaction.GetAsync("n");
                time.Advance(TimeSpan.FromSeconds(2));
                await kept.Task.WaitAsync(Token);
                transaction.Put("a", "1");
            },
            Token);

        Assert.Equal(
            [(Address(1), 1UL), (Address(2), 2UL)],
            cluster.Asked(Request.BodyOneofCase.KeepAlive).Select(item => (item.Address, item.Request.Group)));
    }

    [Fact]
    public async Task A_keep_alive_tells_of_a_wound()
    {
        var time = new ManualTime();
        var cluster = Cluster((_, _) => Committed());
        cluster.AnswerAside = (_, request) =>
            request.BodyCase == Request.BodyOneofCase.KeepAlive ? Aborted() : new Response { Done = new Done() };
        await using var client = cluster.Client(options => options with { TimeProvider = time, MaxAttempts = 1 });

        var result = await client.TransactAsync(
            async transaction =>
            {
                await transaction.GetAsync("a");
                time.Advance(TimeSpan.FromSeconds(2));
                transaction.Put("a", "1");
            },
            Token);

        Assert.Equal((TransactionOutcome.Aborted, "wounded"), (result.Outcome, result.Reason));
        Assert.Empty(cluster.Commits);
    }

    [Fact]
    public async Task A_transaction_that_is_over_cannot_be_used()
    {
        var cluster = Cluster((_, _) => Committed());
        await using var client = cluster.Client();
        SynodTransaction? kept = null;
        await client.TransactAsync(
            transaction =>
            {
                kept = transaction;
                return Task.CompletedTask;
            },
            Token);

        Assert.Throws<InvalidOperationException>(() => kept!.Put("a", "1"));
    }

    [Fact]
    public async Task Limits_are_named_where_they_are_crossed()
    {
        await using var client = new FakeCluster().Client();

        Assert.Contains("4,096", (await Assert.ThrowsAsync<ArgumentException>(
            () => client.GetAsync(new byte[Limits.MaxKeyBytes + 1], Token))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetAsync(ReadOnlyMemory<byte>.Empty, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => client.PutAsync(new byte[1], new byte[Limits.MaxValueBytes + 1], Token));
        var error = await Assert.ThrowsAsync<SynodRefusedException>(() => client.TransactAsync(
            transaction =>
            {
                var value = new byte[Limits.MaxValueBytes];
                for (var i = 0; i < 17; i++)
                {
                    transaction.Put(new[] { (byte)i }, value);
                }

                return Task.CompletedTask;
            },
            Token));
        Assert.Contains("67,108,864", error.Message, StringComparison.Ordinal);
    }
}
