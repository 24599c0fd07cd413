using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Tests.EPaxosRoom.Sites;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>Execution, sessions and what goes on in the background (epaxos.md §6, §12).</summary>
public sealed class ExecutionTests
{
    [Fact]
    public void A_command_waits_for_its_dependencies_and_theirs()
    {
        var sites = Proposed();
        Commit(sites, Id(3), "x", "3", 0, 1, 0);
        Commit(sites, Id(1), "x", "1", 0, 0, 1);
        Assert.Empty(sites.Executed(2));
        Commit(sites, Id(2), "x", "2", 0, 0, 0);
        Assert.Equal([Id(2), Id(3), Id(1)], sites.Executed(2));
    }

    [Fact]
    public void A_command_waits_for_everything_up_to_a_counter_that_it_depends_on()
    {
        var sites = new Sites(3);
        Commit(sites, Id(1, 2), "x", "2", 0, 0, 0);
        Commit(sites, Id(3), "x", "3", 2, 0, 0);
        Assert.Equal([Id(1, 2)], sites.Executed(2));
        Commit(sites, Id(1), "x", "1", 0, 0, 0);
        Assert.Equal([Id(1, 2), Id(1), Id(3)], sites.Executed(2));
    }

    [Fact]
    public void What_does_not_interfere_is_not_waited_for()
    {
        var sites = new Sites(3);
        sites.Stage.Receive(Node(1), Node(2), new Room.Message.PreAccept(Id(1), Batch("y", "1", session: 4), Deps(0, 0, 0)));
        Commit(sites, Id(3), "x", "3", 1, 0, 0);
        Assert.Equal([Id(3)], sites.Executed(2));
    }

    /// <summary>Scenario 3: a cycle is executed as one, in the order of ids.</summary>
    [Fact]
    public void A_cycle_of_three_is_executed_in_the_order_of_ids()
    {
        var sites = Proposed();
        Commit(sites, Id(3), "x", "3", 1, 0, 0);
        Commit(sites, Id(1), "x", "1", 0, 1, 0);
        Assert.Empty(sites.Executed(2));
        Commit(sites, Id(2), "x", "2", 0, 0, 1);
        Assert.Equal([Id(1), Id(2), Id(3)], sites.Executed(2));
    }

    /// <summary>§6: the latest dependency may become the Nop, and those before it still come first.</summary>
    [Fact]
    public void A_Nop_does_not_break_the_link_to_what_came_before_it()
    {
        var sites = new Sites(3);
        Commit(sites, Id(3), "x", "3", 2, 0, 0);
        sites.Stage.Receive(Node(1), Node(2), new Room.Message.Commit(Id(1, 2), Room.Batch.Nop, Deps(0, 0, 0)));
        Assert.Empty(sites.Executed(2));
        Commit(sites, Id(1), "x", "1", 0, 0, 0);
        Assert.Equal([Id(1), Id(3)], sites.Executed(2));
        Assert.Equal("3", sites.Value(2, "x"));
    }

    [Fact]
    public void A_long_chain_is_executed_in_one_step()
    {
        const int Length = 5_000;
        var sites = new Sites(3);
        var outbox = new Outbox<Room.Message, Room.Record, Room.Command, Room.Result>();
        for (var number = Length; number > 0; number--)
        {
            outbox.Clear();
            sites.At(2).Receive(
                Node(1),
                new Room.Message.Commit(Id(1, number), Batch("x", "1", session: number), Deps(number - 1, 0, 0)),
                new Context(),
                outbox);
        }

        Assert.Equal(Length, outbox.Executions.Length);
        Assert.Equal(Length, sites.At(2).ExecutedUpTo(Node(1)));
    }

    [Fact]
    public void A_retry_is_executed_once_wherever_it_is_asked()
    {
        var sites = new Sites(3);
        var add = ReplicatedMap.Add(Key.Of("n"), 5);
        sites.Invoke(1, add, session: 7);
        sites.Stage.Run();
        sites.Invoke(1, add, session: 7);
        Assert.Equal(2, sites.Stage.Answers(Node(1)).Count);
        sites.Invoke(3, add, session: 7);
        sites.Stage.Run();
        Assert.All(sites.Stage.Answers(Node(1)).Concat(sites.Stage.Answers(Node(3))), answer =>
            Assert.Equal(5, ReplicatedMap.Number(Assert.IsType<Room.Result.Completed>(answer.Result).Value)));
        Assert.Equal(3, sites.Stage.Answers(Node(1)).Count + sites.Stage.Answers(Node(3)).Count);
    }

    [Fact]
    public void Two_copies_under_way_are_executed_once()
    {
        var sites = new Sites(3);
        var add = ReplicatedMap.Add(Key.Of("n"), 5);
        sites.Invoke(1, add, session: 7);
        sites.Invoke(2, add, session: 7);
        sites.Stage.Run();
        Assert.Equal(2, sites.Executed(3).Count());
        Assert.All(Enumerable.Range(1, 2), node => Assert.Equal(
            5, ReplicatedMap.Number(((Room.Result.Completed)Assert.Single(sites.Stage.Answers(Node(node))).Result).Value)));
    }

    [Fact]
    public void A_number_below_the_last_is_outdated()
    {
        var sites = new Sites(3);
        sites.Put(1, "x", "2", session: 7, number: 2);
        sites.Stage.Run();
        sites.Put(1, "x", "1", session: 7, number: 1);
        sites.Stage.Run();
        Assert.IsType<Room.Result.Outdated>(sites.Stage.Answers(Node(1))[1].Result);
        Assert.Equal("2", sites.Value(1, "x"));
    }

    /// <summary>§6, livelock: with a bounded pipeline an endless stream of conflicts cannot grow what must be executed at once.</summary>
    [Fact]
    public void A_stream_of_conflicts_is_admitted_only_as_far_as_it_is_executed()
    {
        var sites = new Sites(3, new EPaxosOptions { Pipeline = 2, BatchCommands = 4, MaxWaiting = 6 });
        for (var count = 0; count < 9; count++)
        {
            sites.Put(1, "x", "1");
        }

        Assert.Equal(2, sites.At(1).Held.Count());
        Assert.IsType<Room.Result.Overloaded>(Assert.Single(sites.Stage.Answers(Node(1))).Result);
        sites.Stage.Run();
        Assert.Equal([Id(1, 1), Id(1, 2), Id(1, 3), Id(1, 4)], sites.Executed(1));
        Assert.Equal(9, sites.Stage.Answers(Node(1)).Count);
    }

    /// <summary>
    /// §6, scenario 9: every replica proposes something new in every moment, and messages are under way for several: each proposal crosses later
    /// ones of the others. What waits to be executed stays within what the pipelines of all hold, and execution goes on.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void An_endless_stream_of_conflicts_is_executed_all_the_time_with_a_bounded_tail(int pipeline)
    {
        var stream = Stream(160, pipeline);
        var executed = stream.Executed;
        Assert.InRange(stream.Tail, 1, 3 * pipeline);

        // As long as it takes to fill the pipelines and then to decide the last of what fills them.
        var wave = (2 * pipeline) + 16;
        for (var moment = wave; moment < executed.Count; moment += wave)
        {
            Assert.True(executed[moment] > executed[moment - wave], $"nothing was executed from {moment - wave} to {moment}");
        }
    }

    /// <summary>The mistake: what must be executed together grows as long as the stream lasts.</summary>
    [Theory]
    [InlineData(60)]
    [InlineData(120)]
    public void Without_the_bound_nothing_is_executed_while_the_stream_lasts(int moments)
    {
        const int Pipeline = 2;
        var stream = Stream(moments, Pipeline, EPaxosMutation.UnboundedPipeline);
        Assert.Equal(0, stream.Executed[^1]);
        Assert.True(stream.Tail > 2 * moments && stream.Tail > 3 * Pipeline, $"{stream.Tail} wait");
    }

    private static EPaxosStream Stream(int moments, int pipeline, EPaxosMutation mutation = EPaxosMutation.None)
    {
        var stream = new EPaxosStream(replicas: 3, pipeline, delay: 2, mutation);
        for (; moments > 0; moments--)
        {
            stream.GoOn();
        }

        return stream;
    }

    /// <summary>§12: what all have executed is dropped, also after silence, and the beat stops.</summary>
    [Fact]
    public void What_everybody_has_executed_is_dropped()
    {
        var sites = new Sites(3);
        for (var count = 0; count < 5; count++)
        {
            sites.Put(1 + count % 3, "x", "1");
            sites.Stage.Run();
        }

        Settle(sites);
        Assert.All(Enumerable.Range(1, 3), node => Assert.Empty(sites.At(node).Held));
        Assert.Equal(2, sites.At(3).DroppedUpTo(Node(1)));
        Assert.All(Enumerable.Range(1, 3), node => Assert.False(sites.Stage.IsArmed(Node(node), (int)Room.Timer.Beat)));

        // A proposal that comes late is not taken for a new one, and later ones still depend on what was dropped.
        sites.Stage.Receive(Node(1), Node(2), new Room.Message.PreAccept(Id(1), Batch("x", "9"), Deps(0, 0, 0)));
        Assert.Contains(Refusal.Duplicate, sites.Stage.Refusals(Node(2)));
        sites.Put(3, "x", "6");
        Assert.Equal(Deps(2, 2, 1), sites.Look(3, Id(3, 2)).Deps);
    }

    [Fact]
    public void A_replica_that_missed_decisions_fetches_them()
    {
        var sites = new Sites(3, new EPaxosOptions { FetchInstances = 4 });
        for (var count = 0; count < 10; count++)
        {
            sites.Put(1, "x", $"{count}");
            sites.Deliver((1, 2), (2, 1), (1, 2));
            sites.Lose();
        }

        Assert.Empty(sites.At(3).Held);
        Settle(sites);
        Assert.Equal("9", sites.Value(3, "x"));
        Assert.Equal(0, sites.Sent("Recover"));
        Assert.True(sites.Sent("Fetch") >= 3);
        Assert.Empty(sites.At(1).Held);
    }

    [Fact]
    public void A_dependency_of_which_nothing_ever_came_is_settled()
    {
        var sites = new Sites(3, new EPaxosOptions { RecoveryTimeout = Duration.Zero });
        sites.Put(1, "x", "1");
        sites.Sync();
        sites.Lose();
        Commit(sites, Id(3), "x", "3", 1, 0, 0);
        sites.Lose();
        sites.Beat(2, 2);
        sites.Sync();
        Assert.Single(sites.Under<Room.Message.Recover>(2, 3));
        sites.RunWithout(1);
        Assert.Equal([Id(3)], sites.Executed(2));
    }

    /// <summary>Replica 2, which the tests look at, has proposed an instance of its own.</summary>
    private static Sites Proposed()
    {
        var sites = new Sites(3);
        sites.Put(2, "x", "2");
        sites.Sync();
        sites.Lose();
        return sites;
    }

    private static void Commit(Sites sites, Room.InstanceId id, string key, string value, params long[] deps) =>
        sites.Stage.Receive(
            Node(id.Replica.Value == 2 ? 1 : id.Replica.Value),
            Node(2),
            new Room.Message.Commit(id, Batch(key, value, session: id.Replica.Value * 100 + id.Number), Deps(deps)));

    private static void Settle(Sites sites)
    {
        for (var round = 0; round < 30; round++)
        {
            foreach (var node in Enumerable.Range(1, 3).Where(node => sites.Stage.IsArmed(Node(node), (int)Room.Timer.Beat)))
            {
                sites.Beat(node);
            }

            sites.Stage.Run();
        }
    }

    private sealed class Context : StepContext
    {
        public override int Choose(int count) => 0;
    }
}
