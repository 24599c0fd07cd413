using Synod.Core;
using Synod.Database.Transactions;

namespace Synod.Database.Tests;

public sealed class NodeMessageTests
{
    private static readonly TransactionId Id = new(0xfeed_beef_0000_0001, 7);

    public static TheoryData<NodeMessage> Messages { get; } =
    [
        new NodeMessage.AskState(3),
        new NodeMessage.HasState(3, 0xfeed_beef_0000_0001),
        new NodeMessage.Prepare(3, Id, new Age(1, 2), 9, new Ballot(4, new NodeId(2)), [new KeyWrite(Key.Of("a"), new byte[] { 1 })]),
        new NodeMessage.Vote(3, Id, 8, true, new Promise(new Timestamp(5), Timestamp.MaxValue)),
        new NodeMessage.Vote(3, Id, 8, false, default),
        new NodeMessage.QueryPrepare(3, Id, 9),
        new NodeMessage.Prevented(3, Id, 8),
        new NodeMessage.Resolve(3, Id, 9, Outcome.Commit(new Timestamp(6))),
        new NodeMessage.Resolved(3, Id, 8),
        new NodeMessage.Inquire(3, Id, 8),
    ];

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_survives_the_wire_and_is_not_guessed_at(NodeMessage message)
    {
        var wire = new NodeMessageWire();
        var bytes = Bytes(wire, message);
        var reader = new CodecReader(bytes);
        var read = wire.Read(ref reader);
        Assert.True(reader.IsComplete);
        Assert.Equal(message.GetType(), read!.GetType());
        Assert.Equal(bytes, Bytes(wire, read));

        var cut = new CodecReader(bytes.AsMemory(0, bytes.Length - 1));
        _ = wire.Read(ref cut);
        Assert.False(cut.IsComplete);
    }

    [Fact]
    public void Every_kind_of_message_about_a_transaction_is_among_those_tried() =>
        Assert.Equal(
            typeof(NodeMessage).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(NodeMessage.ToLeader))).Select(type => type.Name).Order(),
            Messages.Select(row => row.Data).OfType<NodeMessage.ToLeader>().Select(message => message.GetType().Name).Distinct().Order());

    private static byte[] Bytes(NodeMessageWire wire, NodeMessage message)
    {
        var writer = new CodecWriter();
        wire.Write(writer, message);
        return writer.ToArray();
    }
}
