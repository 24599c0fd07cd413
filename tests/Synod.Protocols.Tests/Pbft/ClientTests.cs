using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;
using Play = Stage<PbftReplica.Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>;

/// <summary>The client's side (pbft.md §3.6, §5), and reads.</summary>
public sealed class ClientTests
{
    private const int Retry = (int)PbftReplica.Timer.Retry;

    private readonly Quartet _group = new(Small);
    private readonly Quartet _reading = new(Small with { ReadsDirectly = true });

    [Fact]
    public void A_request_leaves_after_its_timestamp_is_durable_and_goes_to_the_primary()
    {
        var play = _group.Stage(X);
        play.Submit(X, Invoke("x+"));
        Assert.Equal([new PbftReplica.Record.Claimed(1)], play.Log(X));
        Assert.Empty(play.Network);
        play.Sync(X);
        var sent = Assert.Single(play.Network);
        Assert.Equal((A, new Message.Request(_group.Request(X, 1, "x+"))), (sent.To, (Message.Request)sent.Message));
    }

    [Fact]
    public void A_result_needs_f_plus_1_equal_replies_of_distinct_replicas()
    {
        var play = Asked(_group, Invoke("x+"));
        play.Receive(B, X, Reply(1, "7"));
        play.Receive(B, X, Reply(1, "7"));
        play.Receive(Y, X, Reply(1, "7"));
        play.Receive(C, X, Reply(1, "8"));
        play.Receive(C, X, Reply(2, "7"));
        play.Receive(C, X, Reply(1, "7", isRead: true));
        play.Receive(C, X, new Message.FetchBatch(default));
        Assert.Empty(play.Answers(X));
        Assert.Equal([Refusal.NotMember, Refusal.Duplicate, Refusal.Duplicate, Refusal.Unexpected], play.Refusals(X));
        play.Receive(D, X, Reply(1, "7"));
        Assert.Equal("Completed 7", Assert.Single(play.Answers(X)).Result.ToString());
        play.Receive(A, X, Reply(1, "7"));
        Assert.Equal(Refusal.Duplicate, play.Refusals(X)[^1]);
        Assert.False(play.IsArmed(X, Retry));
    }

    [Fact]
    public void Beside_direct_reads_every_result_needs_2f_plus_1()
    {
        var play = Asked(_reading, Invoke("x+"));
        play.Receive(B, X, Reply(1, "7"));
        play.Receive(C, X, Reply(1, "7"));
        Assert.Empty(play.Answers(X));
        play.Receive(D, X, Reply(1, "7"));
        Assert.Single(play.Answers(X));
    }

    [Fact]
    public void Who_gets_no_answer_asks_everybody_and_learns_the_primary()
    {
        var play = Asked(_group, Invoke("x+"));
        play.Network.Clear();
        play.Fire(X, Retry);
        Assert.Equal([A, B, C, D], play.Network.Select(item => item.To));
        Assert.True(play.IsArmed(X, Retry));

        // One that claims a view far away cannot send the client there alone.
        play.Receive(B, X, Reply(1, "1", view: 5));
        play.Receive(C, X, Reply(1, "1", view: 2));
        play.Network.Clear();
        play.Submit(X, Invoke("x+"));
        play.Sync(X);
        Assert.Equal(C, Assert.Single(play.Network).To);
    }

    [Fact]
    public void One_request_is_under_way_and_the_others_wait()
    {
        var play = Asked(_group, Invoke("x+"));
        play.Submit(X, Invoke("y+"));
        Assert.Single(play.Log(X));
        play.Run();
        Assert.Equal(["Completed 1", "Completed 1"], play.Answers(X).Select(item => item.Result.ToString()));
        Assert.Equal(0, ((PbftClient)play[X]).Pending);
        Assert.Equal(2, play.Executions(A).Count);
    }

    [Fact]
    public void After_a_crash_no_timestamp_is_used_again()
    {
        var play = Asked(_group, Invoke("x+"));
        play.Crash(X);
        play.Submit(X, Invoke("y+"));
        Assert.Equal(new PbftReplica.Record.Claimed(2), play.Log(X)[^1]);
        var outbox = new Outbox<Message, PbftReplica.Record, PbftReplica.Command, PbftReplica.Result>();
        play[X].Checkpoint(null!, outbox);
        Assert.Equal(new PbftReplica.Record.Claimed(2), Assert.Single(outbox.Records.ToArray()));
    }

    [Fact]
    public void What_is_no_clients_command_or_too_large_is_refused()
    {
        var play = _group.Stage(X);
        play.Submit(X, new PbftReplica.Command.Order(_group.Request(X, 1, "x+")));
        play.Submit(X, new PbftReplica.Command.Invoke(new byte[Small.MaxOperation + 1]));
        Assert.All(play.Answers(X), answer => Assert.IsType<PbftReplica.Result.Refused>(answer.Result));
        Assert.Empty(play.Log(X));
    }

    [Fact]
    public void A_direct_read_takes_one_round_and_2f_plus_1_equal_replies()
    {
        var play = _reading.Stage(X);
        play.Submit(X, Invoke("x=5"));
        play.Run();
        play.Submit(X, new PbftReplica.Command.Query(Counters.Bytes("x")));
        play.Run();
        Assert.Equal("Completed 5", play.Answers(X)[^1].Result.ToString());
        Assert.Single(play.Executions(A));
    }

    [Fact]
    public void A_read_that_replicas_answer_differently_is_ordered()
    {
        var play = Asked(_reading, new PbftReplica.Command.Query(Counters.Bytes("x")));
        Assert.Equal(4, play.Network.Count(item => item.Message is Message.Read));
        play.Network.Clear();
        foreach (var (node, value) in new[] { (A, "1"), (B, "1"), (C, "2"), (D, "3") })
        {
            Assert.Empty(play.Answers(X));
            play.Receive(node, X, Reply(1, value, isRead: true));
        }

        play.Sync(X);
        Assert.IsType<Message.Request>(Assert.Single(play.Network).Message);
        play.Run();
        Assert.Equal("Completed 0", Assert.Single(play.Answers(X)).Result.ToString());
        Assert.Single(play.Executions(A));
    }

    [Fact]
    public void A_read_that_gets_too_few_replies_is_ordered()
    {
        var play = Asked(_reading, new PbftReplica.Command.Query(Counters.Bytes("x")));
        play.Network.Clear();
        play.Receive(A, X, Reply(1, "9", isRead: true));
        play.Receive(B, X, Reply(1, "9", isRead: true));
        play.Fire(X, Retry);
        play.Run();
        Assert.Equal("Completed 0", Assert.Single(play.Answers(X)).Result.ToString());
    }

    [Fact]
    public void A_replica_answers_reads_of_their_client_only_and_changes_nothing()
    {
        var play = _reading.Stage(X);
        var read = new Message.Read(_reading.Request(X, 1, "x+", isRead: true));
        play.Receive(Y, A, read);
        play.Receive(X, A, new Message.Read(_reading.Request(X, 1, "x+")));
        Assert.Equal([Refusal.Forged, Refusal.Forged], play.Refusals(A));
        play.Receive(X, A, read);
        Assert.True(Assert.IsType<Message.Reply>(Assert.Single(play.Between(A, X))).IsRead);
        Assert.Empty(_reading.Services[A].Values);
        var without = _group.Stage(X);
        without.Receive(X, A, new Message.Read(_group.Request(X, 1, "x", isRead: true)));
        Assert.Equal([Refusal.NotReady], without.Refusals(A));
    }

    /// <summary>
    /// Berger, Reiser and Bessani 2021: the primary leaves one correct replica in the dark and the faulty one does not answer clients.
    /// Two correct replicas answer and three are needed. The one in the dark hears the client's repetition, asks, and executes.
    /// </summary>
    [Fact]
    public void A_replica_in_the_dark_does_not_stop_clients()
    {
        var play = _reading.Stage(X);
        play.Submit(X, Invoke("x+"));
        play.Sync(X);
        while (play.Network.Count > 0)
        {
            var (from, to, _) = play.Network[0];
            if (to == D || (from == A && to == X))
            {
                play.Drop(from, to);
            }
            else
            {
                play.Deliver(from, to);
            }

            foreach (var node in Replicas)
            {
                play.Sync(node);
            }
        }

        Assert.Empty(play.Answers(X));
        Assert.Empty(play.Executions(D));
        play.Fire(X, Retry);
        play.Run();
        play.Fire(D, (int)PbftReplica.Timer.Status);
        play.Run();
        Assert.Single(play.Executions(D));
        Assert.Equal("Completed 1", Assert.Single(play.Answers(X)).Result.ToString());
    }

    /// <summary>A faulty client harms itself: whatever it sends to whom, replicas agree on what they execute for it.</summary>
    [Fact]
    public void A_client_that_contradicts_itself_gets_one_of_its_operations_executed()
    {
        var play = _group.Stage(X);
        play.Receive(X, A, new Message.Request(_group.Request(X, 1, "x+")));
        play.Receive(X, B, new Message.Request(_group.Request(X, 1, "x=5")));
        play.Receive(X, C, new Message.Request(_group.Request(X, long.MaxValue, "x=6")));
        play.Run();
        var digests = Replicas.Select(node => string.Join(" ", play.Executions(node).Select(item => item.Command))).Distinct();
        Assert.Single(digests);
        Assert.All(Replicas, node => Assert.Equal(_group.Services[A].Values, _group.Services[node].Values));
    }

    private static PbftReplica.Command.Invoke Invoke(string operation) => new(Counters.Bytes(operation));

    private static Message.Reply Reply(long timestamp, string result, bool isRead = false, long view = 0) =>
        new(view, timestamp, isRead, Counters.Bytes(result));

    private static Play Asked(Quartet group, PbftReplica.Command command)
    {
        var play = group.Stage(X);
        play.Submit(X, command);
        play.Sync(X);
        return play;
    }
}
