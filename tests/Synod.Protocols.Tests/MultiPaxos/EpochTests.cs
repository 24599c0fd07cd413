using System.Reflection;
using CsCheck;
using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Synod.Storage;
using Xunit;
using Inner = Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

using Command = ReconfigurablePaxos.Command;
using Message = ReconfigurablePaxos.Message;
using Play = Stage<ReconfigurablePaxos.Message, ReconfigurablePaxos.Record, ReconfigurablePaxos.Command, ReconfigurablePaxos.Result>;
using Record = ReconfigurablePaxos.Record;
using Result = ReconfigurablePaxos.Result;

/// <summary>Stop-sign epochs (paxos.md §7), moved by hand: nodes 1 to 3 found the log, 4 and 5 may join.</summary>
public sealed class EpochTests
{
    private const int Announce = (int)ReconfigurablePaxos.Timer.Announce;
    private const int Load = (int)ReconfigurablePaxos.Timer.Load;
    private static readonly NodeId[] s_nodes = [new(1), new(2), new(3), new(4), new(5)];
    private static readonly QuorumSystem s_three = SizedQuorums.Majority(TestCluster.Members(3));
    private static readonly QuorumSystem s_five = SizedQuorums.Majority(TestCluster.Members(5));

    private readonly SortedDictionary<NodeId, MemoryStore> _stores = [];
    private readonly SortedDictionary<NodeId, StoredLog> _states = [];
    private readonly Play _play;
    private EpochMutation _mutation;

    public EpochTests()
    {
        foreach (var node in s_nodes)
        {
            _stores.Add(node, new MemoryStore());
        }

        _play = new Play(Make, timer => timer.ToString(), s_nodes).Begin();
        Submit(1, new Inner.Command.Campaign());
        Settle();
    }

    [Fact]
    public void The_slots_above_the_stop_are_the_next_epochs_and_nothing_else_proposed_there_has_effect()
    {
        Propose(1, "a");
        _play.Submit(s_nodes[0], new Command.Reconfigure(s_five));
        Propose(1, "refused");
        Assert.Equal(
            new Result.Told(new Inner.Result.Unavailable(UnavailableReason.Reconfiguring)), _play.Answers(s_nodes[0])[^1].Result);
        Settle();
        Assert.Equal(new Configuration(2, new Slot(3), s_five), At(1).Configuration);
        Assert.Equal(new Result.Adopted(At(1).Configuration!), _play.Answers(s_nodes[0])[^1].Result);
        Propose(1, "b");
        Settle();
        Assert.Equal([(2L, "Apply a"), (3L, $"Adopt {At(1).Configuration}"), (5L, "Apply b")], Executed(1));
        Assert.All([1, 2, 3], node => Assert.Equal(2, At(node).Configuration!.Epoch));
    }

    [Fact]
    public void A_new_member_votes_when_it_has_the_state_and_not_before()
    {
        Reconfigure(1, s_five);
        Assert.Null(At(4).Configuration);
        Assert.IsType<Result.NoReplica>(Answer(4, new Command.Reconfigure(s_three)));
        _play.Fire(s_nodes[0], Announce);
        _play.Sync(s_nodes[0]);
        _play.Deliver(s_nodes[0], s_nodes[3]);
        Assert.Null(At(4).Replica);
        _play.Receive(s_nodes[0], s_nodes[3], new Message.OfGroup(2, new Inner.Message.Prepare(new Ballot(9, s_nodes[0]), new Slot(1), Ballot.None)));
        Assert.Equal(Refusal.NotReady, _play.Refusals(s_nodes[3])[^1]);
        Settle();
        Assert.NotNull(At(4).Replica);
        Assert.Equal(_states[s_nodes[0]].Commands(), _states[s_nodes[3]].Commands());
        Assert.Equal(At(1).Configuration, _states[s_nodes[3]].Configuration);
    }

    [Fact]
    public void A_new_member_that_crashes_while_it_loads_loads_again()
    {
        Reconfigure(1, s_five);
        _play.Fire(s_nodes[0], Announce);
        _play.Sync(s_nodes[0]);
        _play.Deliver(s_nodes[0], s_nodes[3]);
        _play.Sync(s_nodes[3]);
        _play.Crash(s_nodes[3]);
        Assert.Equal(2, At(4).Configuration!.Epoch);
        Assert.Null(At(4).Replica);
        _play.Run();
        _play.Fire(s_nodes[1], Announce);
        _play.Run();
        _play.Fire(s_nodes[3], Load);
        _play.Run();
        Assert.NotNull(At(4).Replica);
    }

    [Fact]
    public void Old_members_answer_where_the_epoch_ended_and_a_removed_one_disturbs_nobody()
    {
        Reconfigure(1, SizedQuorums.Majority(NodeSet.Of(s_nodes[0], s_nodes[1])));
        var ballot = At(1).Replica!.Ballot;
        Assert.Null(At(3).Replica);
        _play.Receive(s_nodes[2], s_nodes[0], new Message.OfGroup(1, new Inner.Message.Prepare(new Ballot(99, s_nodes[2]), new Slot(1), Ballot.None)));
        _play.Sync(s_nodes[0]);
        Assert.Equal(new Message.Ended(At(1).Configuration!), Assert.Single(_play.Between(s_nodes[0], s_nodes[2])));
        _play.Receive(s_nodes[2], s_nodes[0], new Message.OfGroup(2, new Inner.Message.Prepare(new Ballot(99, s_nodes[2]), new Slot(1), Ballot.None)));
        Assert.Equal(Refusal.NotMember, _play.Refusals(s_nodes[0])[^1]);
        Settle();
        Assert.Equal(ballot, At(1).Replica!.Ballot);
        Propose(1, "goes on");
        Settle();
        Assert.Contains(Executed(1), item => item.Text == "Apply goes on");
    }

    [Fact]
    public void Votes_of_those_who_are_no_members_do_not_count()
    {
        Reconfigure(1, s_five);
        Submit(1, new Inner.Command.Campaign());
        _play.Receive(
            new NodeId(9),
            s_nodes[0],
            new Message.OfGroup(2, new Inner.Message.Promise(At(1).Replica!.Ballot, new Slot(1), [], Slot.None, true, Slot.None, Slot.None)));
        Assert.Equal(Refusal.NotMember, _play.Refusals(s_nodes[0])[^1]);
    }

    [Fact]
    public void A_member_that_missed_the_end_hears_of_it_and_catches_up()
    {
        _play.Submit(s_nodes[0], new Command.Reconfigure(s_five));
        Drop(3);
        Settle();

        // The leader's last heartbeat was answered in the old epoch, and that with where it ended.
        Assert.DoesNotContain(_play.Log(s_nodes[2]), record => record is Record.OfGroup { Epoch: 1, Inner: Inner.Record.Accepted { Slot.Value: 2 } });
        Assert.Equal(2, At(3).Configuration!.Epoch);
        _play.Fire(s_nodes[2], Load);
        Settle();
        Assert.NotNull(At(3).Replica);
        Assert.Equal(_states[s_nodes[0]].Commands(), _states[s_nodes[2]].Commands());
    }

    [Fact]
    public void An_old_member_may_retire_when_a_replicating_quorum_has_begun_the_next_epoch()
    {
        Reconfigure(1, SizedQuorums.Majority(NodeSet.Of(s_nodes[2], s_nodes[3], s_nodes[4])));
        Assert.False(At(1).MayRetire);
        _play.Fire(s_nodes[0], Announce);
        Settle();
        Assert.True(At(1).MayRetire);
        Assert.False(At(3).MayRetire);
        Submit(3, new Inner.Command.Campaign());
        Settle();
        Propose(3, "without them");
        Settle();
        Assert.Contains(Executed(3), item => item.Text == "Apply without them");
    }

    /// <summary>
    /// Two new members are a quorum of three. Where they may vote without the state, the old members retire with what was agreed, and the log
    /// goes on above a hole: replicas of one log that have applied it up to one slot differ.
    /// </summary>
    [Theory]
    [InlineData((int)EpochMutation.None, true)]
    [InlineData((int)EpochMutation.VotesWithoutState, false)]
    public void When_the_old_members_may_retire_the_new_ones_hold_what_was_agreed(int mutation, bool hold)
    {
        _mutation = (EpochMutation)mutation;
        foreach (var node in s_nodes)
        {
            _play.Crash(node);
        }

        Submit(1, new Inner.Command.Campaign());
        Settle();
        Propose(1, "a");
        Reconfigure(1, SizedQuorums.Majority(NodeSet.Of(s_nodes[2], s_nodes[3], s_nodes[4])));
        _play.Fire(s_nodes[0], Announce);
        Settle();
        Assert.True(At(1).MayRetire);
        Submit(4, new Inner.Command.Campaign());
        Settle();
        foreach (var value in new[] { "b", "c" })
        {
            Propose(4, value);
            Settle();
        }

        Assert.All([3, 4, 5], node => Assert.Contains("Apply b", _states[new NodeId(node)].Commands().Values));
        Assert.Contains("Apply a", _states[new NodeId(3)].Commands().Values);
        Assert.All([4, 5], node => Assert.Equal(hold, _states[new NodeId(node)].Commands().ContainsValue("Apply a")));
    }

    [Fact]
    public void An_epoch_survives_a_crash_of_everybody()
    {
        Propose(1, "a");
        Reconfigure(1, s_five);
        Propose(1, "b");
        Settle();
        foreach (var node in s_nodes[..3])
        {
            _play.Crash(node);
        }

        Assert.All([1, 2, 3], node => Assert.Equal(2, At(node).Configuration!.Epoch));
        Submit(2, new Inner.Command.Campaign());
        Settle();
        Propose(2, "c");
        Settle();
        Assert.Equal(["Apply a", $"Adopt {At(2).Configuration}", "Apply b", "Apply c"], _states[s_nodes[1]].Commands().Values);
    }

    [Fact]
    public void The_log_leads_a_state_that_lost_its_tail_through_the_stop_again()
    {
        Propose(1, "a");
        Settle();
        foreach (var store in _stores.Values)
        {
            store.Flush();
        }

        Reconfigure(1, s_five);
        Propose(1, "b");
        Settle();
        foreach (var node in s_nodes[..3])
        {
            _stores[node].Crash();
            _play.Crash(node);
            Assert.Equal(2, At(node.Value).Configuration!.Epoch);
        }

        Submit(1, new Inner.Command.Campaign());
        Settle();
        Assert.Contains("Apply b", _states[s_nodes[0]].Commands().Values);
    }

    [Fact]
    public void Only_a_ready_leader_ends_an_epoch_and_only_for_quorums_that_meet()
    {
        Assert.Equal(
            new Result.Refused("2 + 2 is not more than 4, so an election by 2 may miss a value chosen by the other 2; 3/2 always meet"),
            Answer(1, new Command.Reconfigure(new SizedQuorums(TestCluster.Members(4), 2, 2))));
        Assert.IsType<Inner.Result.NotLeader>(Assert.IsType<Result.Told>(Answer(2, new Command.Reconfigure(s_five))).Inner);
        _play.Submit(s_nodes[0], new Command.Reconfigure(s_five));
        Assert.IsType<Inner.Result.Unavailable>(Assert.IsType<Result.Told>(Answer(1, new Command.Reconfigure(s_five))).Inner);
    }

    [Fact]
    public void A_checkpoint_keeps_an_ended_epoch_until_the_flushed_state_holds_it()
    {
        Propose(1, "a");
        Settle();
        At(1).BeginCheckpoint();
        Reconfigure(1, s_five);
        Assert.Contains(1, Epochs(Checkpoint()));
        At(1).BeginCheckpoint();
        Assert.DoesNotContain(1, Epochs(Checkpoint()));

        List<Record> Checkpoint()
        {
            var outbox = new Outbox<Message, Record, Command, Result>();
            At(1).Checkpoint(new Still(), outbox);
            return [.. outbox.Records];
        }

        static IEnumerable<long> Epochs(List<Record> records) => records.OfType<Record.OfGroup>().Select(record => record.Epoch);
    }

    [Fact]
    public void Every_case_survives_its_binary_form_and_whatever_arrives_is_read_or_refused()
    {
        var configuration = new Configuration(2, new Slot(7), s_five);
        Message[] messages =
        [
            new Message.OfGroup(2, new Inner.Message.Reject(new Ballot(1, s_nodes[0]), new Ballot(2, s_nodes[1]))),
            new Message.Ended(configuration),
            new Message.Ended(configuration with { Quorums = new SizedQuorums(TestCluster.Members(4), 2, 2) }),
            new Message.Started(2),
            new Message.FetchState(2, new Slot(7), 1),
            new Message.State(2, new SnapshotChunk(new Slot(7), 1, true, "x"u8.ToArray())),
        ];
        Assert.Equal(typeof(Message).GetNestedTypes(BindingFlags.Public).Length, messages.Select(item => item.GetType()).Distinct().Count());
        var wire = new ReconfigurablePaxos.MessageWire();
        foreach (var message in messages)
        {
            var reader = new CodecReader(Bytes(message));
            Assert.Equal(message.ToString(), wire.Read(ref reader)?.ToString());
            Assert.True(reader.IsComplete);
        }

        foreach (var node in s_nodes)
        {
            // Also by who is in no epoch yet.
            _play.Receive(s_nodes[1], node, new Message.Started(0));
        }

        Gen.Select(Gen.Int[0, messages.Length - 1], Gen.Int[0, 80], Gen.Byte, Gen.Int[0, 4]).Sample(
            (which, at, value, to) =>
            {
                var bytes = Bytes(messages[which]);
                bytes[at % bytes.Length] = value;
                var reader = new CodecReader(bytes);
                if (wire.Read(ref reader) is { } message && reader.IsComplete && message is not Message.Ended { Next.Epoch: > 2 })
                {
                    _play.Receive(s_nodes[1], s_nodes[to], message);
                }
            },
            iter: 300,
            threads: 1);

        byte[] Bytes(Message message)
        {
            var writer = new CodecWriter();
            wire.Write(writer, message);
            return writer.ToArray();
        }
    }

    private ReconfigurablePaxos At(int node) => (ReconfigurablePaxos)_play[new NodeId(node)];

    private ReconfigurablePaxos Make(NodeId node)
    {
        _states[node] = new StoredLog(_stores[node], s_three.Members.Contains(node) ? Configuration.First(s_three) : null);
        return new ReconfigurablePaxos(node, new MultiPaxosOptions { LeasesEnabled = false, PreVoteEnabled = false }, _states[node], _mutation);
    }

    private void Submit(int node, Inner.Command command) => _play.Submit(new NodeId(node), new Command.Ask(command));

    private void Propose(int node, string value) => Submit(node, new Inner.Command.Propose(Values.Of(value)));

    private void Reconfigure(int node, QuorumSystem next)
    {
        _play.Submit(new NodeId(node), new Command.Reconfigure(next));
        Settle();
    }

    private Result Answer(int node, Command command)
    {
        _play.Submit(new NodeId(node), command);
        return _play.Answers(new NodeId(node))[^1].Result;
    }

    /// <summary>Everything is delivered and made durable, and the states apply what was executed.</summary>
    private void Settle()
    {
        _play.Run();
        foreach (var node in s_nodes)
        {
            foreach (var executed in _play.Executions(node).Where(item => item.Position > _states[node].Applied))
            {
                _states[node].Apply(executed.Position, executed.Command);
            }
        }

        if (_play.Network.Count > 0)
        {
            Settle();
        }
    }

    private void Drop(int to)
    {
        foreach (var from in s_nodes)
        {
            while (_play.Between(from, new NodeId(to)).Any())
            {
                _play.Drop(from, new NodeId(to));
            }
        }
    }

    private IEnumerable<(long Slot, string Text)> Executed(int node) =>
        _play.Executions(new NodeId(node)).Select(item => (item.Position.Value, item.Command.ToString()!));
}
