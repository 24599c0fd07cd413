using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Database.Transactions;
using Synod.Storage;

namespace Synod.Database.Tests;

/// <summary>What is agreed on together, and what becomes of it.</summary>
public sealed class SlotTests
{
    private static readonly Ballot Term = new(3, new NodeId(1));
    private static readonly Instant Now = new(1_000);
    private static readonly TransactionId First = new(7, 1);
    private static readonly TransactionId Second = new(8, 1);

    private readonly ProposalQueue _queue = new();

    [Fact]
    public void All_that_a_turn_proposes_is_one_slot()
    {
        _queue.Add(Term, new RangeCommand.Abort(First));
        _queue.Add(Term, new RangeCommand.Abort(Second));
        Assert.Equal(Now, _queue.Due(Now));
        Assert.Equal([First, Second], Take().Cast<RangeCommand.Abort>().Select(command => command.Id));
        Assert.Null(_queue.Due(Now));
        Assert.False(_queue.TryTake(Term, out _));
    }

    [Fact]
    public void What_reads_the_store_has_a_slot_to_itself()
    {
        _queue.Add(Term, new RangeCommand.Abort(First));
        _queue.Add(Term, new RangeCommand.Collect(new Timestamp(1), Key.Empty));
        _queue.Add(Term, new RangeCommand.Abort(Second));
        Assert.IsType<RangeCommand.Abort>(Assert.Single(Take()));
        Assert.IsType<RangeCommand.Collect>(Assert.Single(Take()));
        Assert.IsType<RangeCommand.Abort>(Assert.Single(Take()));
    }

    [Fact]
    public void What_nobody_waits_for_goes_with_the_next_slot_or_when_its_time_has_come()
    {
        var until = Now + Duration.FromMilliseconds(2);
        _queue.AddPatient(Term, new RangeCommand.Resolve(First, Outcome.Abort), until);
        _queue.AddPatient(Term, new RangeCommand.Resolve(Second, Outcome.Abort), until + Duration.FromMilliseconds(1));
        Assert.Equal(until, _queue.Due(Now));
        _queue.Add(Term, new RangeCommand.Abort(First));
        Assert.Equal(Now, _queue.Due(Now));
        Assert.Equal(3, Take().Count);

        _queue.AddPatient(Term, new RangeCommand.Resolve(First, Outcome.Abort), until);
        _queue.Hurry();
        Assert.Equal(Now, _queue.Due(Now));
    }

    [Fact]
    public void What_an_earlier_leader_wanted_is_not_proposed()
    {
        _queue.Add(new Ballot(2, new NodeId(1)), new RangeCommand.Abort(First));
        _queue.AddPatient(new Ballot(2, new NodeId(1)), new RangeCommand.Resolve(First, Outcome.Abort), Now);
        _queue.Add(Term, new RangeCommand.Abort(Second));
        Assert.Equal(Second, Assert.IsType<RangeCommand.Abort>(Assert.Single(Take())).Id);
    }

    [Fact]
    public void The_first_outcome_of_a_slot_stands()
    {
        var store = new MemoryStore();
        var self = new NodeId(1);
        RangeState.Create(store, new RangeDescriptor(5, KeySpan.All, 1, NodeSet.Of(self), self), Slot.None);
        var state = new RangeState(store, 5, new DatabaseOptions { Self = self, Nodes = [new(self, "")] });
        var commit = new RangeCommand.CommitLocal(First, new Timestamp(9), [new(Key.Of("a"), new byte[] { 1 })]);
        var effects = state.Apply(new Slot(1), Term, [commit, new RangeCommand.Abort(First), new RangeCommand.Abort(Second)]);
        Assert.Equal(
            [Outcome.Commit(new Timestamp(9)), Outcome.Commit(new Timestamp(9)), Outcome.Abort],
            effects!.Select(effect => effect.Outcome!.Value));
        Assert.Equal(Outcome.Commit(new Timestamp(9)), state.OutcomeOf(First));
    }

    private IReadOnlyList<RangeCommand> Take()
    {
        Assert.True(_queue.TryTake(Term, out var value));
        return ExecutedSlot.Parse(new Slot(1), value).Commands;
    }
}
