using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Database.Transactions;
using Synod.Protocols.Consensus;
using Synod.Storage;

namespace Synod.Database.Tests;

/// <summary>What a group makes of the records of a parallel commit, whatever their order (commit.md §5.3 to §5.5).</summary>
public sealed class StagedStateTests
{
    private static readonly Ballot Term = new(3, new NodeId(1));
    private static readonly NodeId Self = new(1);
    private static readonly TransactionId Id = new(7, 4);
    private static readonly TransactionId Next = new(7, 5);
    private static readonly Key Place = Key.Of("k");
    private static readonly Promise Held = new(new Timestamp(20), new Timestamp(50));

    private readonly MemoryStore _store = new();
    private RangeState _state;
    private long _slot;

    public StagedStateTests() => _state = Create(_store, DatabaseMutation.None);

    [Fact]
    public void A_staged_transaction_is_committed_once_and_seen_from_then_on()
    {
        Assert.Equal(EffectKind.None, Apply(Stage()).Kind);
        Assert.Null(_state.OutcomeOf(Id));
        Assert.Empty(Items(100));

        var outcome = Outcome.Commit(new Timestamp(30));
        Assert.Equal(CommandEffect.Decided(outcome), Apply(new RangeCommand.Commit(Id, new Timestamp(30))));
        Assert.Equal(outcome, _state.OutcomeOf(Id));
        Assert.Equal([8UL, 9UL], _state.Unresolved[Id].Participants);
        Assert.Empty(_state.Staged);
        Assert.Empty(Items(29));
        Assert.Single(Items(30));

        Assert.Equal(CommandEffect.Decided(outcome), Apply(new RangeCommand.Abort(Id)));
        Assert.Equal(CommandEffect.Decided(outcome), Apply(new RangeCommand.Commit(Id, new Timestamp(31))));
        Assert.Equal(CommandEffect.Decided(outcome), Apply(Stage()));
        Assert.Empty(_state.Staged);
    }

    [Fact]
    public void A_tombstone_in_a_group_that_committed_nothing_for_long_is_not_forgotten_at_once()
    {
        Apply(new RangeCommand.Collect(new Timestamp(1_000), Key.Empty));
        Apply(new RangeCommand.Abort(Id));
        Apply(new RangeCommand.Collect(new Timestamp(2_000), Key.Empty));
        Assert.Equal(CommandEffect.Decided(Outcome.Abort), Apply(new RangeCommand.CommitLocal(Id, new Timestamp(3_000), [])));

        Apply(new RangeCommand.Collect(new Timestamp(2_500), Key.Empty));
        Assert.Equal(EffectKind.None, _state.SessionOf(Id).Kind);
    }

    [Fact]
    public void An_aborted_one_is_not_committed_later()
    {
        Apply(Stage());
        Assert.Equal(CommandEffect.Decided(Outcome.Abort), Apply(new RangeCommand.Abort(Id)));
        Assert.Equal(CommandEffect.Decided(Outcome.Abort), Apply(new RangeCommand.Commit(Id, new Timestamp(30))));
        Assert.Empty(Items(100));
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), 0)]
    [InlineData(nameof(DatabaseMutation.StageOverOutcome), 1)]
    public void A_stage_that_finds_a_tombstone_comes_too_late(string mutation, int staged)
    {
        _state = Create(new MemoryStore(), Enum.Parse<DatabaseMutation>(mutation));
        Apply(new RangeCommand.Abort(Id));
        Apply(Stage());
        Assert.Equal(staged, _state.Staged.Count);
    }

    [Fact]
    public void A_commit_that_was_never_staged_is_none()
    {
        Assert.Equal(CommandEffect.None, Apply(new RangeCommand.Commit(Id, new Timestamp(30))));
        Assert.Empty(Items(100));
    }

    /// <summary>The client went on, so its session alone would say that the one before was aborted.</summary>
    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.RetireWithOutcomes), false)]
    public void A_group_that_retires_hands_on_the_commits_that_were_not_told(string mutation, bool isCommit)
    {
        var store = new MemoryStore();
        _state = Create(store, Enum.Parse<DatabaseMutation>(mutation));
        Apply(Stage());
        Apply(new RangeCommand.Commit(Id, new Timestamp(30)));
        Apply(new RangeCommand.CommitLocal(Next, new Timestamp(35), []));
        var parent = _state.Descriptor with { IsRetired = true, Version = 2 };
        Apply(new RangeCommand.Split(parent, _state.Descriptor with { Group = 17, Version = 2 }, new Timestamp(40)));
        var successor = new RangeState(store, 17, new DatabaseOptions { Self = Self, Nodes = [] });
        Assert.Equal(isCommit ? Outcome.Commit(new Timestamp(30)) : Outcome.Abort, successor.OutcomeOf(Id));
        Assert.Equal(isCommit ? [8UL, 9UL] : [], successor.Unresolved.SelectMany(item => item.Value.Participants));
        Assert.Equal(isCommit, _state.Unresolved.Count == 0);
    }

    [Fact]
    public void A_client_may_be_past_what_is_still_staged()
    {
        Apply(Stage());
        Apply(new RangeCommand.CommitLocal(Next, new Timestamp(25), []));
        Assert.Null(_state.OutcomeOf(Id));
        var outcome = Outcome.Commit(new Timestamp(30));
        Assert.Equal(CommandEffect.Decided(outcome), Apply(new RangeCommand.Commit(Id, new Timestamp(30))));
        Assert.Single(Items(30));
        Assert.Equal(outcome, _state.OutcomeOf(Id));
        Assert.Equal(Outcome.Commit(new Timestamp(25)), _state.OutcomeOf(Next));
    }

    [Theory]
    [InlineData(19)]
    [InlineData(51)]
    public void A_commit_outside_its_promise_breaks_a_claim(long at)
    {
        Apply(Stage());
        Assert.Throws<InvariantViolation>(() => Apply(new RangeCommand.Commit(Id, new Timestamp(at))));
        Apply(Prepare(Held));
        Assert.Throws<InvariantViolation>(() => Apply(new RangeCommand.Resolve(Id, Outcome.Commit(new Timestamp(at)))));
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), 0)]
    [InlineData(nameof(DatabaseMutation.FenceNotKept), 1)]
    public void After_a_fence_nothing_is_prepared(string mutation, int prepared)
    {
        _state = Create(new MemoryStore(), Enum.Parse<DatabaseMutation>(mutation));
        Assert.Equal(CommandEffect.Decided(Outcome.Abort), Apply(Fence()));
        Apply(Prepare(Held));
        Assert.Equal(prepared, _state.Prepared.Count);
    }

    [Fact]
    public void A_fence_has_no_effect_on_what_is_prepared()
    {
        Apply(Prepare(Held));
        Assert.Equal(CommandEffect.None, Apply(Fence()));
        Assert.Empty(_state.Fences);
        Assert.Equal(Held, _state.Prepared[Id].Promise);
    }

    [Fact]
    public void The_first_promise_stands()
    {
        Apply(Prepare(Held));
        Apply(Prepare(new Promise(new Timestamp(40), Timestamp.MaxValue)));
        Assert.Equal(Held, _state.Prepared[Id].Promise);
    }

    [Fact]
    public void All_votes_together_promise_the_largest_timestamp_and_the_earliest_end()
    {
        var sum = Held.With(new Promise(new Timestamp(30), Timestamp.MaxValue)).With(new Promise(new Timestamp(10), new Timestamp(40)));
        Assert.Equal(new Promise(new Timestamp(30), new Timestamp(40)), sum);
    }

    [Fact]
    public void A_restart_and_a_snapshot_carry_what_is_staged_prepared_and_fenced()
    {
        Apply(Stage());
        Apply(new RangeCommand.Prepare(Next, new Age(1, 1), 9, Held, []));
        Apply(new RangeCommand.Fence(new TransactionId(8, 1), new Timestamp(70)));
        AssertCarried(new RangeState(_store, 5, Options(DatabaseMutation.None)));

        var other = Create(new MemoryStore(), DatabaseMutation.None, new Slot(-1));
        var index = 0;
        SnapshotChunk chunk;
        do
        {
            chunk = _state.ReadSnapshot(new NodeId(2), index++)!;
            other.InstallSnapshot(chunk);
        }
        while (!chunk.IsLast);

        AssertCarried(other);

        static void AssertCarried(RangeState state)
        {
            Assert.Equal(Held, state.Staged[Id].Promise);
            Assert.Equal([8UL, 9UL], state.Staged[Id].Participants);
            Assert.Equal(Place, Assert.Single(state.Staged[Id].Writes).Key);
            Assert.Equal(Held, state.Prepared[Next].Promise);
            Assert.Equal(new Timestamp(70), state.Fences[new TransactionId(8, 1)]);
        }
    }

    [Fact]
    public void Fences_are_forgotten_with_the_versions_of_their_time()
    {
        Apply(new RangeCommand.Fence(Id, new Timestamp(70)));
        Apply(new RangeCommand.Collect(new Timestamp(70), Key.Empty));
        Assert.Single(_state.Fences);
        Apply(new RangeCommand.Collect(new Timestamp(71), Key.Empty));
        Assert.Empty(_state.Fences);
        Assert.Empty(new RangeState(_store, 5, Options(DatabaseMutation.None)).Fences);
    }

    [Fact]
    public void What_is_staged_does_not_move_in_a_split()
    {
        Apply(Stage());
        var child = Range(6) with { Span = new KeySpan(Key.Of("m"), Key.Empty) };
        Assert.Throws<InvariantViolation>(() => Apply(new RangeCommand.Split(Range(5), child, new Timestamp(60))));
    }

    private static RangeCommand.Stage Stage() => new(Id, new Age(1, 1), Held, [new KeyWrite(Place, new byte[] { 1 })], [8, 9]);

    private static RangeCommand.Prepare Prepare(Promise promise) => new(Id, new Age(1, 1), 9, promise, [new KeyWrite(Place, null)]);

    private static RangeCommand.Fence Fence() => new(Id, new Timestamp(60));

    private static RangeDescriptor Range(ulong group) => new(group, KeySpan.All, 1, NodeSet.Of(Self), Self);

    private static DatabaseOptions Options(DatabaseMutation mutation) =>
        new() { Self = Self, Nodes = [new(Self, "")], Mutation = mutation };

    private static RangeState Create(MemoryStore store, DatabaseMutation mutation, Slot applied = default)
    {
        RangeState.Create(store, Range(5), applied);
        return new RangeState(store, 5, Options(mutation));
    }

    private CommandEffect Apply(RangeCommand command) => Assert.Single(_state.Apply(new Slot(++_slot), Term, [command])!);

    private IEnumerable<Api.KeyValue> Items(long at) =>
        _state.Read(new Api.Read { Single = true }, KeySpan.Only(Place), new Timestamp(at)).Items;
}
