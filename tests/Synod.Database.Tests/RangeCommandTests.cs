using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Database.Transactions;

namespace Synod.Database.Tests;

public sealed class RangeCommandTests
{
    private static readonly TransactionId Id = new(0xfeed_beef_0000_0001, 7);
    private static readonly IReadOnlyList<KeyWrite> Writes =
        [new(Key.Of("a"), new byte[] { 1, 2, 3 }), new(Key.Of("b"), null), new(Key.Of("c"), ReadOnlyMemory<byte>.Empty)];

    public static TheoryData<RangeCommand> Commands { get; } =
    [
        new RangeCommand.CommitLocal(Id, new Timestamp(5), Writes),
        new RangeCommand.Prepare(Id, new Age(1, 2), 9, new Timestamp(6), Writes),
        new RangeCommand.Commit(Id, new Timestamp(7), Writes, [2, 3]),
        new RangeCommand.Abort(Id),
        new RangeCommand.Resolve(Id, Outcome.Commit(new Timestamp(8))),
        new RangeCommand.Resolve(Id, Outcome.Abort),
        new RangeCommand.Forget([Id, new(3, 4)]),
        new RangeCommand.Split(Range(1, "", "m", 2), Range(2, "m", "", 2), new Timestamp(9)),
        new RangeCommand.Collect(new Timestamp(10), Key.Of("x")),
        new RangeCommand.Lead(),
    ];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_survives_the_log(RangeCommand command)
    {
        var bytes = command.ToBytes();
        var read = RangeCommand.Parse(bytes);
        Assert.Equal(command.GetType(), read.GetType());
        Assert.Equal(bytes, read.ToBytes());
    }

    [Fact]
    public void Every_kind_of_command_is_among_those_tried() =>
        Assert.Equal(
            typeof(RangeCommand).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(RangeCommand))).Select(type => type.Name).Order(),
            Commands.Select(row => row.Data.GetType().Name).Distinct().Order());

    [Fact]
    public void A_damaged_command_is_never_guessed_at()
    {
        var bytes = new RangeCommand.Abort(Id).ToBytes();
        Assert.Throws<InvariantViolation>(() => RangeCommand.Parse(bytes[..^1]));
        Assert.Throws<InvariantViolation>(() => RangeCommand.Parse(new byte[] { 99 }));
    }

    private static RangeDescriptor Range(ulong group, string start, string end, ulong version) => new(
        group, new KeySpan(Key.Of(start), Key.Of(end)), version, NodeSet.Of(new NodeId(1), new NodeId(2), new NodeId(3)), new NodeId(1));
}
