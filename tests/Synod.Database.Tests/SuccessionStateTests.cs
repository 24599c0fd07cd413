using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Database.Transactions;
using Synod.Storage;

namespace Synod.Database.Tests;

/// <summary>
/// Two groups may have the same keys on one node: one that retired, and the one that took over (paxos.md §7). What the first still does
/// must not reach what the second has written since.
/// </summary>
public sealed class SuccessionStateTests
{
    private const ulong Parent = 5;
    private const ulong Child = 6;

    private static readonly Ballot Term = new(3, new NodeId(1));
    private static readonly NodeId Self = new(1);
    private static readonly Key Place = Key.Of("k");
    private static readonly RangeDescriptor Old = new(Parent, KeySpan.All, 1, NodeSet.Of(Self), Self);
    private static readonly RangeDescriptor Retired = Old with { Version = 2, IsRetired = true };
    private static readonly RangeDescriptor Successor = Old with { Group = Child, Version = 2 };

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), "ahead")]
    [InlineData(nameof(DatabaseMutation.RetiredHoldsVersions), "behind")]
    public void A_snapshot_of_a_retired_group_leaves_what_its_successor_wrote_alone(string mutation, string value)
    {
        var (ahead, behind) = (new Node(mutation), new Node(mutation));
        ahead.Write(ahead.Successor, 1, 20, "behind");
        ahead.Write(ahead.Successor, 2, 30, "ahead");
        behind.Write(behind.Successor, 1, 20, "behind");

        // The retired group goes on: its leaders change, and each begins with a command.
        behind.Retired.Apply(new Slot(9), Term, [new RangeCommand.Lead()]);
        ahead.Retired.InstallSnapshot(behind.Retired.ReadSnapshot(new NodeId(2), 0)!);
        Assert.Equal(new Slot(9), ahead.Retired.Applied);
        Assert.Equal(value, Node.Read(ahead.Successor, 100));
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), "first")]
    [InlineData(nameof(DatabaseMutation.RetiredHoldsVersions), null)]
    public void A_retired_group_collects_nothing(string mutation, string? value)
    {
        var node = new Node(mutation);
        node.Write(node.Successor, 1, 20, "first");
        node.Write(node.Successor, 2, 30, "second");
        node.Retired.Apply(new Slot(9), Term, [new RangeCommand.Collect(new Timestamp(50), Key.Empty)]);
        Assert.Null(node.Retired.CollectNext);
        Assert.Equal(value, Node.Read(node.Successor, 25));
    }

    /// <summary>A node that adopted what is left of a range may have adopted what was split from it as well.</summary>
    [Fact]
    public void A_snapshot_from_before_a_split_that_the_node_knows_of_is_not_taken()
    {
        var source = new RangeStateSource();
        RangeState.Create(source.Store, Old, Slot.None);
        var before = source.Open(Parent).ReadSnapshot(new NodeId(2), 0)!;
        var rest = Old with { Version = 2, Span = Old.Span with { End = Key.Of("m") } };
        RangeState.Create(source.Store, rest with { Group = 7 }, Slot.None);
        var after = source.Open(7).ReadSnapshot(new NodeId(2), 0)!;

        var adopted = new RangeStateSource();
        RangeState.Create(adopted.Store, rest, new Slot(-1));
        Assert.False(adopted.Open(Parent).Takes(before));
        Assert.True(adopted.Open(Parent).Takes(after));
        Assert.False(adopted.Open(Parent).Takes(before with { Data = new byte[] { 1 } }));
    }

    [Fact]
    public void A_child_that_is_here_keeps_its_state_when_its_parent_applies_the_split()
    {
        var source = new RangeStateSource();
        RangeState.Create(source.Store, Old, Slot.None);
        RangeState.Create(source.Store, Successor with { Version = 4 }, new Slot(7));
        var parent = source.Open(Parent);
        parent.Apply(new Slot(1), Term, [new RangeCommand.Split(Retired, Successor, new Timestamp(60))]);
        Assert.True(parent.Descriptor.IsRetired);
        var child = source.Open(Child);
        Assert.Equal((new Slot(7), 4UL), (child.Applied, child.Descriptor.Version));
    }

    /// <summary>A store with the states in it.</summary>
    private sealed class RangeStateSource(DatabaseMutation mutation = DatabaseMutation.None)
    {
        public MemoryStore Store { get; } = new();

        public RangeState Open(ulong group) =>
            new(Store, group, new DatabaseOptions { Self = Self, Nodes = [new(Self, "")], Mutation = mutation });
    }

    /// <summary>A node on which the one group has just retired in favour of the other.</summary>
    private sealed class Node
    {
        public Node(string mutation)
        {
            var source = new RangeStateSource(Enum.Parse<DatabaseMutation>(mutation));
            RangeState.Create(source.Store, Old, Slot.None);
            Retired = source.Open(Parent);
            Retired.Apply(new Slot(1), Term, [new RangeCommand.Split(SuccessionStateTests.Retired, SuccessionStateTests.Successor, new Timestamp(10))]);
            Successor = source.Open(Child);
        }

        public RangeState Retired { get; }

        public RangeState Successor { get; }

        public void Write(RangeState state, long slot, long at, string value) => state.Apply(
            new Slot(slot),
            Term,
            [new RangeCommand.CommitLocal(new TransactionId(7, (ulong)slot), new Timestamp(at), [new KeyWrite(Place, Key.Of(value).Memory)])]);

        public static string? Read(RangeState state, long at) => state
            .Read(new Api.Read { Single = true }, KeySpan.Only(Place), new Timestamp(at))
            .Items.SingleOrDefault()?.Value.ToStringUtf8();
    }
}
