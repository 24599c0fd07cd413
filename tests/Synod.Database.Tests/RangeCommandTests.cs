using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Database.Transactions;

namespace Synod.Database.Tests;

public sealed class RangeCommandTests
{
    private static readonly Ballot Term = new(3, new NodeId(2));
    private static readonly TransactionId Id = new(0xfeed_beef_0000_0001, 7);
    private static readonly IReadOnlyList<KeyWrite> Writes =
        [new(Key.Of("a"), new byte[] { 1, 2, 3 }), new(Key.Of("b"), null), new(Key.Of("c"), ReadOnlyMemory<byte>.Empty)];

    public static TheoryData<RangeCommand> Commands { get; } =
    [
        new RangeCommand.CommitLocal(Id, new Timestamp(5), Writes),
        new RangeCommand.Prepare(Id, new Age(1, 2), 9, new Promise(new Timestamp(6), Timestamp.MaxValue), Writes),
        new RangeCommand.Stage(Id, new Age(1, 2), new Promise(new Timestamp(6), new Timestamp(60)), Writes, [2, 3]),
        new RangeCommand.Commit(Id, new Timestamp(7)),
        new RangeCommand.Fence(Id, new Timestamp(8)),
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
        var bytes = Bytes(command);
        var (_, term, read) = ExecutedSlot.Parse(Slot.None, bytes);
        Assert.Equal(Term, term);
        Assert.Equal(command.GetType(), Assert.Single(read).GetType());
        Assert.Equal(bytes, Bytes(read[0]));
    }

    [Fact]
    public void Commands_of_one_slot_are_read_in_their_order()
    {
        var commands = Commands.Select(row => row.Data).ToArray();
        var read = ExecutedSlot.Parse(Slot.None, Bytes(commands)).Commands;
        Assert.Equal(commands.Select(command => command.GetType()), read.Select(command => command.GetType()));
        Assert.Equal(Bytes(commands), Bytes([.. read]));
    }

    [Fact]
    public void Every_kind_of_command_is_among_those_tried() =>
        Assert.Equal(
            typeof(RangeCommand).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(RangeCommand))).Select(type => type.Name).Order(),
            Commands.Select(row => row.Data.GetType().Name).Distinct().Order());

    [Fact]
    public void A_damaged_command_is_never_guessed_at()
    {
        var bytes = Bytes(new RangeCommand.Abort(Id), new RangeCommand.Abort(Id));
        Assert.Throws<InvariantViolation>(() => ExecutedSlot.Parse(Slot.None, bytes[..^1]));
        Assert.Throws<InvariantViolation>(() => ExecutedSlot.Parse(Slot.None, new byte[] { 2, 1, 99 }));
        Assert.Throws<InvariantViolation>(() => ExecutedSlot.Parse(Slot.None, Bytes()));
    }

    private static byte[] Bytes(params RangeCommand[] commands)
    {
        var writer = new CodecWriter();
        writer.Ballot(Term);
        foreach (var command in commands)
        {
            command.Write(writer);
        }

        return writer.ToArray();
    }

    private static RangeDescriptor Range(ulong group, string start, string end, ulong version) => new(
        group, new KeySpan(Key.Of(start), Key.Of(end)), version, NodeSet.Of(new NodeId(1), new NodeId(2), new NodeId(3)), new NodeId(1));
}
