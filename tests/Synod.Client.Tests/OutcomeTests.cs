using Synod.Api;
using static Synod.Client.Tests.FakeCluster;

namespace Synod.Client.Tests;

/// <summary>Committed, aborted or unknown, and never a wrong one of these.</summary>
public class OutcomeTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static FakeCluster Cluster(Func<int, CancellationToken, ValueTask<Response>> commit, long term = 3)
    {
        var commits = 0;
        return new FakeCluster
        {
            Answer = (_, request, token) => request.BodyCase == Request.BodyOneofCase.Commit
                ? commit(++commits, token)
                : new(Items(term, "a")),
        };
    }

    private static async Task WriteLocked(SynodTransaction transaction)
    {
        await transaction.GetAsync("a");
        transaction.Put("a", "1");
    }

    [Fact]
    public async Task When_the_time_is_over_it_says_how_long_it_asked()
    {
        var time = new ManualTime();
        var cluster = Cluster((_, _) =>
        {
            time.Advance(TimeSpan.FromSeconds(7));
            return new(new Response { Commit = new CommitResult { Outcome = CommitResult.Types.Outcome.Unknown } });
        });
        await using var client = cluster.Client(options => options with { TimeProvider = time, CommitTimeout = TimeSpan.FromSeconds(5) });

        var asked = client.PutAsync("a", "1", Token);
        while (!asked.IsCompleted)
        {
            time.Advance(TimeSpan.FromTicks(10));
            await Task.Yield();
        }

        var result = await asked;
        Assert.Equal(TransactionOutcome.Unknown, result.Outcome);
        Assert.Contains("within 5 s", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_reply_is_asked_for_under_the_same_id()
    {
        var cluster = Cluster((count, _) => count == 1 ? throw Lost : new(Committed(4)));
        await using var client = cluster.Client();

        var result = await client.PutAsync("a", "1", Token);

        Assert.Equal((TransactionOutcome.Committed, 4L, 1), (result.Outcome, result.Timestamp, result.Attempts));
        Assert.Equal(2, cluster.Commits.Count);
        Assert.Single(cluster.Commits.Distinct());
    }

    [Fact]
    public async Task A_coordinator_that_does_not_know_is_asked_again()
    {
        var cluster = Cluster((count, _) => new(count < 4 ? Outcome(CommitResult.Types.Outcome.Unknown) : Committed()));
        await using var client = cluster.Client();

        Assert.True((await client.PutAsync("a", "1", Token)).IsCommitted);
        Assert.Single(cluster.Commits.Distinct());
    }

    [Fact]
    public async Task What_cannot_be_learned_in_time_is_unknown()
    {
        var cluster = Cluster((count, _) => throw (count == 1 ? Lost : Unreachable));
        await using var client = cluster.Client(options => options with { CommitTimeout = Short });

        var result = await client.PutAsync("a", "1", Token);

        Assert.Equal(TransactionOutcome.Unknown, result.Outcome);
        Assert.Throws<NotCommittedException>(result.EnsureCommitted);
    }

    [Fact]
    public async Task A_commit_that_reached_nobody_is_not_unknown()
    {
        var cluster = Cluster((_, _) => throw Unreachable);
        await using var client = cluster.Client(options => options with { CommitTimeout = Short });

        await Assert.ThrowsAsync<SynodUnavailableException>(() => client.PutAsync("a", "1", Token));
    }

    [Fact]
    public async Task A_later_refusal_does_not_make_an_earlier_send_undone()
    {
        var cluster = Cluster((count, _) => count == 1
            ? throw Lost
            : new(new Response { Unavailable = new Unavailable { Reason = "no leader" } }));
        await using var client = cluster.Client(options => options with { CommitTimeout = Short });

        Assert.Equal(TransactionOutcome.Unknown, (await client.PutAsync("a", "1", Token)).Outcome);
    }

    [Fact]
    public async Task After_a_lost_reply_lost_locks_prove_an_abort()
    {
        var cluster = Cluster((count, _) => count == 1 ? throw Lost : new(Aborted()));
        await using var client = cluster.Client(options => options with { MaxAttempts = 1 });

        Assert.Equal(TransactionOutcome.Aborted, (await client.TransactAsync(WriteLocked, Token)).Outcome);
    }

    [Fact]
    public async Task After_a_lost_reply_locks_that_the_coordinator_lost_prove_an_abort_whatever_is_written_elsewhere()
    {
        var cluster = Cluster((count, _) => count == 1 ? throw Lost : new(Aborted()));
        await using var client = cluster.Client(options => options with { MaxAttempts = 1 });

        var result = await client.TransactAsync(
            async transaction =>
            {
                await WriteLocked(transaction);
                transaction.Put("z", "without a lock, in another range");
            },
            Token);

        Assert.Equal(TransactionOutcome.Aborted, result.Outcome);
        Assert.Null(cluster.Commits[0].Parts[1].Term);
    }

    [Fact]
    public async Task An_unknown_outcome_gives_up_the_read_locks_that_nobody_was_asked_to_vote_on()
    {
        var cluster = Cluster((_, _) => throw Lost);
        await using var client = cluster.Client(options => options with { CommitTimeout = Short });

        Assert.Equal(TransactionOutcome.Unknown, (await client.TransactAsync(WriteLocked, Token)).Outcome);
        Assert.Single(cluster.Asked(Request.BodyOneofCase.Rollback));
    }

    [Fact]
    public async Task After_a_lost_reply_a_refused_write_without_locks_proves_nothing()
    {
        var cluster = Cluster((count, _) => count switch
        {
            1 => throw Lost,
            2 => new(Aborted()),
            _ => new(Committed()),
        });
        await using var client = cluster.Client();

        var result = await client.PutAsync("a", "1", Token);

        Assert.Equal((TransactionOutcome.Committed, 1), (result.Outcome, result.Attempts));
        Assert.Single(cluster.Commits.Distinct());
    }

    [Fact]
    public async Task Contradictions_without_end_are_unknown()
    {
        var cluster = Cluster((count, _) => count == 1 ? throw Lost : new(Aborted()));
        await using var client = cluster.Client();

        Assert.Equal(TransactionOutcome.Unknown, (await client.PutAsync("a", "1", Token)).Outcome);
    }

    [Fact]
    public async Task A_range_cut_after_a_lost_reply_does_not_start_a_second_transaction()
    {
        var cluster = Cluster((count, _) => count == 1
            ? throw Lost
            : new(new Response { WrongRange = new Api.Directory { Ranges = { Range(3, "", "m", 2, 3), Range(1, "m", "n", 2, 1) } } }));
        await using var client = cluster.Client();

        Assert.Equal(TransactionOutcome.Unknown, (await client.PutAsync("a", "1", Token)).Outcome);
        Assert.Single(cluster.Commits.Distinct());
    }

    [Fact]
    public async Task Cancelled_before_the_commit_is_aborted()
    {
        var cluster = Cluster((_, _) => new(Committed()));
        await using var client = cluster.Client();
        using var cancel = new CancellationTokenSource();

        var result = await client.TransactAsync(
            async transaction =>
            {
                await WriteLocked(transaction);
                await cancel.CancelAsync();
            },
            cancel.Token);

        Assert.Equal(TransactionOutcome.Aborted, result.Outcome);
        Assert.Equal("cancelled before the commit was sent", result.Reason);
        Assert.Empty(cluster.Commits);
    }

    [Fact]
    public async Task Cancelled_inside_a_read_is_aborted()
    {
        using var cancel = new CancellationTokenSource();
        var cluster = new FakeCluster
        {
            Answer = async (_, _, token) =>
            {
                await cancel.CancelAsync();
                await Task.Delay(Timeout.Infinite, token);
                return Committed();
            },
        };
        await using var client = cluster.Client();

        Assert.Equal(TransactionOutcome.Aborted, (await client.TransactAsync(WriteLocked, cancel.Token)).Outcome);
    }

    [Fact]
    public async Task Cancelled_while_the_commit_is_out_is_unknown_and_retires_the_session()
    {
        using var cancel = new CancellationTokenSource();
        var cluster = Cluster(async (count, token) =>
        {
            if (count == 1)
            {
                await cancel.CancelAsync();
                await Task.Delay(Timeout.Infinite, token);
            }

            return Committed();
        });
        await using var client = cluster.Client();

        Assert.Equal(TransactionOutcome.Unknown, (await client.PutAsync("a", "1", cancel.Token)).Outcome);
        Assert.True((await client.PutAsync("a", "2", Token)).IsCommitted);
        Assert.Equal(2, cluster.Commits.Select(commit => commit.Transaction.Client).Distinct().Count());
        Assert.Empty(cluster.Asked(Request.BodyOneofCase.Rollback));
    }

    [Fact]
    public async Task An_answer_that_makes_no_sense_is_not_taken_for_an_outcome()
    {
        var cluster = Cluster((_, _) => new(new Response { Done = new Done() }));
        await using var client = cluster.Client();

        Assert.Equal(TransactionOutcome.Unknown, (await client.PutAsync("a", "1", Token)).Outcome);
    }
}
