using System.Text.Json.Nodes;
using Google.Protobuf;
using Synod.Api;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary>What programs and people read in <c>synod status --json</c> and at <c>/status</c>.</summary>
public class StatusJsonTests
{
    [Theory]
    [InlineData(new byte[0], "")]
    [InlineData(new byte[] { 0x61, 0x2f, 0x31 }, "a/1")]
    [InlineData(new byte[] { 0x6d, 0xc3, 0xbc, 0xe2, 0x82, 0xac }, "mü€")]
    [InlineData(new byte[] { 0x61, 0x00, 0xff, 0x0a }, @"a\x00\xff\x0a")]
    [InlineData(new byte[] { 0xe2, 0x82, 0x62 }, @"\xe2\x82b")]
    public void A_key_is_text_as_the_commands_take_it_and_other_bytes_are_marked(byte[] key, string text) => Assert.Equal(text, KeyText.Of(key));

    [Fact]
    public void Numbers_are_numbers_while_every_reader_has_them_exactly()
    {
        var group = Group(new GroupStatus { Range = new() { Group = (1ul << 53) - 1, Version = 1ul << 53 }, Chosen = 9_007_199_254_740_991, Applied = long.MaxValue, Lag = { 0, 7 } });
        Assert.Equal("9007199254740991", group["range"]!["group"]!.ToJsonString());
        Assert.Equal("\"9007199254740992\"", group["range"]!["version"]!.ToJsonString());
        Assert.Equal("9007199254740991", group["chosen"]!.ToJsonString());
        Assert.Equal("\"9223372036854775807\"", group["applied"]!.ToJsonString());
        Assert.Equal("[0,7]", group["lag"]!.ToJsonString());
    }

    [Fact]
    public void A_list_of_ranges_says_them_as_the_status_does()
    {
        var range = new Api.Range { Group = ulong.MaxValue, Start = ByteString.CopyFromUtf8("m"), Version = 7, Replicas = { 1, 2 }, Leader = 2 };
        Assert.Equal("""{"group":"18446744073709551615","start":"m","end":null,"version":7,"replicas":[1,2],"preferredLeader":null,"leader":2}""", StatusJson.Of(range).ToJsonString());
        Assert.Equal(StatusJson.Of(range).ToJsonString(), Group(new GroupStatus { Range = range })["range"]!.ToJsonString());
    }

    [Theory]
    [InlineData(-5_000_000_000, null)]
    [InlineData(0, null)]
    [InlineData(1, 1L)]
    public void A_lease_that_has_lapsed_has_nothing_left(long left, long? shown) =>
        Assert.Equal(shown, (long?)Group(new GroupStatus { Range = new(), LeaseLeft = left })["leaseLeft"]);

    [Fact]
    public void What_there_is_none_of_is_null()
    {
        var status = StatusJson.Of(new NodeStatus { Node = 2, ClockWidth = -1, Nodes = { new Api.Node { Id = 1, Status = Api.Node.Types.Status.Suspect }, new Api.Node { Id = 3 } } });
        Assert.Null(status["clockWidth"]);
        Assert.Null(status["cluster"]);
        Assert.Equal("SUSPECT", (string?)status["nodes"]![0]!["status"]);
        Assert.Null(status["nodes"]![1]!["status"]);
        var range = Group(new GroupStatus { Range = new() { Start = ByteString.CopyFromUtf8("m") } })["range"]!;
        Assert.Equal("m", (string?)range["start"]);
        Assert.Null(range["end"]);
        Assert.Null(range["leader"]);
    }

    private static JsonObject Group(GroupStatus group) => StatusJson.Of(new NodeStatus { Groups = { group } })["groups"]![0]!.AsObject();
}
